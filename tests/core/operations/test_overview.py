"""Counts of batches along the stages, from files, database and releases."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

from ava_core import decisions
from ava_core.base.settings import load_settings
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext
from ava_core.operations import overview
from ava_core.operations.overview import STAGES, Overview, batch_counts
from ava_core.store import Store, batches, open_store, tasks
from ava_core.store.tables import Job, Task

CLIPS = ("c1", "c2", "c3")


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path / "storage")


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Batches `north` and `south`, just added."""
    sqlite = f"sqlite:///{tmp_path / 'ava.db'}"
    store = open_store(sqlite if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    for name in ("north", "south"):
        batches.add(store, name, f"/in/{name}.zip", {})
    return store


def write(storage: Storage, batch: str, asset: str, table: str = "", **columns: list[object]) -> None:
    storage.write_table(storage.table_path(batch, asset, table), pl.DataFrame(columns))


def write_files(storage: Storage, batch: str = "north") -> None:
    """Two good videos of three, three clips with four tracks, two clips with a defined agreement."""
    write(storage, batch, "source_videos", status=["ok", "ok", "quarantined"])
    write(storage, batch, "clips", clip_id=list(CLIPS))
    write(storage, batch, "tracks", clip_id=["c1", "c1", "c1", "c2", "c2", "c3"], track_id=[1, 1, 2, 1, 1, 1])
    write(storage, batch, "agreement", "clips", clip_id=list(CLIPS), pooled_alpha=[0.5, None, -0.1])


def deal(store: Store, batch: str = "north") -> None:
    """A task for each clip with jobs of mia and tom: both have completed c1, mia alone c2."""
    tasks.put_project(store, 1, "ava")
    done = {("c1", "mia"), ("c1", "tom"), ("c2", "mia"), ("c3", "")}
    for number, clip in enumerate(CLIPS, start=1):
        own = [
            Job(job_id=number * 10 + n, task_id=number, batch=batch, clip_id=clip, job_type="consensus_replica",
                annotator=name, state="completed" if (clip, name) in done else "in progress", frames=30)
            for n, name in enumerate(("", "mia", "tom"))
        ]  # fmt: skip
        tasks.put_task(store, Task(task_id=number, project_id=1, name=clip, batch=batch, clip_id=clip), own)


def release(storage: Storage, name: str, clips: dict[str, str], *, finished: bool = True) -> None:
    """A release of clips, each with its batch."""
    folder = storage.path("releases", name)
    table = pl.DataFrame({"video_id": list(clips), "batch": list(clips.values()), "rows": [1] * len(clips)})
    storage.write_table(folder / "manifest.parquet", table)
    if finished:
        storage.write_bytes(folder / "release.json", b"{}")


def test_a_batch_that_was_just_added_has_been_through_no_stage(storage: Storage, store: Store) -> None:
    assert Overview(storage, store).counts() == {name: dict.fromkeys(STAGES) for name in ("north", "south")}


def test_every_stage_counts_what_it_says(storage: Storage, store: Store) -> None:
    write_files(storage)
    deal(store)
    decisions.approve(store, "north", ["c1", "c2"], "rita")
    release(storage, "v1", {"c1": "north"})
    counted = Overview(storage, store).counts()
    assert counted["north"] == {
        "videos": 2, "clips": 3, "tracks": 4, "tasks": 3, "jobs done": 3, "annotated": 1, "agreed": 2,
        "approved": 2, "released": 1,
    }  # fmt: skip
    assert counted["south"] == dict.fromkeys(STAGES), "each batch counts its own"
    assert (
        batch_counts(BatchContext("north", load_settings(), storage=storage, store=store)) == counted["north"]
    )


def test_a_clip_with_an_annotator_more_is_one_clip_and_annotated_once_that_one_is_done(
    storage: Storage, store: Store
) -> None:
    deal(store)
    extra = Job(
        job_id=99, task_id=4, batch="north", clip_id="c1", job_type="annotation", annotator="zoe", frames=30
    )
    tasks.put_task(store, Task(task_id=4, project_id=1, name="c1+zoe", batch="north", clip_id="c1"), [extra])
    found = batch_counts(BatchContext("north", load_settings(), storage=storage, store=store))
    assert (found["tasks"], found["annotated"]) == (3, 0)
    tasks.update_jobs(store, [{"job_id": 99, "state": "completed"}])
    assert (
        batch_counts(BatchContext("north", load_settings(), storage=storage, store=store))["annotated"] == 1
    )


def test_a_clip_in_several_releases_counts_once(storage: Storage, store: Store) -> None:
    release(storage, "v1", {"c1": "north"})
    release(storage, "v2", {"c1": "north", "c2": "north", "s1": "south"})
    release(storage, "half", {"c3": "north"}, finished=False)
    found = Overview(storage, store).counts()
    assert (found["north"]["released"], found["south"]["released"]) == (2, 1)


def test_a_release_is_read_once_and_again_where_it_is_another_one(storage: Storage, store: Store) -> None:
    release(storage, "v1", {"c1": "north"})
    seen = Overview(storage, store)
    assert seen.counts()["north"]["released"] == 1
    folder = storage.path("releases", "v1")
    storage.write_table(
        folder / "manifest.parquet", pl.DataFrame({"video_id": ["x", "y"], "batch": ["north"] * 2})
    )
    assert seen.counts()["north"]["released"] == 1, "releases never change"
    os.utime(storage.local(folder / "release.json"), (1, 1))
    assert seen.counts()["north"]["released"] == 2
    (folder / "release.json").unlink()
    assert seen.counts()["north"]["released"] is None


def test_files_are_counted_again_only_where_they_changed(
    storage: Storage, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(storage)
    seen, scanned = Overview(storage, store), []
    real = pl.scan_parquet

    def scan(path: Path, **options: object) -> pl.LazyFrame:
        scanned.append(path.stem)
        return real(path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(overview.pl, "scan_parquet", scan)
    assert [seen.counts()["north"]["clips"] for _ in range(2)] == [3, 3]
    assert sorted(scanned) == ["clips", "clips", "source_videos", "tracks"]
    scanned.clear()
    write(storage, "north", "clips", clip_id=["c1"])
    os.utime(storage.local(storage.table_path("north", "clips")), (1, 1))
    assert seen.counts()["north"]["clips"] == 1
    assert scanned == ["clips"]


def test_files_that_are_not_on_this_machine_are_counted_too(store: Store, tmp_path: Path) -> None:
    distant = Storage(f"memory://{tmp_path.name}")
    write_files(distant)
    release(distant, "v1", {"c1": "north"})
    found = Overview(distant, store).counts()["north"]
    assert (found["videos"], found["tracks"], found["agreed"], found["released"]) == (2, 4, 2, 1)


@pytest.mark.parametrize("number", [2, 20])
def test_the_database_is_asked_as_often_for_many_batches_as_for_few(
    storage: Storage, store: Store, number: int
) -> None:
    import sqlalchemy as sa

    for n in range(number):
        batches.add(store, f"b{n}", "/in/x.zip", {})
    asked: list[str] = []
    sa.event.listen(store.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    Overview(storage, store).counts()
    assert len([text for text in asked if text.startswith("SELECT")]) == 3
