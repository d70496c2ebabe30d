"""Pre-annotations as CVAT XML 1.1 files, for those who make tasks and import by hand.

The same tracks that the platform draws: few keyframes, ended, unset. CVAT's import keeps only shapes with
`keyframe="1"`, and takes the immutable attributes of a track from its last shape: every box carries all of them.
Frames count from the start of the media. As observed on CVAT 2.73.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import polars as pl

from ava_core.annotation.prefill import prefill_tracks
from ava_core.base.errors import InputError
from ava_core.base.pickles import safe_load
from ava_core.base.pictures import picture_in
from ava_core.base.schemas import CLIP_FPS, TRACKS
from ava_core.batch import BatchContext
from ava_core.ontology import UNSET, Ontology
from ava_core.ontology.form import LABEL, SEED_TRACK_ATTRIBUTE, form_fields

FORMAT_VERSION: Final = "1.1"
_FRAME_NAME: Final = re.compile(r"(?:.*/)?(?P<clip>.+)_frame_(?P<second>\d+)\.(?:jpe?g|png)", re.IGNORECASE)


@dataclass(frozen=True)
class Media:
    """What a task is made of: number of frames, size of the picture in pixels."""

    frames: int
    width: int
    height: int


def clip_xml(name: str, drawn: Sequence[Mapping[str, Any]], media: Media, ontology: Ontology) -> str:
    """One clip's tracks (`prefill.prefill_tracks`) as an `annotations.xml`."""
    root = Element("annotations")
    _leaf(root, "version", FORMAT_VERSION)
    task = SubElement(SubElement(root, "meta"), "task")
    _leaf(task, "name", name)
    _leaf(task, "size", media.frames)
    _leaf(task, "mode", "interpolation")
    _leaf(task, "start_frame", 0)
    _leaf(task, "stop_frame", media.frames - 1)
    size = SubElement(task, "original_size")
    _leaf(size, "width", media.width)
    _leaf(size, "height", media.height)
    unset = {field.name: UNSET for field in form_fields(ontology)}
    for number, track in enumerate(drawn):
        element = SubElement(root, "track", id=str(number), label=LABEL, source="auto")
        for shape in track["shapes"]:
            _box(element, shape, {SEED_TRACK_ATTRIBUTE: str(track["seed_track"]), **unset})
    indent(root)
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document.decode() + "\n"


def write_batch_xml(at: BatchContext, target: Path) -> list[Path]:
    """A file per clip of a batch of this platform, for tasks made of the clips' videos."""
    clips = at.table("clips")
    tracks = at.table("tracks")
    return [
        _write(
            target,
            clip["clip_id"],
            prefill_tracks(tracks.filter(pl.col("clip_id") == clip["clip_id"]), clip["frames"]),
            Media(clip["frames"], clip["width"], clip["height"]),
            at.ontology,
        )
        for clip in clips.sort("clip_id").to_dicts()
    ]


def write_proposals_xml(
    target: Path, proposals: Path, frames: Path, ontology: Ontology, *, pictures: bool = False
) -> list[Path]:
    """A file per clip of `dense_proposals.pkl` and `frames.zip`, made here or by the older tools.

    `pictures`: the tasks are made of a clip's pictures in the order of their names, else of its video at 30 fps. A
    person without a box in a picture that exists is hidden there. The pickle is read without executing anything.
    Raises `InputError` naming the clip or picture that does not fit.
    """
    content = safe_load(proposals)
    seconds = _seconds_of(frames)
    if not isinstance(content, dict) or not all(isinstance(one, dict) for one in content.values()):
        raise InputError(
            f"{proposals.name} is not a dict of clips.", "Give the file with dict[clip][frame name]."
        )
    written = []
    for clip, boxes in sorted(content.items()):
        if clip not in seconds:
            raise InputError(f"{frames.name} has no picture of clip {clip!r}.", "Give the matching zip.")
        number = {
            second: place if pictures else second * CLIP_FPS
            for place, second in enumerate(sorted(seconds[clip]))
        }
        size = _picture_size(frames, next(iter(seconds[clip].values())))
        media = Media(max(number.values()) + 1, *size)
        tracks = _tracks(clip, boxes, number, proposals.name)
        drawn = prefill_tracks(tracks, media.frames, longest_step=1 if pictures else CLIP_FPS)
        written.append(_write(target, clip, drawn, media, ontology))
    return written


def _write(
    target: Path, name: str, drawn: Sequence[Mapping[str, Any]], media: Media, ontology: Ontology
) -> Path:
    if not re.fullmatch(r"[\w.-]+", name) or name.startswith("."):
        raise InputError(f"{name!r} is not a valid file name.", "Use letters, digits, '_', '.', '-'.")
    target.mkdir(parents=True, exist_ok=True)
    path = target / f"{name}.xml"
    path.write_text(clip_xml(name, drawn, media, ontology), encoding="utf-8")
    return path


def _tracks(clip: str, boxes: Mapping[str, Any], number: Mapping[int, int], file: str) -> pl.DataFrame:
    """`schemas.TRACKS` of one clip from the pickle's `frame name → [[x1, y1, x2, y2, score, track], …]`."""
    rows = []
    for name, found in boxes.items():
        match = _FRAME_NAME.fullmatch(str(name))
        second = int(match["second"]) if match else -1
        if second not in number:
            raise InputError(
                f"{file}: there is no picture {name!r} of clip {clip!r}.", "Give the matching zip."
            )
        for row in found:
            if len(row) < 6:
                raise InputError(
                    f"{file}: a box of {name!r} has {len(row)} numbers.", "x1, y1, x2, y2, score, track."
                )
            x1, y1, x2, y2, score, track = (float(value) for value in row[:6])
            rows.append((clip, number[second], int(track), x1, y1, x2, y2, score, False))
    return pl.DataFrame(rows, schema=dict(TRACKS), orient="row")


def _seconds_of(frames: Path) -> dict[str, dict[int, str]]:
    """Names of the zip's pictures by clip and second."""
    try:
        with zipfile.ZipFile(frames) as archive:
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(f"{frames} is not a zip: {error}.") from None
    found: dict[str, dict[int, str]] = {}
    for name in names:
        if match := _FRAME_NAME.fullmatch(name):
            found.setdefault(match["clip"], {})[int(match["second"])] = name
    return found


def _picture_size(frames: Path, name: str) -> tuple[int, int]:
    """Width and height of a picture in the zip."""
    with zipfile.ZipFile(frames) as archive:
        picture = picture_in(archive, name)
    height, width = picture.shape[:2]
    return int(width), int(height)


def _box(track: Element, shape: Mapping[str, Any], attributes: Mapping[str, str]) -> None:
    flags = {"outside": str(int(shape["outside"])), "occluded": "0", "keyframe": "1", "z_order": "0"}
    corners = zip(("xtl", "ytl", "xbr", "ybr"), shape["box"], strict=True)
    place = {name: f"{value:.2f}" for name, value in corners}
    box = SubElement(track, "box", {"frame": str(shape["frame"]), **flags, **place})
    for name, value in attributes.items():
        SubElement(box, "attribute", name=name).text = value


def _leaf(parent: Element, name: str, value: object) -> None:
    SubElement(parent, name).text = str(value)
