"""Completed clips and their status of review, and what a bulk approval of them would do."""

from __future__ import annotations

import polars as pl

from ava_core import decisions
from ava_core.base.schemas import AGREEMENT_BY_CLIP, GRAVE, RULE_FINDINGS
from ava_core.quality.review.bulk import Thresholds, plan_over_batches
from ava_core.quality.review.queue import review_queue
from ava_core.store import batches
from ava_ui.known.console import Console


def queue(console: Console, batch: str = "") -> pl.DataFrame:
    """`quality.review.queue.REVIEW_QUEUE` of one batch, or of all that are not in the archive."""
    names = batches.listed(console.store, batch)
    found = review_queue(
        console.store, clips_agreement(console, names), grave_findings(console, names), batch
    )
    return found.filter(pl.col("batch").is_in(names))


def bulk_plan(
    console: Console, chosen: str, thresholds: Thresholds
) -> tuple[dict[str, list[str]], pl.DataFrame]:
    """`bulk.plan_over_batches` of one batch, or of all that are not in the archive.

    Clips that pass, by batch; the others with the reason.
    """
    names = batches.listed(console.store, chosen)
    clips, findings = clips_agreement(console, names), grave_findings(console, names)
    return plan_over_batches(clips, findings, console.decisions.all(), thresholds)


def shown_readings(console: Console, batch: str) -> dict[str, frozenset[str]]:
    """Names of the readings that pages about a batch show, by clip; an approval of them holds for no other ones."""
    completed = console.tables.table(batch, "raw_annotations", "completed_jobs")
    return decisions.readings_in(completed) if completed is not None else {}


def clips_agreement(console: Console, names: list[str]) -> pl.DataFrame:
    """`schemas.AGREEMENT_BY_CLIP` and `batch` of these batches."""
    return console.tables.of_all(names, "agreement", "clips", AGREEMENT_BY_CLIP)


def grave_findings(console: Console, names: list[str]) -> pl.DataFrame:
    """`schemas.RULE_FINDINGS` and `batch` of these batches: breaches of rules that block."""
    return console.tables.of_all(names, "raw_annotations", "rule_findings", RULE_FINDINGS, GRAVE)
