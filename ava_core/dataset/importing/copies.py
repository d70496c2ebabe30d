"""Annotators' copies of clips, as exports hold them: of which clip, by whom, and who of what is drawn is a person.

What the files do not say is asked, not guessed: two copies of one clip by one person are no two opinions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from ava_core.annotation.reading import box_at
from ava_core.base.errors import InputError
from ava_core.dataset.formats.cvat_xml.document import MEMBER, file_name
from ava_core.dataset.formats.cvat_xml.reader import CvatCopy
from ava_core.dataset.formats.cvat_xml.shapes import LEFT_OUT
from ava_core.dataset.formats.repairs import Repairs
from ava_core.ontology import Ontology
from ava_core.ontology.form import LABEL, form_fields, plain
from ava_core.quality.agreement.overlap import box_iou
from ava_core.video.media.names import distinct_ids

ClipFrom = Literal["", "file", "folder"]
"""What names the clip of exports that do not name their task: exports of jobs do not."""

USUAL_OVERLAP: Final = 5
"""Frames that the jobs of a video share in CVAT, where nobody chose another number."""
SAME_PERSON: Final = 0.5
"""Intersection over union from which CVAT itself joins the tracks of two jobs."""
SAME_ASPECT: Final = 0.02
"""Pictures whose aspect ratios differ by less are of one video: sizes are rounded to even numbers."""


def named_copies(
    copies: Sequence[CvatCopy], clip_from: ClipFrom, repairs: Repairs
) -> list[tuple[str, CvatCopy]]:
    """Each copy with the id of its clip, and with its annotator.

    Raises `InputError` where the files do not tell clips apart, or one person has several copies of one clip.
    """
    unnamed = [copy for copy in copies if not copy.name]
    if len(unnamed) > 1 and not clip_from:
        raise InputError(
            f"{file_name(unnamed[0].path)} and {file_name(unnamed[1].path)} name no task, as exports of jobs do not: "
            "so they may be copies of one clip.",
            "Name their clips with --clip-from file, or --clip-from folder with one folder per clip.",
        )
    named = []
    for copy in copies:
        name, annotator = copy.name, copy.annotator
        if not name:
            name = copy.path.absolute().parent.name if clip_from == "folder" else copy.path.stem
            repairs.note(
                "exports that name no task", f"clip named as the {clip_from or 'file'}", file_name(copy.path)
            )
        if not annotator:
            annotator = _said_by_path(copy.path)
            repairs.note(
                "exports without an assignee",
                "annotator named as the file or its folder",
                file_name(copy.path),
            )
        named.append(replace(copy, name=_printable(name), annotator=_printable(annotator)))
    ids = _clip_ids([copy.name for copy in named])
    _refuse_same_person(named)
    return [(ids[copy.name], copy) for copy in named]


def people_only(copy: CvatCopy, label: str, repairs: Repairs) -> CvatCopy:
    """The copy without shapes of other labels."""
    kept = []
    for shape in copy.shapes:
        if plain(shape["label"]) == plain(label):
            kept.append(shape)
        else:
            repairs.note(f"shapes labelled {shape['label']!r}", LEFT_OUT, _place(copy, shape))
    return replace(copy, shapes=kept)


def label_of_people(copies: Sequence[CvatCopy], ontology: Ontology, repairs: Repairs) -> str:
    """The label of people: `person`, or the only one with the ontology's form.

    Raises `InputError` where that is unclear.
    """
    labels: list[str] = sorted({shape["label"] for copy in copies for shape in copy.shapes})
    if not labels or any(plain(label) == LABEL for label in labels):
        return LABEL
    fields = {field.name for field in form_fields(ontology)}
    fit: list[str] = sorted(
        {s["label"] for copy in copies for s in copy.shapes if fields & s["attributes"].keys()}
    )
    if len(fit) != 1:
        raise InputError(
            f"No shape is labelled {LABEL!r}; there are {', '.join(map(repr, labels))}.",
            "Name the label for people with --label NAME.",
        )
    repairs.note(f"no label {LABEL!r}", f"shapes labelled {fit[0]!r} are taken for people", "")
    return fit[0]


def of_one_size(copy: CvatCopy, width: int, height: int, repairs: Repairs) -> CvatCopy:
    """The copy with its boxes in a picture of that size. Raises `InputError` where it has other proportions."""
    if (copy.width, copy.height) == (width, height):
        return copy
    if abs(copy.width * height / (copy.height * width) - 1) > SAME_ASPECT:
        raise InputError(
            f"{file_name(copy.path)}: {copy.name} measures {copy.width}×{copy.height}, "
            f"and {width}×{height} in another export.",
            "They show different videos: import them separately.",
        )
    x, y = width / copy.width, height / copy.height
    repairs.note(
        "copies of other sizes of one clip", f"boxes scaled to {width}×{height}", file_name(copy.path)
    )
    scaled = [
        shape | {"xtl": shape["xtl"] * x, "ytl": shape["ytl"] * y, "xbr": shape["xbr"] * x, "ybr": shape["ybr"] * y}
        for shape in copy.shapes
    ]  # fmt: skip
    return replace(copy, shapes=scaled, width=width, height=height)


def joined(copy: CvatCopy, repairs: Repairs) -> CvatCopy:
    """The copy with tracks that a job's end has cut made one again: in shared frames the later job's is kept."""
    most = max(copy.overlap, USUAL_OVERLAP)
    tracks: dict[int, list[dict[str, Any]]] = {}
    for shape in copy.shapes:
        tracks.setdefault(shape["track_id"], []).append(shape)
    ended: dict[int, list[int]] = {}  # tracks by the frame from which they are gone
    for number, track in tracks.items():
        if track[-1]["outside"]:
            ended.setdefault(track[-1]["frame"], []).append(number)
    for number, track in sorted(tracks.items(), key=lambda item: item[1][0]["frame"]):
        start = track[0]["frame"]
        for end in range(start + 1, start + most + 1):
            before = next(
                (n for n in ended.get(end, ()) if n != number and _is_one(tracks[n], track, end)), None
            )
            if before is None:
                continue
            ended[end].remove(before)
            repairs.note("tracks cut where two jobs overlap", "joined", _place(copy, track[0]))
            earlier = [shape for shape in tracks.pop(before) if shape["frame"] < start]
            tracks[number] = [shape | {"track_id": number} for shape in earlier] + track
            break
    return replace(copy, shapes=[shape for track in tracks.values() for shape in track])


def _is_one(earlier: list[dict[str, Any]], later: list[dict[str, Any]], end: int) -> bool:
    start = later[0]["frame"]
    if earlier[0]["frame"] >= start or later[-1]["frame"] < end:
        return False
    pairs = [(box_at(earlier, frame), box_at(later, frame)) for frame in range(start, end)]
    both = [(one, other) for one, other in pairs if one is not None and other is not None]
    if not both or len(both) < len(pairs):
        return False
    first, second = (np.array(boxes, dtype=np.float64) for boxes in zip(*both, strict=True))
    return bool((box_iou(first, second) >= SAME_PERSON).all())


def _refuse_same_person(copies: Sequence[CvatCopy]) -> None:
    first: dict[tuple[str, str], CvatCopy] = {}
    for copy in copies:
        other = first.setdefault((copy.name, copy.annotator), copy)
        if other is not copy:
            raise InputError(
                f"{file_name(other.path)} and {file_name(copy.path)} are both {copy.name} by {copy.annotator}: "
                "which conflicts.",
                "Give only one of them, or name their annotators with --by FILE=NAME.",
            )


def _clip_ids(names: Sequence[str]) -> dict[str, str]:
    """An id for each task's name, one to one."""
    titles = {name: name[:-4] if name.lower().endswith(".mp4") else name for name in names}
    if max(Counter(titles.values()).values(), default=1) > 1:
        titles = {name: name for name in names}
    ids = distinct_ids(titles.values())
    return {name: ids[title] for name, title in titles.items()}


def _said_by_path(path: Path) -> str:
    """The file's name, or its folder's where the file is called as CVAT calls it."""
    called = path.stem
    return path.absolute().parent.name or called if called == Path(MEMBER).stem else called


def _printable(text: str) -> str:
    """Names of files may hold bytes that are no text."""
    return text.encode("utf-8", "replace").decode()


def _place(copy: CvatCopy, shape: dict[str, Any]) -> str:
    return f"{file_name(copy.path)}, {shape['where']}, frame {shape['frame']}"
