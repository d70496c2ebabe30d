"""CVAT's own export: several copies of a clip are brought to a consensus."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import polars as pl

from ava_core.annotation.reading import read_shapes
from ava_core.base.errors import InputError
from ava_core.base.schemas import CLIP_FPS, DISPUTED, RAW_BOXES, RAW_LABELS
from ava_core.dataset.formats.cvat_xml.document import file_name
from ava_core.dataset.formats.cvat_xml.reader import CvatCopy, read_cvat_xml
from ava_core.dataset.formats.repairs import Repairs
from ava_core.dataset.importing.copies import (
    ClipFrom,
    joined,
    label_of_people,
    named_copies,
    of_one_size,
    people_only,
)
from ava_core.dataset.importing.imported import Imported
from ava_core.dataset.importing.work import clip_row, settle
from ava_core.ontology import Ontology
from ava_core.ontology.form import SEED_TRACK_ATTRIBUTE, form_fields

JOB_COLUMNS = ("job_id", "version")
LONGEST_SECONDS: Final = 24 * 3600
"""A task of more is misread; readers of AVA datasets know 15 minutes."""
PICTURES_FPS: Final = 1.0
"""Tasks of single pictures are made of whole seconds: AVA labels no others."""

_FLAGS: Final = {
    "outside_picture": ("boxes beyond the picture", "cut at its border"),
    "degenerate_box": ("boxes without width or height in the picture", "left out"),
}


def import_cvat_xml(
    paths: Sequence[Path],
    ontology: Ontology,
    *,
    index_fps: float | None = None,
    annotators: Mapping[Path, str] | None = None,
    label: str = "",
    clip_from: ClipFrom = "",
    seed: int = 0,
) -> Imported:
    """Take CVAT exports over (`.xml`, or the zip that CVAT sends).

    `index_fps`: frames a second of the media, by default 30 for videos and 1 for pictures; `annotators`: who made a
    file, else the assignee that it names, else the file's name; `label`: of people, by default `person`, or the only
    one that carries the ontology's form; `clip_from`: what names the clips of jobs. Raises `InputError` naming the
    file, and where the files do not tell clips or annotators apart.
    """
    if index_fps is not None and not (math.isfinite(index_fps) and 0 < index_fps <= 1000):
        raise InputError(f"{index_fps:g} frames per second is not a rate.", "Use --index-fps 1 or 30.")
    repairs = Repairs()
    copies = [
        copy for path in paths for copy in read_cvat_xml(path, (annotators or {}).get(path, ""), repairs)
    ]
    if not copies:
        raise InputError("The files hold no task.", "Export as `CVAT for video 1.1`.")
    label = label or label_of_people(copies, ontology, repairs)
    named = [
        (clip, at_clip_rate(joined(people_only(copy, label, repairs), repairs), index_fps, repairs))
        for clip, copy in named_copies(copies, clip_from, repairs)
    ]
    sizes = {clip: (copy.width, copy.height) for clip, copy in reversed(named)}
    frames: dict[str, int] = {}
    for clip, copy in named:
        if frames.setdefault(clip, copy.frames) != copy.frames:
            repairs.note("copies of other lengths of one clip", "the longest counts", file_name(copy.path))
        frames[clip] = max(frames[clip], copy.frames)
    boxes: list[dict[str, Any]] = []
    labels: list[dict[str, Any]] = []
    for clip, copy in named:
        _note_strange_attributes(copy, ontology, repairs)
        own, said = _read(of_one_size(copy, *sizes[clip], repairs), ontology, repairs)
        who = {"clip_id": clip, "annotator": copy.annotator}
        boxes += [who | row for row in own]
        labels += [who | row for row in said]
        if not own:
            repairs.note(
                "exports in which nobody is seen", "not counted as anybody's work", file_name(copy.path)
            )
    unusable = _deleted(named, repairs)
    title = f"Import of {', '.join(dict.fromkeys(copy.name for _, copy in named))}"[:80]
    return settle(
        title,
        [clip_row(clip, frames[clip], *sizes[clip]) for clip in sorted(frames)],
        pl.DataFrame(boxes, schema={n: t for n, t in RAW_BOXES.items() if n not in JOB_COLUMNS}),
        pl.DataFrame(labels, schema={n: t for n, t in RAW_LABELS.items() if n not in JOB_COLUMNS}),
        ontology,
        repairs.listed(),
        unusable=unusable,
        seed=seed,
    )


def at_clip_rate(copy: CvatCopy, index_fps: float | None, repairs: Repairs) -> CvatCopy:
    """The copy with its frames counted at 30 a second. Raises `InputError` for a task of more than a day."""
    if copy.pictures and index_fps is None:
        repairs.note(
            "pictures without a time",
            f"taken at {PICTURES_FPS:g} a second (--index-fps says otherwise)",
            file_name(copy.path),
        )
    step = CLIP_FPS / (index_fps or (PICTURES_FPS if copy.pictures else CLIP_FPS))
    if copy.frames * step > LONGEST_SECONDS * CLIP_FPS:
        raise InputError(
            f"{file_name(copy.path)}: {copy.name} has {copy.frames} frames, more than a day.",
            "Export the task of a single clip.",
        )
    return replace(
        copy,
        frames=round(copy.frames * step),
        shapes=[shape | {"frame": round(shape["frame"] * step)} for shape in copy.shapes],
        deleted=frozenset(round(frame * step) for frame in copy.deleted),
    )


def _read(
    copy: CvatCopy, ontology: Ontology, repairs: Repairs
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What the annotator said at every whole second."""
    boxes, labels = read_shapes(
        copy.shapes, ontology, frames=copy.frames, width=copy.width, height=copy.height, predrawn=[]
    )
    where = {f"t{shape['track_id']}": f"{file_name(copy.path)}, {shape['where']}" for shape in copy.shapes}
    for box in boxes:
        place = f"{where[box['track_key']]}, second {box['second']}"
        for flag in box["flags"]:
            defect, repair = _FLAGS.get(flag, (flag.replace("_", " "), "read as far as it goes"))
            repairs.note(defect, repair, place)
    seen = {box["track_key"] for box in boxes}
    for key in (key for key in where if key not in seen):
        repairs.note("tracks that are seen at no whole second", "left out", where[key])
    return boxes, labels


def _note_strange_attributes(copy: CvatCopy, ontology: Ontology, repairs: Repairs) -> None:
    known = {field.name for field in form_fields(ontology)} | {SEED_TRACK_ATTRIBUTE}
    for name in sorted({name for shape in copy.shapes for name in shape["attributes"]} - known):
        repairs.note(
            f"attribute {name!r}, which ontology {ontology.name} does not know",
            "left out",
            file_name(copy.path),
        )


def _deleted(named: Sequence[tuple[str, CvatCopy]], repairs: Repairs) -> pl.DataFrame:
    """`schemas.DISPUTED`: seconds whose frame somebody took out of the task."""
    rows = []
    for clip, copy in named:
        for frame in sorted(copy.deleted):
            second, between = divmod(frame, CLIP_FPS)
            if not between and 0 <= frame < copy.frames:
                rows.append((clip, second, "frame deleted in CVAT"))
                place = f"{file_name(copy.path)}, second {second}"
                repairs.note("seconds whose frame was deleted in CVAT", "left out for everybody", place)
    return pl.DataFrame(rows, schema=dict(DISPUTED), orient="row").unique(["clip_id", "second"])
