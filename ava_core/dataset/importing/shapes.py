"""Imported work as the shapes of readings: what was said at each keyframe, in the annotation form's values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import polars as pl

from ava_core.annotation.shapes import Shape
from ava_core.base.schemas import AVA_TIMESTAMP_OFFSET, BOX_COLUMNS, CLIP_FPS
from ava_core.base.text import plural
from ava_core.dataset.formats.repairs import Repair
from ava_core.dataset.importing.imported import Imported
from ava_core.ontology import CANNOT_TELL, UNSET, Ontology
from ava_core.ontology.form import values_from_answers

IMPORTED: Final = "imported"
"""Who is said to have annotated a dataset that does not name its annotators."""

Saying = tuple[str, str, str, int]
"""Clip, annotator, track, second."""


def said_in(imported: Imported) -> tuple[pl.DataFrame, pl.DataFrame, list[Repair]]:
    """Boxes and labels of the work that an import holds, and what did not fit its ontology.

    Boxes: `clip_id, annotator, track_key, second, x1, y1, x2, y2` (pixels of the clip); labels: the first four columns,
    `group, action_ids`. The rows of a dataset without names of annotators are those of one, `IMPORTED`: in its csv a
    group that several actions of may hold, and of which none stands there, was answered with none.
    """
    if imported.work:
        boxes = imported.work["raw_boxes"].select(*_KEY, *BOX_COLUMNS)
        labels = imported.work["raw_labels"].select(*_KEY, "group", "action_ids")
    else:
        boxes, labels = _of_rows(imported)
    return boxes, *_fitting(labels, imported.dataset.ontology)


def shapes_by_job(
    boxes: pl.DataFrame, labels: pl.DataFrame, ontology: Ontology, frames: Mapping[str, int]
) -> Iterator[tuple[tuple[str, str], list[Shape]]]:
    """Shapes of each annotator's copy of each clip (`clip_id, annotator`); boxes and labels as `said_in` gives them.

    A track is there at the seconds that have a box of it, and hidden between them where one lacks.
    """
    said: dict[Saying, dict[str, list[int]]] = {}
    for *key, group, ids in labels.select(*_KEY, "group", "action_ids").iter_rows():
        said.setdefault(tuple(key), {})[group] = list(ids)
    for (clip, name), own in boxes.sort(_KEY).group_by("clip_id", "annotator", maintain_order=True):
        shapes: list[Shape] = []
        tracks = own.group_by("track_key", maintain_order=True)
        for number, ((track,), rows) in enumerate(tracks):
            at = {
                row[0]: (row[1:], said.get((str(clip), str(name), str(track), row[0]), {}))
                for row in rows.select("second", *BOX_COLUMNS).iter_rows()
            }
            shapes += _track(number, at, ontology, frames[str(clip)])
        yield (str(clip), str(name)), shapes


_KEY: Final = ["clip_id", "annotator", "track_key", "second"]


def _track(
    number: int,
    at: Mapping[int, tuple[Sequence[float], Mapping[str, list[int]]]],
    ontology: Ontology,
    frames: int,
) -> Iterator[Shape]:
    answered: set[str] = set()
    for second, (box, labels) in at.items():
        # What is unset would go on saying what was said before.
        silent = dict.fromkeys(answered - labels.keys(), CANNOT_TELL)
        values = values_from_answers(ontology, {**labels, **silent})
        answered |= labels.keys()
        frame = second * CLIP_FPS
        yield _shape(number, frame, box, values, outside=False)
        if second + 1 not in at and frame + 1 < frames:
            yield _shape(number, frame + 1, box, values, outside=True)


def _shape(number: int, frame: int, box: Sequence[float], values: dict[str, str], *, outside: bool) -> Shape:
    corners = dict(zip(("xtl", "ytl", "xbr", "ybr"), box, strict=True))
    said: Any = {name: value for name, value in values.items() if value != UNSET}
    return {"track_id": number, "frame": frame, **corners, "outside": outside, "attributes": said}


def _of_rows(imported: Imported) -> tuple[pl.DataFrame, pl.DataFrame]:
    dataset = imported.dataset
    size = dataset.clips.select("width", "height", video_id="clip_id")
    rows = dataset.rows.join(size, on="video_id", maintain_order="left").select(
        clip_id="video_id", annotator=pl.lit(IMPORTED), track_key="t" + pl.col("person_id").cast(pl.String),
        second=pl.col("timestamp") - AVA_TIMESTAMP_OFFSET,
        x1=pl.col("x1") * pl.col("width"), y1=pl.col("y1") * pl.col("height"),
        x2=pl.col("x2") * pl.col("width"), y2=pl.col("y2") * pl.col("height"), action_id="action_id",
    )  # fmt: skip
    boxes = rows.unique(_KEY, keep="first", maintain_order=True).drop("action_id")
    groups = {action.id: dataset.ontology.group_of(action.id).name for action in dataset.ontology.actions}
    named = (
        rows.with_columns(group=pl.col("action_id").replace_strict(groups, return_dtype=pl.String))
        .group_by(*_KEY, "group")
        .agg(action_ids=pl.col("action_id").unique().sort())
    )
    multi = pl.DataFrame(
        {"group": [group.name for group in dataset.ontology.groups if group.kind == "multi"]},
        schema={"group": pl.String},
    )
    none = boxes.select(_KEY).join(multi, how="cross").join(named, on=[*_KEY, "group"], how="anti")
    none = none.with_columns(action_ids=pl.lit([], dtype=pl.List(pl.Int32)))
    return boxes, pl.concat([named, none]).sort(*_KEY, "group")


def _fitting(labels: pl.DataFrame, ontology: Ontology) -> tuple[pl.DataFrame, list[Repair]]:
    """Labels with no more actions of a group than it allows at a time."""
    most = {group.name: 1 if group.kind == "exclusive" else group.max_active for group in ontology.groups}
    allowed = pl.col("group").replace_strict(most, return_dtype=pl.Int64)
    over = labels.filter(pl.col("action_ids").list.len() > allowed)
    repairs = [
        Repair(
            f"more than {plural(most[group], 'action')} of group {group!r} of one person at one time",
            "those of the smallest ids kept", int(rows["action_ids"].list.len().sum()) - rows.height * most[group],
            place=f"{rows['clip_id'][0]} at {rows['second'][0] + AVA_TIMESTAMP_OFFSET:04d}",
        )
        for (group,), rows in over.sort(_KEY).group_by("group", maintain_order=True)
    ]  # fmt: skip
    return labels.with_columns(action_ids=pl.col("action_ids").list.head(allowed)), repairs
