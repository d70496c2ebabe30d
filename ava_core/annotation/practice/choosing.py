"""Choosing a clip to practise on, with what is right in it: the approved consensus, or one annotator's answers."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import polars as pl

from ava_core.base.errors import InputError
from ava_core.base.schemas import BOX_COLUMNS
from ava_core.batch import BatchContext
from ava_core.decisions import decision_state
from ava_core.store import practice, tasks
from ava_core.store.tables import CONSENSUS, PracticeClip

Truth = list[list[Any]]
"""`[second, person, [x1, y1, x2, y2], {group: [action id, …]}]`, as `PracticeClip.truth` keeps it."""


def choose_practice(at: BatchContext, clip_id: str, measure: str, actor: str) -> None:
    """Take a clip into the practice set as it is now. `measure`: `CONSENSUS`, or the annotator who is right.

    Of the consensus, a multi group counts at seconds at which it holds an action: it does not tell "none of these"
    from "undecided". Raises `InputError` where the clip is not approved or the annotator has not completed it.
    """
    truth = _consensus(at, clip_id) if measure == CONSENSUS else _answers(at, clip_id, measure)
    if not truth:
        raise InputError(f"Clip {clip_id} shows no people.", "Choose a clip with people in it.")
    jobs = [job for job in tasks.jobs_of(at.store, at.batch, clip_id) if job.of_annotator]
    if not jobs:
        raise InputError(
            f"Batch {at.batch} has no job of clip {clip_id}.", "Choose a clip that has been assigned."
        )
    drawn = tasks.predrawn(at.store, [jobs[0].job_id])[jobs[0].job_id]
    practice.put(
        at.store,
        PracticeClip(
            batch=at.batch, clip_id=clip_id, measure=measure, frames=jobs[0].frames, predrawn=drawn,
            truth=truth, chosen_by=actor,
        ),
    )  # fmt: skip


def _consensus(at: BatchContext, clip_id: str) -> Truth:
    approved = clip_id in decision_state(at.store, at.batch).approved
    if not approved or not _has(at, "consensus_labels", "consensus_boxes"):
        raise InputError(
            f"Clip {clip_id} has no approved consensus.",
            "Approve it first, or choose an annotator's answers.",
        )
    mine = pl.col("clip_id") == clip_id
    boxes = at.table("consensus_labels", "consensus_boxes").filter(mine)
    labels = at.table("consensus_labels", "consensus_labels").filter(mine)
    said = labels.group_by("second", "person_id", "group").agg(action_ids=pl.col("action_id").sort())
    return _truth(boxes.rename({"person_id": "person"}), said.rename({"person_id": "person"}))


def _has(at: BatchContext, asset: str, table: str) -> bool:
    return bool(at.storage.table_path(at.batch, asset, table).exists())


def _answers(at: BatchContext, clip_id: str, name: str) -> Truth:
    mine = (pl.col("clip_id") == clip_id) & (pl.col("annotator") == name)
    tables = [
        (at.table("raw_annotations", boxes).filter(mine), at.table("raw_annotations", labels).filter(mine))
        for boxes, labels in (("raw_boxes", "raw_labels"), ("expert_boxes", "expert_labels"))
        if _has(at, "raw_annotations", boxes)
    ]
    for boxes, labels in tables:
        if boxes.height:
            keys = {key: n for n, key in enumerate(boxes["track_key"].unique().sort(), start=1)}
            numbered = pl.col("track_key").replace_strict(keys, return_dtype=pl.Int32).alias("person")
            return _truth(boxes.with_columns(numbered), labels.with_columns(numbered))
    raise InputError(
        f"{name!r} has not completed clip {clip_id}.", "Its review lists the annotators who have."
    )


def _truth(boxes: pl.DataFrame, said: pl.DataFrame) -> Truth:
    """The rows by second and person, of tables with `person`, `second`, the box; `group` and `action_ids`."""
    answers: defaultdict[tuple[int, int], dict[str, list[int]]] = defaultdict(dict)
    for second, person, group, ids in said.select("second", "person", "group", "action_ids").iter_rows():
        answers[second, person][group] = sorted(ids)
    rows = boxes.select("second", "person", *BOX_COLUMNS).sort("second", "person").iter_rows()
    return [[second, person, box, answers.get((second, person), {})] for second, person, *box in rows]
