"""Finding the videos of a batch's input: a zip, a folder or a file; nested folders, and zips in zips.

Every file becomes a find, whatever its name ends in: what it is, probing tells. What cannot even be unpacked is
found with its problem, and costs nothing else. Only what systems leave behind on their own is passed over.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ava_core.base.errors import InputError, MediaError
from ava_core.video.intake.kinds import (
    VIDEO_SUFFIXES,
    ZIP,
    is_junk,
    is_zip,
    may_be_video,
    other_archive,
    suffix_of,
)
from ava_core.video.intake.member_names import readable
from ava_core.video.intake.unzip import COPY_CHUNK, CannotUnpackError, Zip, not_opened, opened_zip, safe_name
from ava_core.video.media.reading import opened

PLAIN_SUFFIX: Final = re.compile(r"\.[a-z0-9]{1,8}")
"""Endings that go into a file name of ours."""


@dataclass(frozen=True)
class FoundVideo:
    """A file of the input that may be a video.

    `name` is its path inside the input; `path` is where it can be read, `None` where `problem` says why it cannot.
    """

    name: str
    path: Path | None
    problem: str = ""


@contextmanager
def videos_of(source: Path) -> Iterator[list[FoundVideo]]:
    """The files of `source` that may be videos, in order of name; unpacked ones live as long as the block.

    Raises `InputError` where `check_input` does.
    """
    check_input(source)
    with tempfile.TemporaryDirectory(prefix="ava-unzip-") as folder:
        yield sorted(_find(source, Path(folder)), key=lambda video: video.name)


def check_input(source: Path) -> None:
    """Refuse what cannot be a batch without unpacking it.

    That is: a wrong path; a zip that is broken, empty or encrypted; an archive of another kind; a file that is no
    video; and a folder or zip that holds none.
    """
    if source.is_dir():
        if not any(may_be_video(path.name) and path.is_file() for path in source.rglob("*")):
            raise InputError(f"{source} contains no video.", "Give videos, or a zip or folder of them.")
    elif not source.exists():
        raise InputError(f"{source} does not exist.", "Give a zip, a folder or a video.")
    elif _is_zip(source):
        with opened_zip(source) as archive:
            _check_zip(archive)
    elif kind := other_archive(source):
        raise not_opened(source, kind)
    elif suffix_of(source.name) not in VIDEO_SUFFIXES:
        _check_video(source)


def _check_zip(archive: Zip) -> None:
    wanted = [name for name in archive.members if may_be_video(name)]
    if not wanted:
        raise InputError(f"{archive.path} contains no video.", "Put videos in the zip.")
    problems = [archive.problem(name) for name in wanted]
    if all(problems):
        raise InputError(f"{archive.path} cannot be unpacked. {wanted[0]}: {problems[0]}.")


def _check_video(path: Path) -> None:
    try:
        with opened(path):
            pass
    except MediaError as error:
        raise InputError(
            f"{path} is neither a zip nor a folder nor a video: {error.message}.", "Give one of them."
        ) from None


def _is_zip(path: Path) -> bool:
    return suffix_of(path.name) == ZIP or (suffix_of(path.name) not in VIDEO_SUFFIXES and is_zip(path))


def _find(source: Path, scratch: Path) -> Iterator[FoundVideo]:
    if not source.is_dir():
        if _is_zip(source):
            yield from _unpack(source, scratch, "", nested=False)
        else:
            yield FoundVideo(readable(source.name), source)
        return
    for path in sorted(source.rglob("*")):
        name = readable(path.relative_to(source).as_posix())
        if path.is_symlink() or not path.is_file() or is_junk(name):
            continue
        if suffix_of(name) == ZIP:
            yield from _opened_inside(path, scratch, name, nested=False)
        else:
            yield FoundVideo(name, path)


def _opened_inside(path: Path, scratch: Path, name: str, *, nested: bool) -> Iterator[FoundVideo]:
    """What a zip that lies in the input holds; the zip itself with its problem where it cannot be opened."""
    try:
        yield from _unpack(path, scratch, name, nested=nested)
    except InputError as error:
        yield FoundVideo(name, None, error.message.replace(str(path), "it").rstrip("."))


def _unpack(path: Path, scratch: Path, prefix: str, *, nested: bool) -> Iterator[FoundVideo]:
    # The folder and the names on disk are ours: nothing of a member's own path can lead elsewhere.
    folder = Path(tempfile.mkdtemp(dir=scratch))
    with opened_zip(path) as archive:
        for number, member in enumerate(archive.members):
            name = "/".join(part for part in (prefix, safe_name(member)) if part)
            if is_junk(name):
                continue
            if nested and suffix_of(name) == ZIP:
                yield FoundVideo(name, None, "it is nested two zips deep; unpack the outer ones first")
                continue
            target = folder / f"{number}{plain_suffix(name)}"
            try:
                archive.extract(member, target)
            except CannotUnpackError as error:
                yield FoundVideo(name, None, error.message)
                continue
            if suffix_of(name) != ZIP:
                yield FoundVideo(name, target)
            else:
                yield from _opened_inside(target, scratch, name, nested=True)
                target.unlink()


def plain_suffix(name: str) -> str:
    """The ending of a name if it can be that of a file of ours, else none."""
    suffix = suffix_of(name)
    return suffix if PLAIN_SUFFIX.fullmatch(suffix) else ""


def copy_file(source: Path, target: Path) -> None:
    """Copy a video to its place."""
    with source.open("rb") as reader, target.open("wb") as writer:
        shutil.copyfileobj(reader, writer, COPY_CHUNK)
