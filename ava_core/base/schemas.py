"""The columns of every table that passes from one asset to the next.

Frames are 0-based and count at 30 fps from the start of the clip. Boxes are `(x1, y1, x2, y2)` in pixels of
the clip's picture, x to the right, y down, `x2 > x1`, `y2 > y1`; only a release writes them as shares of the picture
without letterbox bars. `second` counts whole seconds from the clip's start; the AVA timestamp of second t is `900 + t`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import polars as pl

from ava_core.base.errors import InputError

Schema = Mapping[str, pl.DataType | type[pl.DataType]]

CLIP_FPS: Final = 30
"""Frames a second of every clip; readers of AVA datasets assume it."""

AVA_TIMESTAMP_OFFSET: Final = 900
"""AVA timestamps count from 900: the dataset's first films were annotated from minute 15."""

BOX_COLUMNS: Final = ("x1", "y1", "x2", "y2")

PLACE: Final = ("clip_id", "second", "person_id")
"""Columns that name a person at a keyframe, wherever annotators' tracks have become persons."""

_BOX: Final[Schema] = dict.fromkeys(BOX_COLUMNS, pl.Float64)

SourceStatus = Literal["ok", "quarantined", "duplicate"]

USABLE: Final = pl.col("status") == "ok"
"""Source videos that clips are cut from."""

SOURCE_VIDEOS: Final[Schema] = {
    "source_id": pl.String,  # unique over all batches; letters, digits, '_', '-'
    "batch": pl.String,
    "original_name": pl.String,  # path inside the zip or folder
    "path": pl.String,  # relative to the storage root; "" where quarantined
    "sha256": pl.String,
    "size_bytes": pl.Int64,
    "container": pl.String,
    "codec": pl.String,
    "pixel_format": pl.String,
    "width": pl.Int32,  # as shown: upright, square pixels
    "height": pl.Int32,
    "rotation": pl.Int32,  # degrees clockwise
    "mirrored": pl.Boolean,  # left to right, before rotation
    "pixel_aspect": pl.Float64,  # width over height of a stored pixel
    "interlaced": pl.Boolean,
    "fps": pl.Float64,  # average
    "variable_rate": pl.Boolean,
    "duration_s": pl.Float64,
    "frames": pl.Int64,  # pictures that the file holds
    "status": pl.String,  # SourceStatus
    "reason": pl.String,  # "" where ok
}

ADDED_TO_SOURCE_VIDEOS: Final[Schema] = {
    name: SOURCE_VIDEOS[name] for name in ("mirrored", "pixel_aspect", "interlaced", "frames")
}
"""Columns that tables of older versions lack; they read as null."""

CLIPS: Final[Schema] = {
    "clip_id": pl.String,  # <source_id>_<index %03d>; unique over all batches
    "source_id": pl.String,
    "batch": pl.String,
    "index": pl.Int32,
    "start_s": pl.Float64,  # in the source video
    "duration_s": pl.Float64,
    "frames": pl.Int32,
    "width": pl.Int32,
    "height": pl.Int32,
    # source pixel → clip pixel: x * scale_x + pad_x; without bars: content_width × content_height
    "scale_x": pl.Float64,
    "scale_y": pl.Float64,
    "pad_x": pl.Int32,
    "pad_y": pl.Int32,
    "content_width": pl.Int32,
    "content_height": pl.Int32,
    "path": pl.String,  # relative to the storage root
    "sha256": pl.String,
}

HAS_VIDEO: Final = pl.col("path") != ""
"""Clips whose video is at hand: those of a dataset that was imported without any have none."""

CUTS: Final[Schema] = {  # the result of cutting each usable source video
    "source_id": pl.String,
    "original_name": pl.String,
    "duration_s": pl.Float64,
    "frames": pl.Int64,  # pictures that the file holds
    "decoded": pl.Int64,  # of these, the ones that the decoder delivered
    "damaged": pl.Int64,  # left out: damaged, or dependent on damaged frames
    "used": pl.Int64,  # shown in clips
    "clips": pl.Int64,
    "copied": pl.Int64,  # clips that hold the source's own frames, not encoded again
    "clip_seconds": pl.Float64,
    "status": pl.String,  # ok | quarantined
    "reason": pl.String,  # "" where ok
}

SET_ASIDE: Final[Schema] = {  # clips that a step could not use; the others continue
    "clip_id": pl.String,
    "reason": pl.String,
}

DETECTIONS: Final[Schema] = {
    "clip_id": pl.String,
    "frame": pl.Int32,
    **_BOX,
    "score": pl.Float64,
}

TRACKS: Final[Schema] = {
    "clip_id": pl.String,
    "frame": pl.Int32,
    "track_id": pl.Int32,  # 1-based, unique in the clip
    **_BOX,
    "score": pl.Float64,
    "interpolated": pl.Boolean,
}

PROPOSALS: Final[Schema] = {
    "clip_id": pl.String,
    "second": pl.Int32,
    "track_id": pl.Int32,
    **_BOX,
    "score": pl.Float64,
    "interpolated": pl.Boolean,
}

CVAT_JOBS: Final[Schema] = {
    "batch": pl.String,
    "clip_id": pl.String,
    "project_id": pl.Int64,
    "task_id": pl.Int64,
    "job_id": pl.Int64,
    "job_type": pl.String,  # annotation | consensus_replica
    "annotator": pl.String,  # "" for the parent job of a replicated clip
    "frames": pl.Int32,
}

RAW_BOXES: Final[Schema] = {
    "clip_id": pl.String,
    "annotator": pl.String,
    "job_id": pl.Int64,
    "version": pl.Int32,  # of this job's reading, from 1
    "track_key": pl.String,  # unique within (clip, annotator, version); CVAT's own numbers do not survive
    "seed_track_id": pl.Int32,  # the pre-drawn track it descends from; null if the annotator added it
    "second": pl.Int32,
    **_BOX,
    "edited": pl.Boolean,  # the box differs from the pre-drawn one at this keyframe, or there was none
    "flags": pl.List(pl.String),  # degenerate_box | outside_picture | invalid_value:<attribute> | …
}

RAW_LABELS: Final[Schema] = {
    "clip_id": pl.String,
    "annotator": pl.String,
    "job_id": pl.Int64,
    "version": pl.Int32,
    "track_key": pl.String,
    "second": pl.Int32,
    "group": pl.String,  # of the ontology; groups left unset have no row: a missing rating, not a "no"
    "action_ids": pl.List(pl.Int32),  # [] = rated, none of the group's actions
}

COMPLETED_JOBS: Final[Schema] = {  # completed jobs, also empty ones; skipped jobs are missing
    "clip_id": pl.String,
    "annotator": pl.String,
    "job_id": pl.Int64,
    "version": pl.Int32,
}

HELD_ANSWERS: Final[Schema] = {  # answers given earlier in the track, which hold over a keyframe's `unset`
    "clip_id": pl.String,
    "annotator": pl.String,
    "job_id": pl.Int64,
    "version": pl.Int32,
    "track_key": pl.String,
    "second": pl.Int32,
    "group": pl.String,
}

ANSWERED: Final[Schema] = {  # the share of an annotator's boxes with an answer, by job and group
    "clip_id": pl.String,
    "annotator": pl.String,
    "job_id": pl.Int64,
    "group": pl.String,
    "living": pl.Int64,  # person-seconds: people at whole seconds at which they are seen
    "answered": pl.Int64,  # of these: the group was rated, or said to be unclear
}

JOB_FINDINGS: Final[Schema] = {  # problems with reading a job as it is, and their cures
    "kind": pl.String,  # JobFinding
    "clip_id": pl.String,
    "annotator": pl.String,
    "job_id": pl.Int64,
    "version": pl.Int32,  # the reading concerned; null if there is none
    "detail": pl.String,
    "cure": pl.String,
    "link": pl.String,  # opens the job in CVAT
}

JobFinding = Literal["unreadable", "held_back", "unknown_value"]
"""unreadable: an earlier version counts, if there is one; held_back: an earlier version counts until somebody takes
the new one up; unknown_value: the job is read, without answers that the ontology does not have."""

Severity = Literal["note", "flag", "block"]
"""note: how the work was read; flag: worth a second look; block: must be mended before the work is used."""

GRAVE: Final = pl.col("severity") == "block"
"""Breaches that must be mended."""

RULE_FINDINGS: Final[
    Schema
] = {  # breaches of `ava_core.annotation.rules`, one per rule and person at a keyframe
    "severity": pl.String,  # Severity
    "rule": pl.String,
    "clip_id": pl.String,
    "annotator": pl.String,
    "job_id": pl.Int64,
    "version": pl.Int32,
    "track_key": pl.String,
    "second": pl.Int32,
    "frame": pl.Int32,
    "detail": pl.String,  # the breach in words
    "say": pl.String,  # what the rule tells the annotator
    "link": pl.String,  # opens the frame in CVAT; "" for a job that is not known
}

BoxRule = Literal["quorum", "tie", "single", "adjudicated", "expert"]
"""How a box came about; tie: half of the voters see the person, disputed; adjudicated: the presence was."""

CONSENSUS_BOXES: Final[Schema] = {
    "clip_id": pl.String,
    "second": pl.Int32,
    "person_id": pl.Int32,  # 1-based, unique in the clip, < 1000
    **_BOX,
    "votes": pl.Int32,  # annotators whose box went in
    "voters": pl.Int32,  # trusted annotators of the clip
    "agreement_iou": pl.Float64,  # mean IoU of the boxes to the result; null for one voter
    "rule": pl.String,  # BoxRule
}

LabelRule = Literal["dawid_skene", "majority", "majority_tie", "single", "adjudicated", "expert"]
"""How a label came about; `majority` in what older versions formed."""

CONSENSUS_LABELS: Final[Schema] = {
    "clip_id": pl.String,
    "second": pl.Int32,
    "person_id": pl.Int32,
    "group": pl.String,
    "action_id": pl.Int32,
    "votes": pl.Int32,  # annotators who gave it, at this second or, if late, right after
    "voters": pl.Int32,  # annotators who rated this group of this person at this second
    "posterior": pl.Float64,  # chance that it holds; null if nothing is known about the only annotator
    "rule": pl.String,  # LabelRule
}

ADJUDICATIONS: Final[Schema] = {  # an expert's word on a group; `action_ids` replaces what annotators said
    "clip_id": pl.String,
    "second": pl.Int32,
    "person_id": pl.Int32,
    "group": pl.String,  # of the ontology, or "presence": whether there is a person at all
    "action_ids": pl.List(pl.Int32),  # for presence: [1] if the person is there, [] if not
}


PERSONS: Final[Schema] = {  # the person that each annotator's track shows
    "clip_id": pl.String,
    "annotator": pl.String,
    "track_key": pl.String,
    "person_id": pl.Int32,  # 1-based within the clip, by first second and place
}


def _with_interval(name: str) -> Schema:
    """A figure and its 95 % interval; null where it is undefined."""
    return dict.fromkeys((name, f"{name}_low", f"{name}_high"), pl.Float64)


AGREEMENT_OVERALL: Final[Schema] = {
    "statistic": pl.String,
    "value": pl.Float64,  # null where undefined, and `reason` says why
    "low": pl.Float64,
    "high": pl.Float64,
    "n": pl.Int64,  # units, boxes or answers behind the value
    "reason": pl.String,
}

AGREEMENT_BY_CLASS: Final[Schema] = {
    "action_id": pl.Int32,
    "name": pl.String,
    "group": pl.String,
    "alpha": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "positive_agreement": pl.Float64,  # of pairs in which one says yes, the share in which both do
    "positive_low": pl.Float64,
    "positive_high": pl.Float64,
    "positives": pl.Int64,  # yes-ratings
    "n": pl.Int64,  # ratings
    "minimum_alpha": pl.Float64,  # the ontology's floor; null if there is none
    "reason": pl.String,
}

AGREEMENT_BY_GROUP: Final[Schema] = {  # of an exclusive group, alpha is the multi-category one
    "group": pl.String,
    "kind": pl.String,
    "alpha": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "percent_agreement": pl.Float64,  # these three for exclusive groups only
    "fleiss_kappa": pl.Float64,
    "gwet_ac1": pl.Float64,
    "n": pl.Int64,  # persons and seconds that two or more rated
    "reason": pl.String,
}

CONFUSION: Final[Schema] = {  # of exclusive groups: ordered pairs of ratings of the same person and second
    "group": pl.String,
    "action_id": pl.Int32,
    "action_id_b": pl.Int32,
    "count": pl.Int64,
}

AGREEMENT_BY_PAIR: Final[Schema] = {
    "annotator": pl.String,
    "annotator_b": pl.String,
    "shared_clips": pl.Int64,
    "shared_boxes": pl.Int64,
    "shared_labels": pl.Int64,  # persons and seconds that both labelled
    "missed": pl.Int64,  # boxes that only one of them has
    **_with_interval("kappa"),  # Cohen's, pooled over classes
    **_with_interval("pooled_alpha"),
    **_with_interval("masi"),  # similarity of whole label sets, not corrected for chance
    **_with_interval("mean_iou"),
    **_with_interval("edited_iou"),  # of boxes that both edited
    **_with_interval("tube_iou"),
    **_with_interval("f1"),  # of boxes at IoU ≥ .5
    **_with_interval("share_tight"),  # boxes with IoU ≥ .75
    **_with_interval("idf1"),
    **_with_interval("temporal_iou"),  # seconds of each action of each person
    "bias_left": pl.Float64,  # b minus a, in shares of the box's size
    "bias_top": pl.Float64,
    "bias_right": pl.Float64,
    "bias_bottom": pl.Float64,
    "reason": pl.String,
}

AGREEMENT_BY_CLIP: Final[Schema] = {
    "clip_id": pl.String,
    "annotators": pl.Int64,
    "people": pl.Int64,  # people drawn by at least one annotator
    "pooled_alpha": pl.Float64,
    "kappa": pl.Float64,  # Cohen's, pooled over classes and over the pairs of the clip's annotators
    "mean_iou": pl.Float64,
    "f1": pl.Float64,
    "idf1": pl.Float64,
    "shared_boxes": pl.Int64,
    "missed": pl.Int64,
    "reason": pl.String,
}

DependentIn = Literal["labels", "boxes"]

DEPENDENT: Final[Schema] = {  # pairs that may have copied; they share one vote until a person decides
    "annotator": pl.String,
    "annotator_b": pl.String,
    "what": pl.String,  # DependentIn
    "alike": pl.Float64,  # kappa of their labels (MASI where `expected` is null), mean IoU of boxes that both drew
    "expected": pl.Float64,  # the kappa to expect from their kappas with the others; null if unknown
    "shared": pl.Int64,  # people and seconds that both labelled, boxes that both drew
}

GateStatus = Literal["ok", "watch", "suspect", "unknown"]
"""watch: flagged, not distrusted; unknown: too little seen."""

GATE: Final[Schema] = {
    "annotator": pl.String,
    "status": pl.String,  # GateStatus
    "reasons": pl.List(pl.String),
}

SCORECARDS: Final[Schema] = {  # one row per annotator; alphas are Krippendorff's, pooled over classes
    "annotator": pl.String,
    "clips": pl.Int64,  # completed
    "boxes": pl.Int64,
    "ratings": pl.Int64,  # answers: person, second, group
    "edit_rate": pl.Float64,  # share of boxes changed from the pre-drawn ones
    **_with_interval("alpha"),  # against all others
    "best_alpha": pl.Float64,  # with the best partner
    "mean_alpha": pl.Float64,  # mean over partners
    "mean_iou": pl.Float64,  # with the others' boxes
    "shared_boxes": pl.Int64,
    "sensitivity": pl.Float64,  # of the labels that hold (by Dawid–Skene), the share that was named
    "false_alarm_rate": pl.Float64,  # of the labels that do not hold, the share that was named
    "box_error": pl.Float64,  # mean distance of an edge from the others' mean, in shares of the box's size
    "bias_left": pl.Float64,  # the same with its sign: to the right and down
    "bias_top": pl.Float64,
    "bias_right": pl.Float64,
    "bias_bottom": pl.Float64,
    "flip_rate": pl.Float64,  # answers that differ from the same person's a second before
    **_with_interval("gold_accuracy"),  # answers equal to the expert's; missing ones count as wrong
    "gold_answers": pl.Int64,
    "gold_iou": pl.Float64,
    **_with_interval("drift"),  # alpha in the later half of the work minus alpha in the earlier half
    "reason": pl.String,  # why figures are null
}

CONFLICTS: Final[Schema] = {  # places where annotators differ
    "clip_id": pl.String,
    "second": pl.Int32,
    "person_id": pl.Int32,
    "frame": pl.Int32,  # the frame to jump to
    "kind": pl.String,  # label:<group> | box | identity | missed
    "detail": pl.String,
    "annotators": pl.List(pl.String),  # label: who rated the group; otherwise the one whose work it is about
}

ADJUDICATION_QUEUE: Final[Schema] = {  # what an expert should check, most corrections per minute first
    "clip_id": pl.String,
    "second": pl.Int32,
    "person_id": pl.Int32,
    "frame": pl.Int32,
    "group": pl.String,  # of the ontology, or "presence" where it is disputed whether there is one
    "expected_error": pl.Float64,  # expected number of wrong labels of the group
    "reason": pl.String,
    "stretch": pl.Int32,  # number from 1 of a run of seconds in which no answer changes
    "per_minute": pl.Float64,  # wrong labels in the stretch that an expert is expected to correct per minute
}

Need = Literal["", "top_up", "review", "annotator"]
"""top_up: a third annotator; review: one annotator's copy; annotator: none is left."""

CLIP_NEEDS: Final[Schema] = {  # what a clip lacks before its labels can be trusted
    "clip_id": pl.String,
    "voters": pl.Int32,  # trusted annotators who completed it
    "need": pl.String,  # Need
    "reason": pl.String,
    "expected_errors": pl.Float64,  # expected number of wrong labels; null if nothing is known about the crew
    "worth": pl.Float64,  # of these, the number expected to be corrected by 100 answers of one more annotator
}

PROVENANCE: Final[Schema] = {  # what a clip's consensus was made of
    "clip_id": pl.String,
    "readings": pl.List(pl.String),  # annotator:job:version of each trusted annotator, then the expert's
    "adjudications": pl.Int64,  # answers and presences that an expert decided
    "ontology": pl.String,  # its digest
    "digest": pl.String,  # of all inputs; the same digest, the same consensus
}

BASIS: Final[Schema] = {  # one row: what a batch's consensus was formed from
    "decision": pl.Int64,  # id of the newest decision
    "readings": pl.List(pl.String),  # annotator:job:version of all annotators' completed jobs
    "excluded": pl.List(pl.String),  # annotators without a vote
    "ontology": pl.String,  # its digest
}

PICTURES: Final[Schema] = {  # the pictures that a batch's dataset was made with, one row each
    "clip_id": pl.String,
    "made_of": pl.String,  # clip, content and size
    "number": pl.Int32,  # from 1
    "bytes": pl.Int64,
    "crc32": pl.UInt32,
}

DISPUTED: Final[Schema] = {  # seconds that a release excludes
    "clip_id": pl.String,
    "second": pl.Int32,
    "reason": pl.String,
}


def empty(schema: Schema) -> pl.DataFrame:
    """A table of that schema without rows."""
    return pl.DataFrame(schema=dict(schema))


def with_new_columns(table: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """`table` with the columns of `schema` that it lacks, as null: files of an older version stay readable."""
    return table.with_columns(
        pl.lit(None, kind).alias(name) for name, kind in schema.items() if name not in table.columns
    )


def conform(table: pl.DataFrame, schema: Schema, what: str) -> pl.DataFrame:
    """`table` with exactly the columns of `schema`, cast; raises `InputError` naming the missing columns."""
    missing = [name for name in schema if name not in table.columns]
    if missing:
        raise InputError(f"{what}: column {', '.join(missing)} is missing.", "Materialise it again.")
    return table.select(pl.col(name).cast(kind) for name, kind in schema.items())
