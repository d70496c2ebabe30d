"""Opening an export: the zip that CVAT sends or the XML itself, made by whomever."""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile, ZipFile

from ava_core.base.errors import InputError

MAX_BYTES: Final = 1 << 28
"""A clip with a box on each frame is a megabyte and a half."""
MAX_PARTS: Final = 20_000_000
"""Marks and attributes; what is made of each takes a hundred bytes. Exports have one for each dozen of theirs."""
MEMBER: Final = "annotations.xml"
"""The file in the zip that CVAT sends."""
ZIP_START: Final = b"PK"


def file_name(path: Path) -> str:
    """The file with its folder, as it can be printed: names of files may hold bytes that are not text."""
    return "/".join(path.absolute().parts[-2:]).encode("utf-8", "replace").decode()


def open_document(path: Path) -> Any:
    """The root element of an export. Raises `InputError` where it is no CVAT XML 1.1."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    content = _text(path)
    if content.count(b"<") + content.count(b"=") > MAX_PARTS:
        raise _too_large(path)
    try:
        root = fromstring(content)
    except DefusedXmlException as error:
        raise InputError(
            f"{file_name(path)} declares entities, which exports never do: {type(error).__name__}.",
            "Export it again.",
        ) from None
    except (ParseError, ValueError, LookupError) as error:
        raise InputError(f"{file_name(path)} is not XML: {error}.", "Export it again.") from None
    if root.tag != "annotations" or (root.findtext("version") or "").strip() != "1.1":
        raise InputError(f"{file_name(path)} is not CVAT XML 1.1.", "Export as `CVAT for video 1.1`.")
    return root


def _text(path: Path) -> bytes:
    """The XML itself. What a file is shows in its first bytes, whatever it is called."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _too_large(path)
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{file_name(path)} cannot be read: {error.strerror}.", "Give CVAT's export."
        ) from None
    if not content.startswith(ZIP_START) and path.suffix.lower() != ".zip":
        return content
    try:
        with ZipFile(io.BytesIO(content)) as archive:
            info = archive.getinfo(MEMBER)
            if info.file_size > MAX_BYTES:
                raise _too_large(path)
            return archive.read(info)
    except (KeyError, BadZipFile):
        raise InputError(f"{file_name(path)} holds no {MEMBER}.", "Use CVAT's export unchanged.") from None
    except (RuntimeError, NotImplementedError, OSError, EOFError, ValueError, zlib.error) as error:
        raise InputError(
            f"{MEMBER} in {file_name(path)} cannot be unpacked: {error}.", "Export it again."
        ) from None


def _too_large(path: Path) -> InputError:
    return InputError(
        f"{file_name(path)} has more than {MAX_BYTES >> 20} MiB or {MAX_PARTS} tags and attributes.",
        "Export one task at a time.",
    )
