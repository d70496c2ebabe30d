"""Annotators' work that was done elsewhere: measured and brought to a consensus as if it had been done here."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ava_core.base.schemas import (
    CLIP_FPS,
    CLIPS,
    COMPLETED_JOBS,
    DISPUTED,
    PROPOSALS,
    RAW_BOXES,
    RAW_LABELS,
    conform,
    empty,
)
from ava_core.dataset.export.splits import assign_splits
from ava_core.dataset.formats.ava.rows import annotation_rows
from ava_core.dataset.formats.dataset import Dataset
from ava_core.dataset.formats.repairs import Repair
from ava_core.dataset.importing.imported import Imported
from ava_core.ontology import Ontology
from ava_core.quality.agreement.measure import measure_agreement
from ava_core.quality.consensus.form import form_consensus


def clip_row(clip_id: str, frames: int, width: int, height: int) -> dict[str, object]:
    """A row of `schemas.CLIPS` for a clip that was cut elsewhere; bars that it may have are not known."""
    return {
        "clip_id": clip_id, "source_id": clip_id, "batch": "", "index": 0, "start_s": 0.0,
        "duration_s": frames / CLIP_FPS, "frames": frames, "width": width, "height": height, "scale_x": 1.0,
        "scale_y": 1.0, "pad_x": 0, "pad_y": 0, "content_width": width, "content_height": height, "path": "",
        "sha256": "",
    }  # fmt: skip


def settle(
    title: str,
    clips: Sequence[dict[str, object]],
    boxes: pl.DataFrame,
    labels: pl.DataFrame,
    ontology: Ontology,
    repairs: Sequence[Repair],
    *,
    unusable: pl.DataFrame | None = None,
    seed: int = 0,
) -> Imported:
    """The dataset on which the annotators agree, with what they said and how far they agreed.

    `boxes`, `labels`: `schemas.RAW_BOXES` and `RAW_LABELS` without the job's columns, which are numbered here.
    `unusable`: `schemas.DISPUTED`, seconds that are left out whatever was said.
    Splits are assigned clip by clip: nobody knows which clips come from one video.
    """
    done = boxes.select("clip_id", "annotator").unique().sort("clip_id", "annotator")
    jobs = done.with_columns(job_id=pl.int_range(1, pl.len() + 1, dtype=pl.Int64), version=1)
    at = ["clip_id", "annotator"]
    work = {
        "raw_boxes": conform(boxes.join(jobs, on=at), RAW_BOXES, "boxes"),
        "raw_labels": conform(labels.join(jobs, on=at), RAW_LABELS, "labels"),
        "completed_jobs": conform(jobs, COMPLETED_JOBS, "jobs"),
    }
    table = pl.DataFrame(list(clips), schema=dict(CLIPS))
    consensus = form_consensus(
        work["raw_boxes"], work["raw_labels"], work["completed_jobs"], ontology,
        approved=table["clip_id"].to_list(),
    )  # fmt: skip
    unusable = empty(DISPUTED) if unusable is None else unusable
    disputed = pl.concat([consensus["disputed"], unusable])
    disputed = disputed.unique(["clip_id", "second"], keep="last").sort("clip_id", "second")
    rows = annotation_rows(consensus["consensus_boxes"], consensus["consensus_labels"], table, disputed)
    counts = rows.group_by("action_id", source_id="video_id").agg(rows=pl.len())
    dataset = Dataset(
        title=title,
        rows=rows,
        clips=table,
        proposals=empty(PROPOSALS),
        disputed=disputed,
        split_of=assign_splits(counts, seed=seed),
        ontology=ontology,
    )
    measured = measure_agreement(
        work["raw_boxes"], work["raw_labels"], work["completed_jobs"], ontology, seed=seed
    )
    return Imported(dataset, repairs, work=work, agreement=measured, unusable=unusable)
