"""Reading zips of any maker; they are untrusted.

Paths never lead anywhere, links are not followed, and what unpacks to much more than its packed size is left.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Final

from ava_core.base.errors import InputError
from ava_core.video.intake.kinds import is_zip, other_archive
from ava_core.video.intake.member_names import member_names

MAX_BYTES: Final = 2 * 2**40
"""Bytes that a zip may unpack to (2 TiB)."""
MAX_RATIO: Final = 200
"""How much larger than its packed form a member may be; video hardly compresses at all."""
MAX_MEMBERS: Final = 100_000
COPY_CHUNK: Final = 1 << 20
ENCRYPTED: Final = 0x1
DEFLATE64: Final = 9
"""What Windows packs files with that are larger than 2 GB; `zipfile` does not know it."""
READABLE: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, DEFLATE64, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
METHODS: Final = {1: "Shrink", 6: "Implode", 20: "Zstandard", 93: "Zstandard", 95: "XZ", 96: "JPEG", 97: "WavPack",
                  98: "PPMd", 99: "AES"}  # fmt: skip
"""Names of methods that are not read (PKWARE's APPNOTE, 4.4.5)."""
LOCAL_HEADER: Final = struct.Struct("<4s22xHH")


class CannotUnpackError(InputError):
    """A member cannot be unpacked; the others can."""


class Zip:
    """An open zip: its members by the names that were meant."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path, self._archive = path, archive
        found = archive.infolist()
        self.members = {
            name: member
            for name, member in zip(member_names(found), found, strict=True)
            if not member.is_dir() and not _is_link(member)
        }

    def problem(self, name: str) -> str:
        """Why a member cannot be unpacked, as far as its header says; "" where it can."""
        member = self.members[name]
        if member.flag_bits & ENCRYPTED:
            return "it is encrypted; make the zip without a password"
        if member.compress_type not in READABLE:
            method = METHODS.get(member.compress_type, f"method {member.compress_type}")
            return f"it is packed with {method}, which is not supported; use Deflate"
        return ""

    def extract(self, name: str, target: Path) -> None:
        """Unpack a member. Raises `CannotUnpackError` with the reason; nothing is left behind."""
        problem = self.problem(name)
        if problem:
            raise CannotUnpackError(problem)
        member = self.members[name]
        try:
            _write_at_most(self._chunks(member), target, MAX_RATIO * max(member.compress_size, COPY_CHUNK))
        except CannotUnpackError:
            target.unlink(missing_ok=True)
            raise
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError) as error:
            target.unlink(missing_ok=True)
            if isinstance(error, OSError) and error.errno:
                raise
            raise CannotUnpackError(f"it is damaged inside the zip ({error})") from None

    def _chunks(self, member: zipfile.ZipInfo) -> Iterator[bytes]:
        if member.compress_type == DEFLATE64:
            yield from _deflate64(self.path, member)
            return
        with self._archive.open(member) as packed:
            while chunk := packed.read(COPY_CHUNK):
                yield chunk


@contextmanager
def opened_zip(path: Path) -> Iterator[Zip]:
    """The zip at `path`. Raises `InputError` where it cannot be read, is empty or too large."""
    if not path.is_file():
        raise InputError(f"{path} does not exist.", "Give a zip, a folder or a video.")
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise _refusal(path, error) from None
    with archive:
        members = archive.infolist()
        if not members:
            raise InputError(f"{path} is empty.", "Put videos in the zip.")
        if len(members) > MAX_MEMBERS:
            raise InputError(f"{path} holds {len(members)} files; {MAX_MEMBERS} is the limit.", "Split it.")
        if sum(member.file_size for member in members) > MAX_BYTES:
            raise InputError(f"{path} would unpack to more than {MAX_BYTES >> 40} TiB.", "Split it.")
        yield Zip(path, archive)


def not_opened(path: Path, kind: str) -> InputError:
    """The refusal of an archive of a kind that is not opened."""
    article = "an" if kind[0] in "xX" else "a"
    return InputError(
        f"{path} is {article} {kind} archive.", "Unpack it and give the folder, or a zip of it."
    )


def _refusal(path: Path, error: Exception) -> InputError:
    kind = other_archive(path)
    if kind:
        return not_opened(path, kind)
    if is_zip(path):
        return InputError(
            f"{path} is cut short, or one part of several: its list of contents is missing.",
            "Copy it again, or join its parts.",
        )
    return InputError(f"{path} cannot be read as a zip: {error}.", "Make or copy it again.")


def safe_name(name: str) -> str:
    """A member's path with nothing in it that leads elsewhere."""
    return "/".join(part for part in PurePosixPath(name).parts if part not in ("/", "..", ".", ""))


def _is_link(member: zipfile.ZipInfo) -> bool:
    return (member.external_attr >> 28) == 0o12


def _write_at_most(chunks: Iterator[bytes], target: Path, limit: int) -> None:
    written = 0
    with target.open("wb") as plain:
        for chunk in chunks:
            written += len(chunk)
            if written > limit:
                raise CannotUnpackError(
                    f"it unpacks to more than {MAX_RATIO} times its size: it is almost all zeros"
                )
            plain.write(chunk)


def _deflate64(path: Path, member: zipfile.ZipInfo) -> Iterator[bytes]:
    from stream_inflate import StreamInflateError, stream_inflate64

    unpack, _, _ = stream_inflate64()
    checksum = 0
    try:
        for chunk in unpack(_packed(path, member)):
            checksum = zlib.crc32(chunk, checksum)
            yield chunk
    except StreamInflateError as error:
        raise zipfile.BadZipFile(str(error) or type(error).__name__) from None
    if checksum != member.CRC:
        raise zipfile.BadZipFile("its checksum is wrong")


def _packed(path: Path, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """A member's bytes as they lie in the file (APPNOTE, 4.3.7)."""
    with path.open("rb") as file:
        file.seek(member.header_offset)
        mark, name, extra = LOCAL_HEADER.unpack(file.read(LOCAL_HEADER.size))
        if mark != b"PK\x03\x04":
            raise zipfile.BadZipFile("it does not begin where the list of contents says")
        file.seek(name + extra, 1)
        left = member.compress_size
        while left > 0 and (chunk := file.read(min(COPY_CHUNK, left))):
            left -= len(chunk)
            yield chunk
    if left:
        raise zipfile.BadZipFile("it is cut short")
