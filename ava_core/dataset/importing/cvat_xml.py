"""CVAT's own export: several copies of a clip are brought to a consensus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ava_core.annotation.reading import read_shapes
from ava_core.base.errors import InputError
from ava_core.base.schemas import CLIP_FPS, RAW_BOXES, RAW_LABELS
from ava_core.dataset.formats.cvat_xml.reader import read_cvat_xml
from ava_core.dataset.formats.repairs import Repair
from ava_core.dataset.importing.imported import Imported
from ava_core.dataset.importing.work import clip_row, settle
from ava_core.ontology import Ontology

JOB_COLUMNS = ("job_id", "version")


def import_cvat_xml(
    paths: Sequence[Path],
    ontology: Ontology,
    *,
    index_fps: float = CLIP_FPS,
    annotators: Mapping[Path, str] | None = None,
    seed: int = 0,
) -> Imported:
    """Take CVAT exports over (`.xml`, or the zip that CVAT sends).

    `index_fps`: frames a second of the task, 30 for clips, 1 for pictures of whole seconds; `annotators`: who made
    a file, else the assignee that it names, else the file's name. Raises `InputError` naming the file.
    """
    copies = [copy for path in paths for copy in read_cvat_xml(path, (annotators or {}).get(path, ""))]
    if not copies:
        raise InputError("The files hold no task.", "Export as `CVAT for video 1.1`.")
    step = CLIP_FPS / index_fps
    boxes: list[dict[str, Any]] = []
    labels: list[dict[str, Any]] = []
    frames = {copy.clip_id: round(copy.frames * step) for copy in copies}
    for copy in copies:
        shapes = [shape | {"frame": round(shape["frame"] * step)} for shape in copy.shapes]
        own, said = read_shapes(
            shapes, ontology, frames=frames[copy.clip_id], width=copy.width, height=copy.height, predrawn=[]
        )
        who = {"clip_id": copy.clip_id, "annotator": copy.annotator}
        boxes += [who | row for row in own]
        labels += [who | row for row in said]
    size = {copy.clip_id: (copy.width, copy.height) for copy in copies}
    clips = [clip_row(clip, frames[clip], *size[clip]) for clip in sorted(frames)]
    return settle(
        f"Import of {', '.join(path.name for path in paths)}"[:80],
        clips,
        pl.DataFrame(boxes, schema={n: t for n, t in RAW_BOXES.items() if n not in JOB_COLUMNS}),
        pl.DataFrame(labels, schema={n: t for n, t in RAW_LABELS.items() if n not in JOB_COLUMNS}),
        ontology,
        _repairs(boxes),
        seed=seed,
    )


def _repairs(boxes: list[dict[str, Any]]) -> list[Repair]:
    """What the reading flagged, counted."""
    counts: dict[str, int] = {}
    for box in boxes:
        for flag in box["flags"]:
            counts[flag] = counts.get(flag, 0) + 1
    return [Repair(flag.replace("_", " "), "read as far as it goes", n) for flag, n in sorted(counts.items())]
