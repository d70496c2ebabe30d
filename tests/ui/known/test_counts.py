"""Counts follow what happens."""

from __future__ import annotations

from ava_core import decisions
from ava_core.base.settings import Settings
from ava_core.operations.overview import STAGES
from ava_core.store import batches, tasks
from ava_ui.known.console import Console
from ava_ui.pages.operations import overview
from tests.support.street import BATCH, CLIPS_PLANTED


def test_counts_follow_decisions_and_jobs(settings: Settings) -> None:
    console = Console.open(settings)
    [row] = console.counts.refresh()
    assert (row.batch, tuple(row.counts)) == (BATCH, STAGES)
    assert [row.counts[stage] for stage in ("clips", "annotated", "agreed", "approved", "released")] == [
        CLIPS_PLANTED, CLIPS_PLANTED, CLIPS_PLANTED, None, None,
    ]  # fmt: skip
    decisions.approve(console.store, BATCH, ["clip_0000"], "rita")
    job = tasks.jobs_of(console.store, BATCH)[0]
    tasks.update_jobs(console.store, [{"job_id": job.job_id, "state": "rejected"}])
    counts = console.counts.refresh()[0].counts
    assert (counts["approved"], counts["annotated"]) == (1, CLIPS_PLANTED - 1)
    assert console.counts.rows[0].counts == counts


def test_a_batch_that_was_just_added_is_there_without_counts(settings: Settings) -> None:
    console = Console.open(settings)
    batches.add(console.store, "new", "/in/new.zip", {})
    row = console.counts.refresh()[-1]
    assert (row.batch, set(row.counts.values())) == ("new", {None})
    table = overview.frame(console.counts.rows)
    assert table.row(-1, named=True)["released"] is None


def test_every_stage_leads_to_what_it_counts() -> None:
    assert set(overview.links("b")) == {"batch", *STAGES}
    assert set(overview.FUNNEL) <= set(STAGES)
