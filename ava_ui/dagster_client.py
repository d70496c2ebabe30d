"""The one way to Dagster: GraphQL over HTTP, behind few methods that speak of batches, assets and runs.

Held to the pinned version's schema by a contract test. Dagster's own client has no calls for partitions and
backfills, so the queries are written out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import httpx

from ava_core.errors import AvaError

TIMEOUT_SECONDS: Final = 15.0
JOB: Final = "__ASSET_JOB"
PARTITION_TAG: Final = "dagster/partition"
RUNNING: Final = ("QUEUED", "NOT_STARTED", "STARTING", "STARTED")

VERSION = "query Version { version }"

DAEMONS = """
query Daemons { instance { daemonHealth { allDaemonStatuses { daemonType required healthy } } } }
"""

WORKSPACE = """
query Workspace { workspaceOrError { __typename ... on Workspace { locationEntries { name
  locationOrLoadError { __typename
    ... on RepositoryLocation { name repositories { name } }
    ... on PythonError { message } } } } } }
"""

RUNS = """
query Runs($filter: RunsFilter, $limit: Int) { runsOrError(filter: $filter, limit: $limit) { __typename
  ... on Runs { results { runId status jobName creationTime startTime endTime
    tags { key value } assetSelection { path } } }
  ... on PythonError { message } } }
"""

FAILURE = """
query Failure($runId: ID!) { logsForRun(runId: $runId, limit: 1000) { __typename
  ... on EventConnection { events { __typename
    ... on ExecutionStepFailureEvent { stepKey error { message cause { message } } }
    ... on RunFailureEvent { message } } } } }
"""

LOGS = """
query Logs($runId: ID!, $cursor: String) { logsForRun(runId: $runId, afterCursor: $cursor, limit: 1000) {
  __typename ... on EventConnection { cursor hasMore events { __typename
    ... on MessageEvent { timestamp level message stepKey } } }
  ... on PythonError { message } ... on RunNotFoundError { message } } }
"""

ADD_PARTITION = """
mutation Add($key: String!, $repository: RepositorySelector!) {
  addDynamicPartition(partitionKey: $key, partitionsDefName: "video_batch", repositorySelector: $repository) {
    __typename ... on PythonError { message } ... on UnauthorizedError { message } } }
"""

BACKFILL = """
mutation Backfill($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
  __typename ... on LaunchBackfillSuccess { backfillId }
  ... on PythonError { message } ... on PartitionKeysNotFoundError { message }
  ... on UnauthorizedError { message } } }
"""

LAUNCH = """
mutation Launch($params: ExecutionParams!) { launchRun(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } }
  ... on PythonError { message } ... on RunConfigValidationInvalid { errors { message } }
  ... on PipelineNotFoundError { message } ... on InvalidSubsetError { message } } }
"""

RETRY = """
mutation Retry($params: ReexecutionParams!) { launchRunReexecution(reexecutionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }
"""

END = """
mutation End($runId: String!) { terminateRun(runId: $runId) { __typename
  ... on PythonError { message } ... on TerminateRunFailure { message }
  ... on RunNotFoundError { message } } }
"""


class DagsterError(AvaError):
    """Dagster could not be reached, or refused."""


@dataclass(frozen=True)
class Run:
    """A run of Dagster; times are in UTC, `None` while they are to come."""

    run_id: str
    status: str
    batch: str
    assets: tuple[str, ...]
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @property
    def is_over(self) -> bool:
        """Whether it has ended, however it ended."""
        return self.status not in (*RUNNING, "CANCELING")

    @property
    def seconds(self) -> float | None:
        """How long it took; `None` while it has not ended."""
        if self.started_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.started_at).total_seconds()


@dataclass(frozen=True)
class LogLine:
    """A line of a run's log."""

    at: datetime
    level: str
    step: str
    message: str


@dataclass
class DagsterClient:
    """Speaks to one Dagster webserver. Raises `DagsterError` where it does not answer or refuses."""

    url: str
    transport: httpx.AsyncBaseTransport | None = None
    _repository: dict[str, str] = field(default_factory=dict)

    async def version(self) -> str:
        """Dagster's version."""
        return str((await self._ask(VERSION))["version"])

    async def daemons(self) -> dict[str, bool]:
        """Whether each daemon that is needed has a heartbeat."""
        found = (await self._ask(DAEMONS))["instance"]["daemonHealth"]["allDaemonStatuses"]
        return {row["daemonType"]: bool(row["healthy"]) for row in found if row["required"]}

    async def runs(self, *, batch: str = "", statuses: Sequence[str] = (), limit: int = 50) -> list[Run]:
        """The newest runs first, of one batch or of all."""
        wanted: dict[str, Any] = {}
        if batch:
            wanted["tags"] = [{"key": PARTITION_TAG, "value": batch}]
        if statuses:
            wanted["statuses"] = list(statuses)
        answer = (await self._ask(RUNS, filter=wanted, limit=limit))["runsOrError"]
        return [_run(row) for row in _expect(answer, "Runs")["results"]]

    async def run(self, run_id: str) -> Run:
        """One run."""
        answer = (await self._ask(RUNS, filter={"runIds": [run_id]}, limit=1))["runsOrError"]
        found = _expect(answer, "Runs")["results"]
        if not found:
            raise DagsterError(f"Dagster knows no run {run_id}.", "It may have been removed.")
        return _run(found[0])

    async def failure(self, run_id: str) -> str:
        """Why a run failed, in one sentence where the step's own error has one."""
        answer = (await self._ask(FAILURE, runId=run_id))["logsForRun"]
        events = _expect(answer, "EventConnection")["events"]
        for event in events:
            if event["__typename"] == "ExecutionStepFailureEvent" and event["error"]:
                cause = event["error"]["cause"] or event["error"]
                return f"{event['stepKey']}: {cause['message'].strip()}"
        messages = [event["message"] for event in events if event["__typename"] == "RunFailureEvent"]
        return messages[-1].strip() if messages else "The run failed before its first step."

    async def logs(self, run_id: str, cursor: str | None = None) -> tuple[list[LogLine], str]:
        """Lines of a run's log after `cursor`, and the cursor for the next look."""
        answer = _expect(
            (await self._ask(LOGS, runId=run_id, cursor=cursor))["logsForRun"], "EventConnection"
        )
        lines = [
            LogLine(
                _moment(float(e["timestamp"]) / 1000), e["level"], e["stepKey"] or "", e["message"].strip()
            )
            for e in answer["events"]
            if e.get("message")
        ]
        return lines, str(answer["cursor"])

    async def add_batch(self, batch: str) -> None:
        """Make the partition of a batch where it does not exist."""
        answer = await self._ask(ADD_PARTITION, key=batch, repository=await self._selector())
        _expect(answer["addDynamicPartition"], "AddDynamicPartitionSuccess", "DuplicateDynamicPartitionError")

    async def process(self, batches: Sequence[str], assets: Sequence[str]) -> str:
        """Make assets of batches, a run per batch; returns the backfill's id."""
        for batch in batches:
            await self.add_batch(batch)
        params = {
            "partitionNames": list(batches),
            "assetSelection": [{"path": [asset]} for asset in assets],
            "title": f"console: {', '.join(assets)}"[:100],
        }
        answer = (await self._ask(BACKFILL, params=params))["launchPartitionBackfill"]
        return str(_expect(answer, "LaunchBackfillSuccess")["backfillId"])

    async def make_release(self, options: dict[str, Any]) -> str:
        """Start a run that makes a release; `options` are the fields of its configuration. Returns its id."""
        repository = await self._selector()
        selector = repository | {"pipelineName": JOB, "assetSelection": [{"path": ["ava_release"]}]}
        config = {"ops": {"ava_release": {"config": options}}}
        params = {"selector": selector, "runConfigData": config, "mode": "default"}
        answer = (await self._ask(LAUNCH, params=params))["launchRun"]
        return str(_expect(answer, "LaunchRunSuccess")["run"]["runId"])

    async def retry(self, run_id: str) -> str:
        """Run the failed steps of a run again; returns the new run's id."""
        params = {"parentRunId": run_id, "strategy": "FROM_FAILURE"}
        answer = (await self._ask(RETRY, params=params))["launchRunReexecution"]
        return str(_expect(answer, "LaunchRunSuccess")["run"]["runId"])

    async def end(self, run_id: str) -> None:
        """End a run that is under way."""
        _expect((await self._ask(END, runId=run_id))["terminateRun"], "TerminateRunSuccess")

    async def _selector(self) -> dict[str, str]:
        """The one repository of the workspace, asked for once."""
        if not self._repository:
            answer = _expect((await self._ask(WORKSPACE))["workspaceOrError"], "Workspace")
            for entry in answer["locationEntries"]:
                loaded = entry["locationOrLoadError"] or {"__typename": "", "message": "it still loads"}
                if loaded["__typename"] != "RepositoryLocation":
                    raise DagsterError(f"Dagster cannot load {entry['name']}: {loaded['message'][:300]}")
                self._repository = {
                    "repositoryName": loaded["repositories"][0]["name"],
                    "repositoryLocationName": loaded["name"],
                }
        return dict(self._repository)

    async def _ask(self, query: str, **variables: Any) -> dict[str, Any]:
        try:
            async with httpx.AsyncClient(transport=self.transport, timeout=TIMEOUT_SECONDS) as client:
                response = await client.post(
                    f"{self.url}/graphql", json={"query": query, "variables": variables}
                )
            content = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise DagsterError(
                f"Dagster does not answer at {self.url} ({type(error).__name__}).", "Start it: `ava up`."
            ) from None
        if content.get("errors"):
            raise DagsterError(f"Dagster refused: {content['errors'][0]['message']}")
        answer: dict[str, Any] = content["data"]
        return answer


def _expect(answer: dict[str, Any], *kinds: str) -> dict[str, Any]:
    """The answer where it is of one of the kinds; what it says else is raised."""
    if answer["__typename"] in kinds:
        return answer
    reasons = [answer.get("message", ""), *(e["message"] for e in answer.get("errors", []))]
    said = " ".join(" ".join(filter(None, reasons)).split())[:400] or answer["__typename"]
    raise DagsterError(f"Dagster refused: {said}")


def _run(row: dict[str, Any]) -> Run:
    tags = {tag["key"]: tag["value"] for tag in row["tags"]}
    assets = tuple(asset["path"][-1] for asset in row["assetSelection"] or [])
    return Run(
        row["runId"], row["status"], tags.get(PARTITION_TAG, ""), assets, _moment(row["creationTime"]),
        _moment(row["startTime"]) if row["startTime"] else None,
        _moment(row["endTime"]) if row["endTime"] else None,
    )  # fmt: skip


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
