"""The one way to Dagster: GraphQL over HTTP, behind few methods that speak of batches, assets and runs.

Dagster's own client has no calls for partitions and backfills, so the queries are written out (`queries`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import httpx

from ava_core.base.errors import AvaError
from ava_ui.dagster import queries

TIMEOUT_SECONDS: Final = 15.0
JOB: Final = "__ASSET_JOB"
PARTITION_TAG: Final = "dagster/partition"
BACKFILL_TAG: Final = "dagster/backfill"
RUNNING: Final = ("QUEUED", "NOT_STARTED", "STARTING", "STARTED")


class DagsterError(AvaError):
    """Dagster could not be reached, or refused."""


@dataclass(frozen=True)
class Run:
    """A run of Dagster; times are in UTC, `None` while they are to come.

    `assets`: what it makes; of a run of a job of its own, the job's name. `backfill`: the one it belongs to, or "".
    """

    run_id: str
    status: str
    batch: str
    assets: tuple[str, ...]
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    backfill: str = ""

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
class Backfill:
    """Assets of many batches being made, a run per batch. Counts are of batches that have come through all assets."""

    backfill_id: str
    status: str
    assets: tuple[str, ...]
    batches: int
    done: int
    failed: int
    created_at: datetime
    problem: str

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.status not in ("REQUESTED", "CANCELING", "FAILING")


OWN_ERRORS: Final = "ava_core."
"""How Dagster's names of the platform's own errors begin: `ava_core.base.errors.InputError: …`."""
UNKNOWN_CURE: Final = "See the run's log for details; fix the cause, then retry the run."
"""Of any other error: the platform's own bring their cure with them."""


@dataclass(frozen=True)
class LogLine:
    """A line of a run's log."""

    at: datetime
    level: str
    step: str
    message: str


@dataclass
class DagsterClient:
    """Speaks to one Dagster webserver. Raises `DagsterError` where it does not answer or refuses.

    `token`: by which a webserver that asks for a login knows the platform's own programs.
    """

    url: str
    transport: httpx.AsyncBaseTransport | None = None
    token: str = ""
    _repository: dict[str, str] = field(default_factory=dict)
    _http: httpx.AsyncClient | None = None

    async def version(self) -> str:
        """Dagster's version."""
        return str((await self._ask(queries.VERSION))["version"])

    async def daemons(self) -> dict[str, bool]:
        """Whether each daemon that is needed has a heartbeat."""
        found = (await self._ask(queries.DAEMONS))["instance"]["daemonHealth"]["allDaemonStatuses"]
        return {row["daemonType"]: bool(row["healthy"]) for row in found if row["required"]}

    async def runs(
        self, *, batch: str = "", backfill: str = "", statuses: Sequence[str] = (), limit: int = 50
    ) -> list[Run]:
        """The newest runs first, of one batch, of one backfill, or of all."""
        wanted: dict[str, Any] = {}
        tags = {PARTITION_TAG: batch, BACKFILL_TAG: backfill}
        if any(tags.values()):
            wanted["tags"] = [{"key": key, "value": value} for key, value in tags.items() if value]
        if statuses:
            wanted["statuses"] = list(statuses)
        answer = (await self._ask(queries.RUNS, filter=wanted, limit=limit))["runsOrError"]
        return [_run(row) for row in _expect(answer, "Runs")["results"]]

    async def run(self, run_id: str) -> Run:
        """One run."""
        answer = (await self._ask(queries.RUNS, filter={"runIds": [run_id]}, limit=1))["runsOrError"]
        found = _expect(answer, "Runs")["results"]
        if not found:
            raise DagsterError(f"Dagster has no run {run_id}.", "It may have been removed.")
        return _run(found[0])

    async def failure(self, run_id: str) -> str:
        """Why a run failed and what to do: the first error that ended a step or the run; what came of it follows later.

        An error after which a step was tried again is none.
        """
        cursor, last = None, ""
        while True:
            answer = (await self._ask(queries.FAILURE, runId=run_id, cursor=cursor))["logsForRun"]
            page = _expect(answer, "EventConnection")
            for event in page["events"]:
                if event.get("error") and event["__typename"] != "ExecutionStepUpForRetryEvent":
                    return _failure(event)
                if event["__typename"] == "RunFailureEvent":
                    last = event["message"].strip()
            if not page["hasMore"]:
                return f"{last or 'The run failed before its first step.'} {UNKNOWN_CURE}"
            cursor = page["cursor"]

    async def is_over(self, made: str) -> bool:
        """Whether nothing more will happen of a run or a backfill; one that is not known any more is over."""
        runs = (await self._ask(queries.RUNS, filter={"runIds": [made]}, limit=1))["runsOrError"]
        for row in _expect(runs, "Runs")["results"]:
            return _run(row).is_over
        return all(one.is_over for one in await self.backfills() if one.backfill_id == made)

    async def logs(self, run_id: str, cursor: str | None = None) -> tuple[list[LogLine], str]:
        """Lines of a run's log after `cursor`, and the cursor for the next look."""
        answer = _expect(
            (await self._ask(queries.LOGS, runId=run_id, cursor=cursor))["logsForRun"], "EventConnection"
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
        answer = await self._ask(queries.ADD_PARTITION, key=batch, repository=await self._selector())
        _expect(answer["addDynamicPartition"], "AddDynamicPartitionSuccess", "DuplicateDynamicPartitionError")

    async def remove_batch(self, batch: str) -> None:
        """Forget the partition of a batch, so that one of the same name begins anew."""
        answer = await self._ask(queries.DELETE_PARTITION, key=batch, repository=await self._selector())
        _expect(answer["deleteDynamicPartitions"], "DeleteDynamicPartitionsSuccess")

    async def process(self, batches: Sequence[str], assets: Sequence[str]) -> str:
        """Make assets of batches, a run per batch; returns the backfill's id."""
        for batch in batches:
            await self.add_batch(batch)
        params = {
            "partitionNames": list(batches),
            "assetSelection": [{"path": [asset]} for asset in assets],
            "title": f"console: {', '.join(assets)}"[:100],
        }
        answer = (await self._ask(queries.BACKFILL, params=params))["launchPartitionBackfill"]
        return str(_expect(answer, "LaunchBackfillSuccess")["backfillId"])

    async def backfills(self, limit: int = 20) -> list[Backfill]:
        """The newest backfills first."""
        answer = (await self._ask(queries.BACKFILLS, limit=limit))["partitionBackfillsOrError"]
        return [_backfill(row) for row in _expect(answer, "PartitionBackfills")["results"]]

    async def cancel_backfill(self, backfill_id: str) -> None:
        """Start no more runs of a backfill, and end the ones that run."""
        answer = await self._ask(queries.CANCEL_BACKFILL, backfillId=backfill_id)
        _expect(answer["cancelPartitionBackfill"], "CancelBackfillSuccess")

    async def make_release(self, options: dict[str, Any]) -> str:
        """Start a run that makes a release; `options` are the fields of its configuration. Returns its id."""
        repository = await self._selector()
        selector = repository | {"pipelineName": JOB, "assetSelection": [{"path": ["ava_release"]}]}
        config = {"ops": {"ava_release": {"config": options}}}
        params = {"selector": selector, "runConfigData": config, "mode": "default"}
        answer = (await self._ask(queries.LAUNCH, params=params))["launchRun"]
        return str(_expect(answer, "LaunchRunSuccess")["run"]["runId"])

    async def retry(self, run_id: str) -> str:
        """Run the failed steps of a run again; returns the new run's id."""
        params = {"parentRunId": run_id, "strategy": "FROM_FAILURE"}
        answer = (await self._ask(queries.RETRY, params=params))["launchRunReexecution"]
        return str(_expect(answer, "LaunchRunSuccess")["run"]["runId"])

    async def end(self, run_id: str) -> None:
        """End a run that is under way."""
        _expect((await self._ask(queries.END, runId=run_id))["terminateRun"], "TerminateRunSuccess")

    async def _selector(self) -> dict[str, str]:
        """The one repository of the workspace, asked for once."""
        if not self._repository:
            answer = _expect((await self._ask(queries.WORKSPACE))["workspaceOrError"], "Workspace")
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
            if self._http is None:
                by = {"Authorization": f"Bearer {self.token}"} if self.token else {}
                self._http = httpx.AsyncClient(transport=self.transport, timeout=TIMEOUT_SECONDS, headers=by)
            asked = {"query": query, "variables": variables}
            content = (await self._http.post(f"{self.url}/graphql", json=asked)).json()
        except (httpx.HTTPError, ValueError) as error:
            raise DagsterError(
                f"Dagster is not responding at {self.url} ({type(error).__name__}).", "Start it: `ava up`."
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


def _failure(event: dict[str, Any]) -> str:
    """An error event in words: where, what, and the cure."""
    where = f"{event['stepKey']}: " if event.get("stepKey") else ""
    messages = [str(one["message"]).strip() for one in (event["error"], event["error"]["cause"]) if one]
    for message in messages:
        kind, _, said = message.partition(": ")
        if kind.startswith(OWN_ERRORS):
            return where + said
    return f"{where}{messages[-1]} {UNKNOWN_CURE}"


def _run(row: dict[str, Any]) -> Run:
    tags = {tag["key"]: tag["value"] for tag in row["tags"]}
    assets = tuple(asset["path"][-1] for asset in row["assetSelection"] or [])
    if not assets and row["jobName"] != JOB:
        assets = (row["jobName"],)
    return Run(
        row["runId"], row["status"], tags.get(PARTITION_TAG, ""), assets, _moment(row["creationTime"]),
        _moment(row["startTime"]) if row["startTime"] else None,
        _moment(row["endTime"]) if row["endTime"] else None, tags.get(BACKFILL_TAG, ""),
    )  # fmt: skip


def _backfill(row: dict[str, Any]) -> Backfill:
    stages = [
        (one["numPartitionsMaterialized"], one["numPartitionsFailed"])
        for one in (row["assetBackfillData"] or {}).get("assetBackfillStatuses", [])
        if one["__typename"] == "AssetPartitionsStatusCounts"
    ]
    return Backfill(
        row["id"], row["status"], tuple(asset["path"][-1] for asset in row["assetSelection"] or []),
        row["numPartitions"] or 0, min((done for done, _ in stages), default=0),
        max((failed for _, failed in stages), default=0), _moment(row["timestamp"]),
        row["error"]["message"].strip() if row["error"] else "",
    )  # fmt: skip


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
