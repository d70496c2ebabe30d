"""The one sensor that starts runs: it compares what should exist of each batch with what exists, and asks for the rest.

It holds no memory of events: a run that was killed, a launch that was lost, a day on which nothing ran are all the
same to it. Each batch has one run at a time; one that failed is tried again, ever more rarely.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from dagster import (
    AssetCheckEvaluation,
    AssetKey,
    AssetMaterialization,
    AssetSelection,
    DagsterInstance,
    DagsterRunStatus,
    DefaultSensorStatus,
    RunRecord,
    RunRequest,
    RunsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    define_asset_job,
    sensor,
)
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES
from dagster._core.storage.tags import AUTO_RETRY_RUN_ID_TAG, PARTITION_NAME_TAG, WILL_RETRY_TAG

from ava_assets.annotation.assets import annotated_in_cvat
from ava_assets.freshness import found_behind
from ava_assets.partitions import video_batch
from ava_assets.quality.assets import qc_decisions
from ava_assets.resources import Platform
from ava_assets.running.failures import Failure, failure_of
from ava_core.operations.needs import (
    CONSENSUS_ASSETS,
    READING_ASSETS,
    TASKS,
    VIDEO_ASSETS,
    Need,
    may_wait,
    needs,
    wait_seconds,
)
from ava_core.store import Store, batch_needs, batches
from ava_core.store.tables import BatchNeed
from ava_core.video.intake.inbox import look_into_inbox

ALL_AGAIN_SECONDS = 60.0
"""Between two comparisons where nothing seems to have changed."""
ASKED_SECONDS = 15.0
"""Between two comparisons while a run was asked for: a run that fails writes nothing where the look would see it."""
RETRY_SECONDS = 300.0
"""For so long a lost run that Dagster says it will start again counts as under way."""

video_to_tasks = define_asset_job(
    "video_to_tasks",
    selection=AssetSelection.assets(*VIDEO_ASSETS, TASKS),
    partitions_def=video_batch,
    description="From a batch's input to tasks ready for annotators.",
)
work_to_dataset = define_asset_job(
    "work_to_dataset",
    selection=AssetSelection.assets(*READING_ASSETS, *CONSENSUS_ASSETS),
    partitions_def=video_batch,
    description="From completed work to agreement, and from decisions to the batch's dataset.",
)
JOBS = [video_to_tasks, work_to_dataset]


def batch_sensor(platform: Platform, seconds: int) -> SensorDefinition:
    """The sensor, with so much time between two looks; `platform` is given as to `cvat_sensor`."""

    @sensor(
        jobs=JOBS,
        name="batches",
        minimum_interval_seconds=seconds,
        default_status=DefaultSensorStatus.RUNNING,
        description="Adds new files from the inbox as batches, and starts everything that is missing or out of date "
        "in a batch.",
    )
    def look(context: SensorEvaluationContext) -> SensorResult | SkipReason:
        return look_at_batches(context, platform)

    return look


def look_at_batches(context: SensorEvaluationContext, platform: Platform) -> SensorResult | SkipReason:
    """Look once.

    The cursor: `seen` in the inbox, the `token` of the database and the inbox, and when a look is `due` anyway.
    """
    settings, store, now = platform.settings, platform.store, time.time()
    cursor = json.loads(context.cursor) if context.cursor else {}
    inbox = settings.inbox_dir
    token = f"{store.token()} {inbox.stat().st_mtime_ns if inbox.is_dir() else ''}"
    if (
        not cursor.get("seen")
        and token == cursor.get("token")
        and 0 < cursor.get("due", 0) - now <= ALL_AGAIN_SECONDS
    ):
        return SkipReason("No changes.")
    look = look_into_inbox(inbox, store, cursor.get("seen") or {})
    known = set(video_batch.get_partition_keys(dynamic_partitions_store=context.instance))
    new = [name for name in batches.names(store, archived=False) if name not in known]
    asked = compare(context.instance, store, needs(store, settings), now)
    context.update_cursor(json.dumps({"seen": look.seen, "token": token, "due": asked.due}))
    if not new and not asked.requests:
        return SkipReason(look.sentence)
    return SensorResult(
        dynamic_partitions_requests=[video_batch.build_add_request(new)] if new else [],
        run_requests=asked.requests,
        asset_events=asked.events,
    )


@dataclass
class Asked:
    """What a look asks for; `due`: when the next one is, though nothing should change."""

    due: float
    requests: list[RunRequest] = field(default_factory=list)
    events: list[AssetMaterialization | AssetCheckEvaluation] = field(default_factory=list)


def compare(instance: DagsterInstance, store: Store, wanted: Mapping[str, Need], now: float) -> Asked:
    """Ask for a run of every batch that needs one now, and note what each needs and why it waits."""
    known = batch_needs.known(store)
    busy = _under_way(instance) if wanted else set()
    asked, changed = Asked(now + ALL_AGAIN_SECONDS), []
    for batch, need in wanted.items():
        before = known.get(batch)
        row = _row(need, before, now)
        if batch not in busy and _is_due(instance, need, row, now):
            row.tries, row.asked_at = row.tries + 1, now
            row.next_at = now + wait_seconds(row.tries)
            asked.requests.append(_request(need, row))
            asked.events += _events(store, need)
        if row.asked_at is not None and row.next_at is not None:
            asked.due = min(asked.due, now + ASKED_SECONDS)
        if before is None or _values(row) != _values(before):
            changed.append(row)
    gone = known.keys() - wanted.keys()
    if changed or gone:
        batch_needs.keep(store, changed, gone)
    return asked


def _row(need: Need, before: BatchNeed | None, now: float) -> BatchNeed:
    """What is known of a need; what is to be made of something else now is a new one."""
    if before is not None and (before.stage, before.state) == (need.stage, need.state):
        row = BatchNeed(**_values(before) | {"sentence": need.sentence})
        return _in_the_past(row, now)
    goes_on = before is not None and before.stage == need.stage and before.tries == 0
    first = before.first_at if goes_on and before is not None else now
    return BatchNeed(
        batch=need.batch, stage=need.stage, state=need.state, sentence=need.sentence, tries=0, since=now,
        first_at=first, asked_at=None, next_at=now, problem="",
    )  # fmt: skip


def _in_the_past(row: BatchNeed, now: float) -> BatchNeed:
    """Where the clock was set back, what was noted lies ahead: it counts as having happened now."""
    row.since, row.first_at = min(row.since, now), min(row.first_at, now)
    if row.asked_at is not None and row.asked_at > now:
        row.asked_at = now
        row.next_at = None if row.next_at is None else now + wait_seconds(row.tries)
    return row


def _is_due(instance: DagsterInstance, need: Need, row: BatchNeed, now: float) -> bool:
    """Whether to ask now; notes in `row` what became of the last try."""
    if row.asked_at is None:
        return not may_wait(need, row.since, row.first_at, now)
    record = _last_run(instance, need.batch, row.asked_at)
    if record is not None:
        if _comes_back(record, now):
            return False
        failure = _ended(instance, record)
        row.problem = failure.sentence
        wait = wait_seconds(row.tries)
        ended = min(record.end_time or row.asked_at, now)
        row.next_at = None if failure.needs_a_person else ended + wait
    return row.next_at is not None and now >= row.next_at


def _ended(instance: DagsterInstance, record: RunRecord) -> Failure:
    if record.dagster_run.status == DagsterRunStatus.CANCELED:
        return Failure("A user stopped its run.", needs_a_person=True)
    if record.dagster_run.status == DagsterRunStatus.FAILURE:
        return failure_of(instance, record.dagster_run.run_id)
    return Failure("")


def _last_run(instance: DagsterInstance, batch: str, since: float) -> RunRecord | None:
    """The newest run of a batch that was made since, if any."""
    of_batch = RunsFilter(tags={PARTITION_NAME_TAG: batch})
    records = instance.get_run_records(of_batch, limit=1)
    return records[0] if records and records[0].create_timestamp.timestamp() >= since else None


def _comes_back(record: RunRecord, now: float) -> bool:
    """Whether Dagster itself is about to start a lost run again."""
    tags = record.dagster_run.tags
    promised = tags.get(WILL_RETRY_TAG) == "true" and AUTO_RETRY_RUN_ID_TAG not in tags
    return promised and now - (record.end_time or now) < RETRY_SECONDS


def _under_way(instance: DagsterInstance) -> set[str]:
    """Batches with a run that is not over, whoever started it."""
    runs = instance.get_runs(RunsFilter(statuses=NOT_FINISHED_STATUSES))
    return {run.tags[PARTITION_NAME_TAG] for run in runs if PARTITION_NAME_TAG in run.tags}


def _request(need: Need, row: BatchNeed) -> RunRequest:
    job = video_to_tasks if need.stage == "video" else work_to_dataset
    return RunRequest(
        run_key=f"{need.batch}:{need.stage}:{need.state}:{row.since:.0f}:{row.tries}",
        partition_key=need.batch,
        job_name=job.name,
        asset_selection=[AssetKey(asset) for asset in need.assets],
    )


def _events(store: Store, need: Need) -> list[AssetMaterialization | AssetCheckEvaluation]:
    """What people did, for the graph, and what is behind it: they show why a run was started."""
    outside = {"reading": annotated_in_cvat, "consensus": qc_decisions}.get(need.stage)
    if outside is None:
        return []
    done = AssetMaterialization(outside.key, partition=need.batch, metadata={"in words": need.sentence})
    return [done, *found_behind(store, need.batch)]


def _values(row: BatchNeed) -> dict[str, object]:
    return {column.name: getattr(row, column.name) for column in BatchNeed.__table__.columns}
