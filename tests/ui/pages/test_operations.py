"""The metrics page: what it shows, and where its numbers lead. And tables of the pages beside it, on both systems."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from nicegui import ui
from nicegui.testing import User
from sqlalchemy import delete

from ava_core.base.settings import load_settings
from ava_core.store import batches, readings, tasks
from ava_core.store.tables import AuditLogEntry, Job, Task
from ava_ui.known.console import Console
from ava_ui.known.review_queue import queue
from ava_ui.pages.annotation import progress
from ava_ui.pages.operations import metrics
from tests.support.home import Home
from tests.support.site import Site, opened
from tests.support.street import BATCH, PASSWORD
from tests.support.waiting import eventually

TWO_HOURS = {
    "started_at": datetime(2026, 1, 5, 8, tzinfo=UTC), "completed_at": datetime(2026, 1, 5, 10, tzinfo=UTC),
}  # fmt: skip


@pytest.fixture(params=["sqlite", "postgresql"])
def console(request: pytest.FixtureRequest, tmp_path: Path) -> Console:
    """A clip with two jobs, one of them done and read."""
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
    readings.append(
        console.store, job_id=1, task_id=1, annotator="mia", server_updated_at="", content_hash="x", shapes=[]
    )  # fmt: skip
    return console


async def test_all_figures_are_gathered_at_once(console: Console) -> None:
    tasks.update_jobs(console.store, [{"job_id": 1, **TWO_HOURS}])
    found = await metrics.figures(console)
    assert found.batches["first_read"].null_count() == 0
    assert found.by_day.rows() == [("mia", "2026-01-05", 1)]
    assert found.pace.select("annotator", "timed", "median_h").row(0) == ("mia", 1, pytest.approx(2))
    assert found.waiting.select("batch", "annotator", "open_jobs").rows() == [("b", "tom", 1)]
    assert found.waiting_here.is_empty()


def begin_and_complete(site: Site) -> list[Job]:
    """All jobs of the planted batch took two hours."""
    jobs = tasks.jobs_of(site.console.store, BATCH)
    tasks.update_jobs(site.console.store, [{"job_id": job.job_id, **TWO_HOURS} for job in jobs])
    return jobs


def tables_with(visitor: User, column: str) -> list[ui.table]:
    """The tables that have a column."""
    found = [table for table in visitor.find(ui.table).elements if isinstance(table, ui.table)]
    return [table for table in found if column in {one["name"] for one in table.columns}]


def first_row(visitor: User, column: str) -> dict[str, Any]:
    """The first row of the table that has a column."""
    [table] = tables_with(visitor, column)
    row: dict[str, Any] = table.rows[0]
    return row


async def test_the_page_shows_times_pace_and_who_waits(site: Site) -> None:
    jobs = begin_and_complete(site)
    tasks.update_jobs(site.console.store, [{"job_id": jobs[0].job_id, "state": "in progress"}])
    vera = site.enter("vera")
    await vera.open("/metrics")
    await vera.should_see("Elapsed time is not working time", retries=20)
    for text in ("Makespan", "Hours elapsed per job", "Open work", "Waiting on reviewers and admins"):
        await vera.should_see(text)
    assert first_row(vera, "makespan")["makespan"] == "–", "a job is open"
    assert first_row(vera, "median_h")["median_h"] == "2"
    assert (
        first_row(vera, "open_jobs")["href open_jobs"]
        == f"/progress?batch={BATCH}&annotator={jobs[0].annotator}"
    )
    assert first_row(vera, "to_review")["href to_review"] == f"/quality?batch={BATCH}&status=pending"


async def test_a_batch_of_which_moments_were_not_noted_is_named(site: Site) -> None:
    vera = site.enter("vera")
    await vera.open("/metrics")
    await vera.should_see("Makespan", retries=20)
    await vera.should_not_see(marker="unknown", retries=1)
    with site.console.store.session() as session:
        session.execute(delete(AuditLogEntry))
    await vera.open("/metrics")
    await vera.should_see(f"processed before these times were recorded: {BATCH}", retries=20)


async def test_every_job_is_listed_when_somebody_asks(site: Site) -> None:
    jobs = begin_and_complete(site)
    pages = {f"/work/{job.job_id}" for job in jobs}
    vera = site.enter("vera")
    await vera.open("/metrics")
    await vera.should_see(marker="every-job", retries=20)
    assert not tables_with(vera, "job_id")
    (every,) = vera.find(marker="every-job").elements
    every.set_value(True)  # type: ignore[attr-defined]
    await eventually(lambda: tables_with(vera, "job_id"))
    assert any(first_row(vera, "job_id")["href job_id"].endswith(page) for page in pages)
    await vera.open("/metrics?job_times.page=1")
    await vera.should_see(marker="every-job", retries=20)
    await eventually(lambda: tables_with(vera, "job_id"))
    assert first_row(vera, "job_id")["elapsed_h"] == "2"


async def test_charts_say_in_words_what_they_show(site: Site) -> None:
    begin_and_complete(site)
    vera = site.enter("vera")
    await vera.open("/metrics")
    await vera.should_see("Open work", retries=20)
    charts = list(vera.find(ui.echart).elements)
    assert {chart.props["role"] for chart in charts} == {"img"}
    words = " | ".join(chart.props["aria-label"] for chart in charts)
    for said in ("Chart in hours: videos added: street", "Chart in clips", "medians: "):
        assert said in words


async def test_without_completed_work_the_page_says_so(site: Site) -> None:
    vera = site.enter("vera")
    await vera.open("/metrics")
    await vera.should_see("No completed job has a known start yet.", retries=20)
    await vera.should_see("No job has been completed yet.")


def test_a_clip_comes_to_the_queue_with_its_first_completed_job(console: Console) -> None:
    row = queue(console).row(0, named=True)
    assert (row["clip_id"], row["completed"], row["jobs"], row["status"]) == ("c", 1, 2, "pending")
    assert row["pooled_alpha"] is None
    tasks.update_jobs(console.store, [{"job_id": 1, "state": "in progress"}])
    assert queue(console, "b").is_empty()


def test_jobs_are_narrowed_by_the_address(console: Console) -> None:
    jobs = console.jobs.table()
    assert progress.narrowed(jobs, {"state": "completed", "other": "x"})["annotator"].to_list() == ["mia"]
    assert progress.narrowed(jobs, {"annotator": "tom", "batch": "b"})["job_id"].to_list() == [2]
    assert progress.narrowed(jobs, {"annotator": ""}).height == 2


async def test_the_overview_says_what_waits_and_leads_there(site: Site) -> None:
    vera = site.enter("vera")
    await vera.open("/")
    await vera.should_see("4 clips to review", retries=50)
    (link,) = vera.find("4 clips to review").elements
    assert link.props["href"] == "/quality?batch=street&status=pending"


@pytest.fixture
async def empty_site(tmp_path: Path) -> AsyncIterator[Site]:
    """A console on its first day: an admin, and nothing else."""
    home = Home(tmp_path / "empty", ontology="street")
    home.add_users({"adam": "admin"}, PASSWORD)
    home.close()
    async with opened(home.settings) as site:
        yield site


async def test_an_empty_platform_shows_the_first_steps(empty_site: Site) -> None:
    adam = empty_site.enter("adam")
    await adam.open("/")
    await adam.should_see("No batches yet.", retries=50)
    await adam.should_see("1. Add annotators")
    await adam.should_see("5. Make a release")
