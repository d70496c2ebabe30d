"""Finding the videos of a batch's input: a zip, a folder or a file; nested folders, nested zips one level deep.

Zips are untrusted: paths never leave the target folder, links are not followed, and what unpacks to more than
`MAX_BYTES` or by more than `MAX_RATIO` is refused.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Final

from ava_core.base.errors import InputError

VIDEO_SUFFIXES: Final = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm"})
MAX_BYTES: Final = 2 * 2**40
"""Bytes that a zip may unpack to (2 TiB)."""
MAX_RATIO: Final = 200
"""How much larger than its packed form a member may be; video hardly compresses at all."""
MAX_MEMBERS: Final = 100_000
COPY_CHUNK: Final = 1 << 20


@dataclass(frozen=True)
class FoundVideo:
    """A video of the input. `name` is its path inside the input; `path` is where it can be read."""

    name: str
    path: Path


@contextmanager
def videos_of(source: Path) -> Iterator[list[FoundVideo]]:
    """The videos of `source`, in order of name; unpacked ones live as long as the block.

    Raises `InputError` where there is no such path, it is not a zip, folder or video, or holds no video.
    """
    with tempfile.TemporaryDirectory(prefix="ava-unzip-") as folder:
        found = sorted(_find(source, Path(folder)), key=lambda video: video.name)
        if not found:
            raise InputError(f"{source} holds no video.", _WANTED)
        yield found


def check_input(source: Path) -> None:
    """Refuse what cannot be a batch without unpacking it: wrong path, broken, empty or video-less zip."""
    if source.is_dir():
        if not any(_is_wanted(path.name) and path.is_file() for path in source.rglob("*")):
            raise InputError(f"{source} holds no video.", _WANTED)
    elif source.suffix.lower() == ".zip":
        with _opened(source) as archive:
            if not any(_is_wanted(member.filename) for member in archive.infolist()):
                raise InputError(f"{source} holds no video.", _WANTED)
    elif not source.exists():
        raise InputError(f"{source} does not exist.", "Give a zip, a folder or a video.")
    elif source.suffix.lower() not in VIDEO_SUFFIXES:
        raise InputError(f"{source} is neither a zip nor a folder nor a video.", _WANTED)


_WANTED: Final = f"Videos end in {', '.join(sorted(VIDEO_SUFFIXES))}."


def _find(source: Path, scratch: Path) -> Iterator[FoundVideo]:
    check_input(source)
    if source.is_dir():
        for path in source.rglob("*"):
            name = path.relative_to(source).as_posix()
            if path.is_symlink() or not path.is_file() or not _is_wanted(name):
                continue
            if path.suffix.lower() == ".zip":
                yield from _unpack(path, scratch, name, nested=True)
            else:
                yield FoundVideo(name, path)
    elif source.suffix.lower() == ".zip":
        yield from _unpack(source, scratch, "", nested=False)
    else:
        yield FoundVideo(source.name, source)


def _unpack(archive_path: Path, scratch: Path, prefix: str, *, nested: bool) -> Iterator[FoundVideo]:
    with _opened(archive_path) as archive:
        for number, member in enumerate(archive.infolist()):
            if member.is_dir() or not _is_wanted(member.filename) or _is_link(member):
                continue
            name = "/".join(part for part in (prefix, *_safe_parts(member.filename)) if part)
            # The name on disk is ours: nothing of the member's own path can lead elsewhere.
            suffix = PurePosixPath(name).suffix.lower()
            target = scratch / f"{len(prefix)}_{archive_path.stem[:40]}_{number}{suffix}"
            _extract(archive, member, target, archive_path)
            if suffix != ".zip":
                yield FoundVideo(name, target)
            elif not nested:
                yield from _unpack(target, scratch, name, nested=True)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    if not path.is_file():
        raise InputError(f"{path} does not exist.", "Give a zip, a folder or a video.")
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise InputError(f"{path} cannot be read as a zip: {error}.", "Make or copy it again.") from None
    with archive:
        members = archive.infolist()
        if not members:
            raise InputError(f"{path} is empty.", "Put videos into the zip.")
        if len(members) > MAX_MEMBERS:
            raise InputError(f"{path} holds {len(members)} files; {MAX_MEMBERS} is the limit.", "Split it.")
        if sum(member.file_size for member in members) > MAX_BYTES:
            raise InputError(f"{path} would unpack to more than {MAX_BYTES >> 40} TiB.", "Split it.")
        yield archive


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, origin: Path) -> None:
    if member.flag_bits & 0x1:
        raise InputError(f"{origin}: {member.filename} is encrypted.", "Make the zip without a password.")
    limit = MAX_RATIO * max(member.compress_size, COPY_CHUNK)
    try:
        with archive.open(member) as packed, target.open("wb") as plain:
            _copy_at_most(packed, plain, limit, f"{origin}: {member.filename}")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        # A member that does not unpack becomes an empty file: probing quarantines it, the others go on.
        target.write_bytes(b"")


def _copy_at_most(source: IO[bytes], sink: IO[bytes], limit: int, what: str) -> None:
    written = 0
    while chunk := source.read(COPY_CHUNK):
        written += len(chunk)
        if written > limit:
            raise InputError(
                f"{what} unpacks to more than {MAX_RATIO} times its size.", "It looks like a zip bomb."
            )
        sink.write(chunk)


def _safe_parts(name: str) -> list[str]:
    return [part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", "..", ".", "")]


def _is_wanted(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    hidden = any(part == "__MACOSX" or part.startswith("._") for part in path.parts)
    return not hidden and path.suffix.lower() in VIDEO_SUFFIXES | {".zip"}


def _is_link(member: zipfile.ZipInfo) -> bool:
    return (member.external_attr >> 28) == 0o12


def copy_file(source: Path, target: Path) -> None:
    """Copy a video to its place."""
    with source.open("rb") as reader, target.open("wb") as writer:
        shutil.copyfileobj(reader, writer, COPY_CHUNK)
