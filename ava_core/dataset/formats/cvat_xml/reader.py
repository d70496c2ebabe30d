"""CVAT's own export, "CVAT for video 1.1" and "CVAT for images 1.1": one file a person's copy of a task.

Frames in the file count in the media, from their start; here they count from the task's first frame, still in the
media's frames: a task that takes every fifth frame has frames 0, 5, 10, …
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ava_core.base.errors import InputError
from ava_core.dataset.formats.cvat_xml.document import file_name, open_document
from ava_core.dataset.formats.cvat_xml.shapes import (
    AROUND,
    LEFT_OUT,
    Box,
    UnfitShapeError,
    attributes_of,
    box_of,
)
from ava_core.dataset.formats.repairs import Repairs

LAST_FRAME: Final = 2**31 - 1
LARGEST_PICTURE: Final = 65_535
"""Pixels a side: JPEG's limit."""
ALONE: Final = "pictures' boxes, which belong to no track"
OTHER_SIZE: Final = "pictures of other sizes in one task"


@dataclass(frozen=True)
class CvatCopy:
    """One annotator's copy of one clip; "" where the file does not say which, or whose.

    `frames`: length in frames of the media; `shapes` as `annotation.reading`, in pixels of a picture of `width` ×
    `height`, with `label` and `where` (the track or picture in the file) beside; `pictures`: made of single pictures,
    not of a video; `deleted`: frames that were taken out of the task; `overlap`: frames that its jobs have in common.
    """

    path: Path
    name: str
    annotator: str
    frames: int
    width: int
    height: int
    shapes: list[dict[str, Any]]
    pictures: bool = False
    deleted: frozenset[int] = frozenset()
    overlap: int = 0


def read_cvat_xml(path: Path, annotator: str = "", repairs: Repairs | None = None) -> Iterator[CvatCopy]:
    """The tasks of one export; what could not be taken as it stands is noted in `repairs`.

    Raises `InputError` where it is no CVAT XML 1.1, or does not say what belongs to which task.
    """
    root = open_document(path)
    job = root.find("meta/job")
    tasks = root.findall("meta/project/tasks/task") or root.findall("meta/task")
    tasks = tasks or ([job] if job is not None else [])
    if not tasks:
        raise InputError(f"{file_name(path)} names no task.", "Export a task or job, with its meta data.")
    if len(tasks) > 1:
        _refuse_ownerless(path, root, {task.findtext("id") for task in tasks})
    for task in tasks:
        yield _Reading(path, root, task, alone=len(tasks) == 1, repairs=repairs or Repairs()).copy(annotator)


@dataclass
class _Reading:
    """One task of a document on its way."""

    path: Path
    root: Any
    task: Any
    alone: bool
    repairs: Repairs
    shapes: list[dict[str, Any]] = field(default_factory=list)
    tracks: int = 0

    def copy(self, annotator: str) -> CvatCopy:
        of_job = self.task.tag == "job"
        self.name = _first(self.task, "name", "source") or (
            _first(self.root, "meta/source") if self.alone else ""
        )
        images = self._own("image")
        # A job's first frame is where its part of the clip begins, not where the clip does.
        self.start = 0 if of_job else _count(self.task.findtext("start_frame")) or 0
        self.step = _step(self.task.findtext("frame_filter"))
        self.width, self.height = self._size(images)
        length = self._length(of_job)
        for track in self._own("track"):
            self._take_track(track, length)
        for image in images:
            self._take_image(image)
        if length is None:
            length = 1 + max((shape["frame"] for shape in self.shapes), default=0)
            self.repairs.note(
                "tasks that do not say their size", "taken to end at the last shape", self._at()
            )
        gone = " ".join(
            text for element in self.task.iterfind("deleted_frames") for text in element.itertext()
        )
        return CvatCopy(
            path=self.path,
            name=self.name,
            annotator=annotator or _first(self.task, "assignee/username", "assignee"),
            frames=length,
            width=self.width,
            height=self.height,
            shapes=self.shapes,
            pictures=bool(images) and _first(self.task, "mode") != "interpolation",
            deleted=frozenset(int(number) - self.start for number in re.findall(r"\b[0-9]{1,9}\b", gone)),
            overlap=_count(self.task.findtext("overlap")) or 0,
        )

    def _own(self, tag: str) -> list[Any]:
        found = self.root.findall(tag)
        number = self.task.findtext("id")
        return found if self.alone else [element for element in found if element.get("task_id") == number]

    def _at(self, *places: str) -> str:
        return ", ".join(
            [file_name(self.path), *([self.name] if self.name and not self.alone else []), *places]
        )

    def _size(self, images: list[Any]) -> tuple[int, int]:
        """Width and height of the task's pictures in pixels."""
        for size in (self.task.find("original_size"), self.root.find("meta/original_size")):
            if size is not None:
                return self._sides(size.findtext("width"), size.findtext("height"))
        if not images:
            raise InputError(
                f"{self._at()} does not give the size of the pictures.", "Export it with its meta data."
            )
        return self._sides(images[0].get("width"), images[0].get("height"))

    def _sides(self, width: str | None, height: str | None) -> tuple[int, int]:
        sides = _count(width) or 0, _count(height) or 0
        if not all(0 < side <= LARGEST_PICTURE for side in sides):
            raise InputError(
                f"{self._at()} says that its pictures measure {width!r} × {height!r}.", "Export it again."
            )
        return sides

    def _length(self, of_job: bool) -> int | None:
        """Frames of the media from the task's first one to its end; `None` where the file does not say."""
        stop = _count(self.task.findtext("stop_frame"))
        if of_job and stop is not None:
            if _count(self.task.findtext("start_frame")):
                self.repairs.note(
                    "jobs that begin within their clip", "frames counted from the clip's start", self._at()
                )
            return stop + 1
        size = _count(self.task.findtext("size"))
        if size:
            return size * self.step
        return None if stop is None or stop < self.start else stop - self.start + 1

    def _take_track(self, track: Any, length: int | None) -> None:
        """Keyframe shapes of a track; attributes that a shape does not name hold on."""
        self.tracks += 1
        elements = [element for element in track if element.tag != "attribute"]
        keys = [e for e in elements if _is_set(e, "keyframe", "1") or _is_set(e, "outside")]
        placed = [(frame, e) for e in keys or elements if (frame := self._frame(e, track)) is not None]
        held, where = attributes_of(track), f"track {track.get('id', self.tracks)}"
        box: Box | None = None
        by_frame: dict[int, dict[str, Any]] = {}
        for frame, element in sorted(placed, key=lambda pair: pair[0]):
            place = self._at(where, f"frame {frame + self.start}")
            outside = _is_set(element, "outside")
            held = held | attributes_of(element)
            found = self._box(element, place)
            if found is None and outside:
                found = box  # where a person is hidden only the frame counts, so any box will do there
            if found is None:
                continue
            box = found
            if frame in by_frame:
                self.repairs.note(
                    "shapes at a frame where the track has another one", "the last one is kept", place
                )
            if not outside and (frame < 0 or (length is not None and frame >= length)):
                self.repairs.note("shapes before or beyond the frames of their task", "not seen", place)
            by_frame[frame] = self._shape(frame, box, track, held, where, outside=outside)
        self.shapes += by_frame.values()

    def _take_image(self, image: Any) -> None:
        """Boxes of a picture, each as a track of one frame."""
        frame = self._frame(image, image, "id")
        if frame is None:
            return
        where = f"picture {image.get('name') or image.get('id')}"
        place = self._at(where)
        width, height = self._sides(
            image.get("width", str(self.width)), image.get("height", str(self.height))
        )
        scale = self.width / width, self.height / height
        for element in image:
            box = self._box(element, place)
            if box is None:
                continue
            self.tracks += 1
            if scale != (1.0, 1.0):
                self.repairs.note(OTHER_SIZE, f"boxes scaled to {self.width}×{self.height}", place)
                box = (box[0] * scale[0], box[1] * scale[1], box[2] * scale[0], box[3] * scale[1])
            self.repairs.note(ALONE, "one person per box", place)
            for moment, outside in ((frame, False), (frame + 1, True)):
                said = attributes_of(element)
                self.shapes.append(self._shape(moment, box, element, said, where, outside=outside))

    def _frame(self, element: Any, owner: Any, name: str = "frame") -> int | None:
        text = element.get(name)
        frame = _count(text)
        if frame is None:
            place = self._at(f"{owner.tag} {owner.get('id')}", f"frame {text!r}")
            self.repairs.note("shapes without a valid frame number", LEFT_OUT, place)
            return None
        return frame - self.start

    def _box(self, element: Any, place: str) -> Box | None:
        try:
            box, repaired = box_of(element)
        except UnfitShapeError as defect:
            self.repairs.note(str(defect), LEFT_OUT, place)
            return None
        if repaired:
            self.repairs.note(repaired, AROUND, place)
        return box

    def _shape(
        self, frame: int, box: Box, owner: Any, said: dict[str, str], where: str, *, outside: bool
    ) -> dict[str, Any]:
        corners = dict(zip(("xtl", "ytl", "xbr", "ybr"), box, strict=True))
        return {
            "track_id": self.tracks, "frame": frame, **corners, "outside": outside, "attributes": said,
            "label": owner.get("label", ""), "where": where,
        }  # fmt: skip


def _refuse_ownerless(path: Path, root: Any, tasks: set[str | None]) -> None:
    for tag in ("track", "image"):
        for element in root.iterfind(tag):
            if element.get("task_id") not in tasks:
                raise InputError(
                    f"{file_name(path)} has several tasks, and {tag} {element.get('id')} does not name its "
                    f"task.",
                    "Export the tasks one by one.",
                )


def _first(element: Any, *paths: str) -> str:
    """The first of the texts that says anything."""
    return next((text for path in paths if (text := (element.findtext(path) or "").strip())), "")


def _is_set(element: Any, name: str, otherwise: str = "0") -> bool:
    return element.get(name, otherwise).strip().lower() in ("1", "true")


def _count(text: str | None) -> int | None:
    """A number of frames or pixels; `None` where the text is none."""
    text = (text or "").strip()
    found = re.fullmatch(r"([0-9]{1,10})(?:\.0+)?", text)
    return int(found[1]) if found and int(found[1]) <= LAST_FRAME else None


def _step(frame_filter: str | None) -> int:
    """Frames of the media from one frame of the task to the next: CVAT writes `step=N`."""
    found = re.search(r"step\s*=\s*([0-9]{1,6})", frame_filter or "")
    return max(int(found[1]), 1) if found else 1
