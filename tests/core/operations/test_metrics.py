"""Figures of time and of waiting, from what database and files hold; on both systems."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import update

from ava_core import decisions
from ava_core.annotation.working_time import BY_CLASS, active_by_class, active_events, record_active
from ava_core.base.storage import Storage
from ava_core.ontology import Ontology, load_ontology
from ava_core.operations import metrics
from ava_core.store import Store, batches, makings, open_store, readings, tasks
from ava_core.store.tables import AuditLogEntry, Batch, Decision, Job, Reading, Task

MONDAY = datetime(2026, 1, 5, 8, tzinfo=UTC)


def hours(number: float) -> datetime:
    """So many hours after the batch was added."""
    return MONDAY + timedelta(hours=number)


JOBS: list[tuple[int, str, str, str, datetime | None, datetime | None]] = [
    (1, "c1", "mia", "completed", hours(3), hours(5)),
    (2, "c1", "tom", "completed", None, hours(30)),
    (3, "c2", "mia", "completed", hours(4), hours(8)),
    (4, "c2", "tom", "in progress", hours(6), None),
    (5, "c3", "mia", "new", None, None),
    (6, "c3", "", "new", None, None),
]
"""Batch `north`: c1 is completed by both, c2 by one, c3 by nobody. All were ready two hours after its adding."""


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Batch `north` at work, batch `south` just added."""
    sqlite = f"sqlite:///{tmp_path / 'ava.db'}"
    store = open_store(sqlite if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    tasks.put_project(store, 1, "ava")
    for name, added in (("north", hours(0)), ("south", hours(1))):
        batches.add(store, name, f"/in/{name}.zip", {})
        with store.session() as session:
            session.execute(update(Batch).where(Batch.name == name).values(created_at=added))
    for number, clip in enumerate(("c1", "c2", "c3"), start=1):
        own = [
            Job(job_id=job_id, task_id=number, batch="north", clip_id=clip, job_type="consensus_replica", frames=30,
                annotator=name, state=state, created_at=hours(2), started_at=started, completed_at=completed)
            for job_id, of, name, state, started, completed in JOBS if of == clip
        ]  # fmt: skip
        tasks.put_task(store, Task(task_id=number, project_id=1, name=clip, batch="north", clip_id=clip), own)
    yield store
    store.close()


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path / "storage")


def written(storage: Storage, asset: str) -> None:
    """A table whose file is as old as a copy that was made just now."""
    storage.write_table(storage.table_path("north", asset), pl.DataFrame())


def made(store: Store, asset: str, moment: datetime) -> None:
    """The asset of `north` was made at a moment, and that was noted then."""
    makings.note(store, "north", asset)
    noted = update(AuditLogEntry).where(AuditLogEntry.action == f"made {asset}")
    with store.session() as session:
        session.execute(noted.values(at=moment))


def complete(store: Store, job_id: int, moment: datetime) -> None:
    tasks.update_jobs(store, [{"job_id": job_id, "state": "completed", "completed_at": moment}])


def read(store: Store, job_id: int, moment: datetime, content: str = "x") -> None:
    kept = readings.append(
        store, job_id=job_id, task_id=1, annotator="mia", server_updated_at="", content_hash=content, shapes=[]
    )  # fmt: skip
    with store.session() as session:
        session.execute(update(Reading).where(Reading.reading_id == kept.reading_id).values(read_at=moment))


def test_a_batch_counts_the_hours_since_its_adding(store: Store, storage: Storage) -> None:
    for asset, after in (("source_videos", 0.25), ("clips", 0.5), ("tracks", 1.5)):
        written(storage, asset)
        made(store, asset, hours(after))
        makings.note(store, "north", asset)
    read(store, 1, hours(6))
    read(store, 3, hours(9))
    north, south = metrics.batch_times(store, storage).rows()
    assert north == ("north", *(pytest.approx(h, abs=1e-3) for h in (0.25, 0.5, 1.5, 2, 6, 9)), None, [])
    assert south == ("south", *[None] * 7, []), "nothing has happened to it"


def test_what_was_made_before_moments_were_noted_is_unknown_whatever_its_file_says(
    store: Store, storage: Storage
) -> None:
    for asset in ("source_videos", "clips"):
        written(storage, asset)
    made(store, "clips", hours(0.5))
    made(store, "tracks", hours(-1))
    north, south = metrics.batch_times(store, storage).rows(named=True)
    assert (north["videos_in"], north["clips_cut"]) == (None, pytest.approx(0.5))
    assert north["tracks_made"] is None, "it is of a batch that had this name before"
    assert (north["unknown"], south["unknown"]) == (["videos_in"], [])


def test_the_makespan_is_known_once_nothing_is_open(store: Store, storage: Storage) -> None:
    complete(store, 4, hours(20))
    complete(store, 5, hours(26))
    assert metrics.batch_times(store, storage)["makespan"].to_list() == [pytest.approx(28), None]
    tasks.update_jobs(store, [{"job_id": 5, "state": "rejected", "completed_at": None}])
    assert metrics.batch_times(store, storage)["makespan"].to_list() == [None, None]


def test_an_annotator_who_comes_later_does_not_make_the_tasks_late(store: Store, storage: Storage) -> None:
    extra = Job(
        job_id=7, task_id=4, batch="north", clip_id="c1", job_type="annotation", annotator="zoe", frames=30,
        created_at=hours(50),
    )  # fmt: skip
    tasks.put_task(store, Task(task_id=4, project_id=1, name="c1+zoe", batch="north", clip_id="c1"), [extra])
    assert metrics.batch_times(store, storage)["tasks_ready"].to_list() == [pytest.approx(2), None]


def test_clips_count_on_the_day_of_their_completion(store: Store) -> None:
    assert metrics.clips_by_day(store).rows() == [("mia", "2026-01-05", 2), ("tom", "2026-01-06", 1)]
    tasks.update_jobs(store, [{"job_id": 1, "state": "in progress", "completed_at": None}])
    assert metrics.clips_by_day(store).rows() == [("mia", "2026-01-05", 1), ("tom", "2026-01-06", 1)]


def test_a_job_waits_and_then_takes_its_time(store: Store) -> None:
    found = metrics.job_times(store).sort("job_id")
    assert found.schema == pl.Schema(metrics.JOB_TIMES)
    assert found.select("job_id", "completed", "day", "waited_h", "elapsed_h").rows() == [
        (1, True, "2026-01-05", pytest.approx(1), pytest.approx(2)),
        (2, True, "2026-01-06", None, None),
        (3, True, "2026-01-05", pytest.approx(2), pytest.approx(4)),
        (4, False, None, pytest.approx(4), None),
        (5, False, None, None, None),
    ]


def test_minutes_active_stand_beside_hours_elapsed(store: Store) -> None:
    assert metrics.job_work(store).schema == pl.Schema(metrics.JOB_WORK)
    assert metrics.job_work(store).is_empty()
    for seconds, answers in ((60.0, 4), (30.0, 5)):
        record_active(store, 1, "mia", "1", seconds, answers)
    record_active(store, 4, "tom", "1", 30.0, 0)
    assert metrics.job_work(store).rows() == [
        ("mia", 1, "north", "c1", 1.5, pytest.approx(2), 9, 10.0),
        ("tom", 4, "north", "c2", 0.5, None, 0, None),
    ]


def test_the_seconds_of_a_label_are_known_by_annotator_and_class(store: Store) -> None:
    def ontology_of(batch: str) -> Ontology:
        return load_ontology("street")

    assert active_by_class(store, ontology_of).schema == pl.Schema(BY_CLASS)
    told = [
        ("mia", 6.0, 2, 1),
        ("mia", 3.0, 1, 1),
        ("mia", 9.0, 0, 0),
        ("tom", 8.0, 1, 8),
        ("tom", 5.0, 1, 999),
    ]
    for name, seconds, answers, action in told:
        record_active(store, 1, name, "t1", seconds, answers, action)
    assert active_by_class(store, ontology_of).rows() == [
        ("mia", "street", "normal_walk", 3, 9.0, 3.0), ("tom", "street", "talking_phone", 1, 8.0, 8.0),
    ]  # fmt: skip
    assert active_events(store, "mia")["seconds"].to_list() == [6.0, 3.0, 9.0]


def test_a_moment_that_is_left_over_from_an_earlier_completion_does_not_count(store: Store) -> None:
    tasks.update_jobs(store, [{"job_id": 1, "state": "new"}])
    row = metrics.job_times(store).filter(pl.col("job_id") == 1).row(0, named=True)
    assert (row["completed"], row["day"], row["elapsed_h"]) == (False, None, None)


def test_the_pace_of_annotators(store: Store) -> None:
    mia, tom = metrics.annotator_pace(store).rows(named=True)
    assert (mia["annotator"], mia["jobs"], mia["completed"], mia["timed"]) == ("mia", 3, 2, 2)
    assert (mia["median_h"], mia["high_h"], mia["clips_per_day"]) == pytest.approx((3.0, 3.8, 2.0))
    assert (tom["completed"], tom["timed"], tom["median_h"], tom["high_h"]) == (1, 0, None, None)
    assert tom["clips_per_day"] == 1.0


def test_without_a_completed_job_there_is_no_pace(store: Store) -> None:
    tasks.update_jobs(store, [{"job_id": job_id, "state": "new"} for job_id in (1, 2, 3)])
    for row in metrics.annotator_pace(store).rows(named=True):
        assert (row["completed"], row["clips_per_day"], row["median_h"]) == (0, None, None)


def test_what_waits_on_annotators(store: Store) -> None:
    assert metrics.waiting(store, hours(10)).rows() == [("north", "mia", 1, 8.0), ("north", "tom", 1, 8.0)]
    tasks.update_jobs(store, [{"job_id": 4, "created_at": None}])
    assert metrics.waiting(store, hours(10)).rows()[1] == ("north", "tom", 1, None)


def test_what_waits_on_the_people_of_the_platform(store: Store) -> None:
    assert metrics.waiting_here(store, {}, hours(40)).rows() == [("north", 1, 10.0, None, None)]
    complete(store, 4, hours(31))
    decisions.approve(store, "north", ["c1", "c2"], "rita")
    with store.session() as session:
        session.execute(update(Decision).where(Decision.subject == "c2").values(decided_at=hours(33)))
    assert metrics.waiting_here(store, {"north": frozenset({"c1"})}, hours(40)).rows() == [
        ("north", None, None, 1, 7.0)
    ]
    assert metrics.waiting_here(store, {"north": frozenset({"c1", "c2"})}, hours(40)).is_empty()


def test_a_clip_that_was_taken_back_waits_for_a_review_again(store: Store) -> None:
    decisions.approve(store, "north", ["c1"], "rita")
    decisions.reopen(store, "north", ["c1"], "rita")
    row = metrics.waiting_here(store, {}, hours(40)).row(0, named=True)
    assert (row["to_review"], row["to_release"]) == (1, None)


def test_a_new_platform_has_empty_tables(tmp_path: Path, storage: Storage) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'new.db'}")
    for table, schema in (
        (metrics.batch_times(store, storage), metrics.BATCH_TIMES),
        (metrics.clips_by_day(store), metrics.CLIPS_BY_DAY),
        (metrics.job_times(store), metrics.JOB_TIMES),
        (metrics.annotator_pace(store), metrics.PACE),
        (metrics.waiting(store), metrics.WAITING),
        (metrics.waiting_here(store, {}), metrics.WAITING_HERE),
    ):
        assert table.schema == pl.Schema(schema)
        assert table.is_empty()
    store.close()
