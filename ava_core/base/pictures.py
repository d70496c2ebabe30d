"""Pictures that a stranger may have made: their size is read before they are unpacked."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from ava_core.base.errors import MediaError

if TYPE_CHECKING:
    from pathlib import Path
    from zipfile import ZipFile

    import numpy as np
    import numpy.typing as npt

MAX_PIXELS: Final = 1 << 26
"""8192 × 8192: cameras have less, and a picture of as many takes 200 MB in memory."""

MAX_BYTES: Final = 1 << 27

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"
_SIZES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of a JPEG behind which its size stands (ISO/IEC 10918-1, table B.1)."""


def size_of(content: bytes) -> tuple[int, int] | None:
    """Width and height in pixels as a JPEG or PNG says itself; `None` where it is neither, or cut before that."""
    if content.startswith(_PNG):
        return struct.unpack(">II", content[16:24]) if len(content) >= 24 else None
    if not content.startswith(_JPEG):
        return None
    place = 2
    while place + 9 <= len(content) and content[place] == 0xFF:
        marker = content[place + 1]
        if marker in _SIZES:
            height, width = struct.unpack(">HH", content[place + 5 : place + 9])
            return width, height
        if marker == 0xFF:  # a filling byte
            place += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD9:  # marks without content
            place += 2
        else:
            place += 2 + struct.unpack(">H", content[place + 2 : place + 4])[0]
    return None


def decode_picture(content: bytes, name: str) -> npt.NDArray[np.uint8]:
    """A JPEG or PNG as rows, columns, BGR. Raises `MediaError` that calls it `name`."""
    import cv2
    import numpy as np

    _must_fit(len(content), name)
    size = size_of(content)
    if size is None or 0 in size:
        raise MediaError(f"{name} is not a JPEG or PNG.", "Replace it with a picture.")
    if size[0] * size[1] > MAX_PIXELS:
        raise MediaError(f"{name} is a picture of {size[0]}×{size[1]} pixels.", f"The limit is {MAX_PIXELS}.")
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise MediaError(f"{name} is damaged.", "Write it again.")
    return np.asarray(picture, dtype=np.uint8)


def read_picture(path: Path) -> npt.NDArray[np.uint8]:
    """As `decode_picture`, of a file."""
    _must_fit(path.stat().st_size, path.name)
    return decode_picture(path.read_bytes(), path.name)


def picture_in(archive: ZipFile, name: str) -> npt.NDArray[np.uint8]:
    """As `decode_picture`, of a file in a zip."""
    _must_fit(archive.getinfo(name).file_size, name)
    return decode_picture(archive.read(name), name)


def _must_fit(size: int, name: str) -> None:
    if size > MAX_BYTES:
        raise MediaError(f"{name} is larger than {MAX_BYTES >> 20} MiB.", "Make the picture smaller.")
