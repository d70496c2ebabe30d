"""Rules for pictures: whether they are whole, alike in every layout, and those of the release."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from ava_core.base.errors import MediaError
from ava_core.base.pictures import read_picture
from ava_core.base.schemas import AVA_TIMESTAMP_OFFSET, CLIP_FPS
from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.ava.checks.finding import EXAMPLES, Finding
from ava_core.dataset.formats.ava.picture_record import changed_pictures

FOLDERS: Final = {
    names.FRAMES: "SlowFast, pytorchvideo, YOWOv2 and YOWOv3",
    names.RAWFRAMES: "mmaction2 AVADataset",
    names.KEYFRAMES: "AlphAction",
    f"kinetics/{names.RAWFRAMES}": "mmaction2 AVAKineticsDataset",
    f"datumaro/{names.FRAMES}": "Datumaro",
}
"""Folders of pictures, a folder a video in each, and who opens them."""
SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".bmp")
END_OF_JPEG: Final = b"\xff\xd9"


@dataclass
class _Looked:
    """What is known of pictures already: hard links are looked at once."""

    whole: dict[tuple[int, int], bool] = field(default_factory=dict)
    sizes: dict[str, tuple[tuple[int, int], str]] = field(default_factory=dict)


def check_pictures(root: Path, labelled: pl.DataFrame | None) -> Iterator[Finding]:
    """Every picture is whole, one a video is opened, sizes agree between layouts, names are those of the layout.

    `labelled`: `video_id, timestamp` as text, each of which readers look for.
    """
    looked = _Looked()
    for name, readers in FOLDERS.items():
        folder = root / name
        if folder.is_dir():
            for video in sorted(path for path in folder.iterdir() if path.is_dir()):
                yield from _check_video(f"{name}/{video.name}", video, readers, looked)
            if labelled is not None:
                yield from _check_labelled(folder, name, readers, labelled)


def _check_labelled(folder: Path, name: str, readers: str, labelled: pl.DataFrame) -> Iterator[Finding]:
    """Every labelled second has its picture, where the layout names it."""
    if name in (names.RAWFRAMES, names.KEYFRAMES):
        for video, rows in sorted(labelled.group_by("video_id"), key=lambda item: str(item[0][0])):
            own = folder / str(video[0])
            there = {one.name for one in os.scandir(own)} if own.is_dir() else set()
            wanted = [_picture_of(name, stamp) for stamp in rows["timestamp"] if stamp.isdigit()]
            lacking = sorted(one for one in wanted if one and one not in there)
            if (lacking and there) or not own.is_dir():
                rule = (
                    f"{len(lacking)} labelled seconds have no picture, {lacking[0]} first"
                    if there
                    else "the folder is missing"
                )
                cure = "Extract the pictures again; --fix links them from frames/"
                yield Finding(
                    f"{name}/{video[0]}", 0, rule, f"{readers} stop there with FileNotFoundError", cure=cure
                )


def _picture_of(name: str, stamp: str) -> str:
    if name == names.KEYFRAMES:
        return names.keyframe_name(int(stamp))
    second = int(stamp) - AVA_TIMESTAMP_OFFSET
    return names.rawframe_name(second * CLIP_FPS + 1) if second >= 0 else ""


def _check_video(name: str, folder: Path, readers: str, looked: _Looked) -> Iterator[Finding]:
    with os.scandir(folder) as entries:
        pictures = sorted(
            (one for one in entries if one.name.lower().endswith(SUFFIXES)), key=lambda one: one.name
        )
    if not pictures:
        yield Finding(
            name, 0, "the folder holds no picture", f"{readers} find none", cure="Extract the pictures again"
        )
        return
    broken = [one.name for one in pictures if not _is_whole(one, looked)]
    if broken:
        yield Finding(
            name, 0, f"{len(broken)} of {len(pictures)} pictures are empty or cut off, {broken[0]} first",
            f"{readers} stop there, or show grey", cure="Copy them again",
        )  # fmt: skip
    yield from _check_template(name, folder.name, [one.name for one in pictures], readers)
    first = next((one for one in pictures if one.name not in set(broken)), None)
    if first is not None:
        yield from _check_size(name, Path(first.path), readers, looked)


def _is_whole(picture: os.DirEntry[str], looked: _Looked) -> bool:
    known = picture.stat()
    key = known.st_dev, known.st_ino
    if key not in looked.whole:
        looked.whole[key] = known.st_size > 0 and (
            not picture.name.lower().endswith((".jpg", ".jpeg")) or _ends(picture.path, known.st_size)
        )
    return looked.whole[key]


def _ends(path: str, size: int) -> bool:
    """Whether a JPEG ends as one; some cameras write zeros behind the end."""
    handle = os.open(path, os.O_RDONLY)
    try:
        return END_OF_JPEG in os.pread(handle, 64, max(0, size - 64))
    finally:
        os.close(handle)


def _check_size(name: str, path: Path, readers: str, looked: _Looked) -> Iterator[Finding]:
    try:
        shown = read_picture(path)
    except (MediaError, OSError) as error:
        why = error.message if isinstance(error, MediaError) else error.strerror
        yield Finding(
            name,
            0,
            f"{path.name} is not a readable picture: {why}",
            f"{readers} stop there",
            cure="Extract it again",
        )
        return
    size = shown.shape[1], shown.shape[0]
    video = path.parent.name
    if name.startswith("kinetics/"):
        video = video.rsplit("_", 2)[0]
    known, where = looked.sizes.setdefault(video, (size, name))
    if known != size:
        yield Finding(
            name, 0, f"pictures are {size[0]}×{size[1]}, in {where} {known[0]}×{known[1]}",
            "Boxes are shares of the picture: readers of the two layouts see other people", "warning",
        )  # fmt: skip


def _check_template(name: str, video: str, pictures: list[str], readers: str) -> Iterator[Finding]:
    """Whether the first picture has the name by which readers ask for it."""
    wanted = {
        names.FRAMES: f"{video}_000001.jpg", names.RAWFRAMES: "img_00001.jpg",
    }.get(name.split("/")[-2] if not name.startswith("datumaro/") else "")  # fmt: skip
    if wanted and wanted not in pictures[:1]:
        yield Finding(
            name, 0, f"pictures are named {pictures[0]}, not {wanted}, …", f"{readers} look for that name",
            cure="Name them so, counted from 1"
            + ("; or set filename_tmpl" if wanted.startswith("img") else "; SlowFast takes the frame list's names"),
            severity="error" if wanted.startswith("img") else "warning",
        )  # fmt: skip


def check_recorded_pictures(root: Path) -> Iterator[Finding]:
    """Pictures of a release that are missing, or others than when it was made."""
    if not (root / names.PICTURES).is_file():
        return
    try:
        changed = changed_pictures(root)
    except (pl.exceptions.PolarsError, OSError) as error:
        yield Finding(
            names.PICTURES,
            0,
            f"it cannot be read ({str(error).splitlines()[0]})",
            "Pictures cannot be told apart",
        )
        return
    for what, gone in changed.changed.items():
        for path in gone[:EXAMPLES]:
            readers = next(
                (who for folder, who in FOLDERS.items() if path.startswith(f"{folder}/")), "Its readers"
            )
            ends = "stop there" if what == "is missing" else "show it all the same"
            yield Finding(
                path,
                0,
                f"the picture {what} since the release was made",
                f"{readers} {ends}",
                cure="Copy it again",
            )
        if len(gone) > EXAMPLES:
            yield Finding(
                names.PICTURES, 0, f"{len(gone) - EXAMPLES} more pictures: each {what} since the release was made",
                "Releases never change",
            )  # fmt: skip
    if changed.copied_bytes:
        more = f"{changed.copied_bytes / 1e6:.1f} MB more"
        yield Finding(
            names.PICTURES, 0, f"{changed.copies} pictures are copies, not hard links: {more}",
            "Readers load them all the same", "warning", "Copy a release with `cp -a` or `rsync -aH`",
        )  # fmt: skip
