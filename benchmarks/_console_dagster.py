"""A stand-in for Dagster's webserver: answers what the console asks with some months of runs, as slowly as it does."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import NAMESPACE_URL, uuid5

DELAY_S = 0.1
"""Of every answer; Dagster's own take 0.03 to 0.29 s."""
STEPS = (
    ("source_videos", "clips", "tracks", "dense_proposals", "cvat_tasks"),
    ("raw_annotations",),
    ("agreement",),
)
FAILED, RUNNING = 10, 2
"""Of the newest runs."""
LINES, LINES_A_SECOND = 600, 5.0
"""Of a log, and how fast that of a run under way grows."""
PAGE_LINES = 1000
PROGRESS_EVERY = 7
DAEMONS = ("SENSOR", "SCHEDULER", "ASSET", "BACKFILL")

Json = dict[str, Any]


@dataclass
class Dagster:
    """Runs of every batch, newest first; the newest are under way, the next ones failed."""

    batches: list[str]

    def __post_init__(self) -> None:
        self.began = time.time()
        count = len(self.batches) * len(STEPS)
        self.runs = [self._run(number) for number in range(count)]

    @property
    def running_id(self) -> str:
        """A run under way, whose log grows."""
        return str(self.runs[0]["runId"])

    def answer(self, operation: str, given: Json) -> Json:
        """The content of `data` for a query of that name."""
        asked = getattr(self, f"_on_{operation.lower()}", None)
        if asked is None:
            raise ValueError(f"the stand-in knows no {operation}")
        found: Json = asked(given)
        return found

    def _run(self, number: int) -> Json:
        batch = self.batches[-1 - number // len(STEPS)]
        steps = STEPS[-1 - number % len(STEPS)]
        created = self.began - 1800 - 3600.0 * number
        status = "STARTED" if number < RUNNING else "FAILURE" if number < RUNNING + FAILED else "SUCCESS"
        return {
            "runId": str(uuid5(NAMESPACE_URL, f"{batch}/{steps[0]}")), "status": status, "jobName": "__ASSET_JOB",
            "creationTime": created, "startTime": created + 5,
            "endTime": None if status == "STARTED" else created + 900,
            "tags": [{"key": "dagster/partition", "value": batch}],
            "assetSelection": [{"path": [step]} for step in steps],
        }  # fmt: skip

    def _on_version(self, given: Json) -> Json:
        return {"version": "1.13.27"}

    def _on_daemons(self, given: Json) -> Json:
        statuses = [{"daemonType": name, "required": True, "healthy": True} for name in DAEMONS]
        return {"instance": {"daemonHealth": {"allDaemonStatuses": statuses}}}

    def _on_workspace(self, given: Json) -> Json:
        location = {"__typename": "RepositoryLocation", "name": "ava_assets.definitions",
                    "repositories": [{"name": "__repository__"}]}  # fmt: skip
        entries = [{"name": "ava_assets.definitions", "locationOrLoadError": location}]
        return {"workspaceOrError": {"__typename": "Workspace", "locationEntries": entries}}

    def _on_runs(self, given: Json) -> Json:
        wanted = given.get("filter") or {}
        tags, statuses, ids = (wanted.get(name) or [] for name in ("tags", "statuses", "runIds"))
        found = [
            run
            for run in self.runs
            if all(tag in run["tags"] for tag in tags)
            and (not statuses or run["status"] in statuses)
            and (not ids or run["runId"] in ids)
        ]
        return {"runsOrError": {"__typename": "Runs", "results": found[: given.get("limit") or len(found)]}}

    def _on_backfills(self, given: Json) -> Json:
        counts = {"__typename": "AssetPartitionsStatusCounts", "numPartitionsTargeted": 20,
                  "numPartitionsMaterialized": 18, "numPartitionsFailed": 1}  # fmt: skip
        found = [
            {"id": f"backfill{number}", "status": "COMPLETED_SUCCESS", "title": "", "timestamp": self.began - 86400.0,
             "endTimestamp": self.began - 80000.0, "numPartitions": 20, "assetSelection": [{"path": ["agreement"]}],
             "error": None, "assetBackfillData": {"assetBackfillStatuses": [counts]}}
            for number in range(10)
        ]  # fmt: skip
        return {"partitionBackfillsOrError": {"__typename": "PartitionBackfills", "results": found}}

    def _on_failure(self, given: Json) -> Json:
        cause = {"message": "CvatError: the annotation server does not answer (ConnectError)."}
        error = {"message": "Error occurred while executing op", "cause": cause}
        event = {"__typename": "ExecutionStepFailureEvent", "stepKey": "cvat_tasks", "error": error}
        return {
            "logsForRun": {
                "__typename": "EventConnection",
                "cursor": "1",
                "hasMore": False,
                "events": [event],
            }
        }

    def _on_logs(self, given: Json) -> Json:
        run = next(run for run in self.runs if run["runId"] == given["runId"])
        grown = int((time.time() - self.began) * LINES_A_SECOND) if run["status"] == "STARTED" else 0
        first, end = int(given.get("cursor") or 0), LINES + grown
        last = min(end, first + PAGE_LINES)
        events = [self._line(run, number) for number in range(first, last)]
        return {
            "logsForRun": {
                "__typename": "EventConnection",
                "cursor": str(last),
                "hasMore": last < end,
                "events": events,
            }
        }

    def _line(self, run: Json, number: int) -> Json:
        step = run["assetSelection"][0]["path"][0]
        told = f"clips: {number}/9000 clips, {number / 9:.1f} clips/s, 4:10 left"
        said = told if number % PROGRESS_EVERY == 0 else f"Materialized value {step}: part {number}."
        return {"__typename": "LogMessageEvent", "timestamp": f"{(run['startTime'] + number / 5) * 1000:.0f}",
                "level": "INFO", "message": said, "stepKey": step}  # fmt: skip


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: a console that ends leaves questions behind."""


@contextmanager
def serving(dagster: Dagster, port: int) -> Iterator[None]:
    """It answers at 127.0.0.1 for the time of the block."""

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            operation = asked["query"].split("{")[0].split("(")[0].split()[1]
            time.sleep(DELAY_S)
            try:
                content = {"data": dagster.answer(operation, asked["variables"])}
            except ValueError as error:
                content = {"errors": [{"message": str(error)}]}
            body = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Nothing: what is asked is no news."""

    server = _Server(("127.0.0.1", port), Answering)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
