"""Figures of time and of waiting, from what the database holds; on both systems."""

from __future__ import annotations

from pathlib import Path

import pytest

from ava_core.settings import load_settings
from ava_core.store import batches, readings, tasks
from ava_core.store.tables import Job, Task
from ava_ui.console import Console
from ava_ui.pages import metrics, progress, quality


@pytest.fixture(params=["sqlite", "postgresql"])
def console(request: pytest.FixtureRequest, tmp_path: Path) -> Console:
    """A clip with two jobs, one of them done and read twice."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    console = Console.open(load_settings(home=tmp_path, database_url=url))
    batches.add(console.store, "b", "/in/b.zip", {})
    tasks.put_project(console.store, 1, "ava")
    states = {1: ("mia", "completed"), 2: ("tom", "in progress")}
    jobs = [
        Job(job_id=n, task_id=1, batch="b", clip_id="c", job_type="consensus_replica", annotator=name, state=state,
            stage="annotation", frames=30, server_updated_at="2026-01-05T10:00:00Z")
        for n, (name, state) in states.items()
    ]  # fmt: skip
    tasks.put_task(console.store, Task(task_id=1, project_id=1, name="c", batch="b", clip_id="c"), jobs)
    for content in ("first", "second"):
        readings.append(
            console.store, job_id=1, task_id=1, annotator="mia", server_updated_at="", content_hash=content, shapes=[]
        )  # fmt: skip
    return console


def test_a_job_that_is_read_twice_counts_once(console: Console) -> None:
    assert metrics.clips_by_day(console).select("annotator", "clips").rows() == [("mia", 1)]


def test_what_a_batch_waits_for(console: Console) -> None:
    assert metrics.waiting(console).rows() == [("b", "tom", 1)]


def test_times_are_undefined_until_they_happened(console: Console) -> None:
    row = metrics.batch_times(console).row(0, named=True)
    assert (row["clips cut"], row["tasks ready"]) == (None, None)
    assert row["first work read"] is not None


def test_a_clip_comes_to_the_queue_with_its_first_completed_job(console: Console) -> None:
    row = quality.queue(console).row(0, named=True)
    assert (row["clip_id"], row["completed"], row["jobs"], row["status"]) == ("c", 1, 2, "pending")
    assert row["pooled_alpha"] is None
    tasks.update_jobs(console.store, [{"job_id": 1, "state": "in progress"}])
    assert quality.queue(console, "b").is_empty()


def test_jobs_are_narrowed_by_the_address(console: Console) -> None:
    jobs = progress.jobs_table(console)
    assert progress.narrowed(jobs, {"state": "completed", "other": "x"})["annotator"].to_list() == ["mia"]
    assert progress.narrowed(jobs, {"annotator": "tom", "batch": "b"})["job_id"].to_list() == [2]
    assert progress.narrowed(jobs, {"annotator": ""}).height == 2
