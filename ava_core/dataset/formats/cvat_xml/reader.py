"""CVAT's own export, "CVAT for video 1.1" and "CVAT for images 1.1": one file a person's copy of a task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from ava_core.base.errors import InputError
from ava_core.video.media.names import slug

MAX_BYTES = 1 << 30
MEMBER = "annotations.xml"
"""The file in the zip that CVAT sends."""


@dataclass(frozen=True)
class CvatCopy:
    """One annotator's copy of one clip. `frames` counts the task's own frames; `shapes` as `annotation.reading`."""

    clip_id: str
    annotator: str
    frames: int
    width: int
    height: int
    shapes: list[dict[str, Any]]


def read_cvat_xml(path: Path, annotator: str = "") -> Iterator[CvatCopy]:
    """The tasks of one export. Raises `InputError` where it is no CVAT XML 1.1."""
    from defusedxml.ElementTree import ParseError, fromstring

    try:
        root = fromstring(_text(path))
    except ParseError as error:
        raise InputError(f"{path.name} is no XML: {error}.", "Export it again.") from None
    if root.tag != "annotations" or root.findtext("version") != "1.1":
        raise InputError(f"{path.name} is not CVAT XML 1.1.", "Export as `CVAT for video 1.1`.")
    tasks = root.findall("meta/project/tasks/task") or root.findall("meta/task") or root.findall("meta/job")
    if not tasks:
        raise InputError(f"{path.name} names no task.", "Export a task or job, with its meta data.")
    for task in tasks:
        only = task.findtext("id") if len(tasks) > 1 else None
        shapes = list(_shapes(root, only))
        width, height = _size(root, task)
        name = task.findtext("name") or task.findtext("source") or path.stem
        yield CvatCopy(
            clip_id=slug(Path(name).stem if Path(name).suffix == ".mp4" else name),
            annotator=annotator
            or task.findtext("assignee/username")
            or task.findtext("assignee")
            or path.stem,
            frames=int(task.findtext("size") or 0)
            or 1 + max((shape["frame"] for shape in shapes), default=0),
            width=width,
            height=height,
            shapes=shapes,
        )


def _shapes(root: Any, task_id: str | None) -> Iterator[dict[str, Any]]:
    """Keyframe shapes of all tracks, and pictures' boxes as tracks of one frame."""
    number = 0
    for track in root.iterfind("track"):
        if task_id is not None and track.get("task_id") != task_id:
            continue
        number += 1
        held: dict[str, str] = {a.get("name", ""): a.text or "" for a in track.iterfind("attribute")}
        for box in sorted(track.iterfind("box"), key=lambda box: int(box.get("frame", 0))):
            held = held | {a.get("name", ""): a.text or "" for a in box.iterfind("attribute")}
            if box.get("keyframe", "1") == "1" or box.get("outside") == "1":
                yield _shape(number, int(box.get("frame", 0)), box, held, outside=box.get("outside") == "1")
    for image in root.iterfind("image"):
        if task_id is not None and image.get("task_id") != task_id:
            continue
        for box in image.iterfind("box"):
            number += 1
            frame = int(image.get("id", 0))
            said = {a.get("name", ""): a.text or "" for a in box.iterfind("attribute")}
            yield _shape(number, frame, box, said, outside=False)
            yield _shape(number, frame + 1, box, said, outside=True)


def _shape(number: int, frame: int, box: Any, said: Mapping[str, str], *, outside: bool) -> dict[str, Any]:
    corners = {side: float(box.get(side)) for side in ("xtl", "ytl", "xbr", "ybr")}
    return {"track_id": number, "frame": frame, **corners, "outside": outside, "attributes": dict(said)}


def _size(root: Any, task: Any) -> tuple[int, int]:
    size = task.find("original_size")
    size = root.find("meta/original_size") if size is None else size
    if size is not None:
        return int(size.findtext("width")), int(size.findtext("height"))
    image = root.find("image")
    if image is None:
        raise InputError(
            "The export does not say how large the pictures are.", "Export it with its meta data."
        )
    return int(image.get("width")), int(image.get("height"))


def _text(path: Path) -> bytes:
    """The XML itself, from the zip that CVAT sends or as it is."""
    if path.suffix.lower() != ".zip":
        return path.read_bytes()
    try:
        with ZipFile(path) as archive:
            info = archive.getinfo(MEMBER)
            if info.file_size > MAX_BYTES:
                raise InputError(
                    f"{path.name} holds more than {MAX_BYTES >> 30} GiB of XML.", "Export tasks singly."
                )
            return archive.read(info)
    except (KeyError, BadZipFile):
        raise InputError(f"{path.name} holds no {MEMBER}.", "Give CVAT's export as it is.") from None
