"""Names of files as they were meant: zips and disks of other countries do not say in which encoding theirs are."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Sequence
from typing import Final

UTF8_FLAG: Final = 0x800
UNICODE_PATH: Final = 0x7075
"""Info-ZIP's extra field with the name in UTF-8."""


def member_names(members: Sequence[zipfile.ZipInfo]) -> list[str]:
    """The members' names as they were meant, with slashes; one encoding for all that do not say theirs."""
    raw = [None if member.flag_bits & UTF8_FLAG else _raw(member.filename) for member in members]
    decode = _decoder([name for name in raw if name is not None])
    return [
        (_unicode_path(member) or (member.filename if name is None else decode(name))).replace("\\", "/")
        for member, name in zip(members, raw, strict=True)
    ]


def readable(name: str) -> str:
    """A file system's name as text: bytes that are not UTF-8 are read as what they were meant to be."""
    raw = os.fsencode(name)
    return _decoder([raw])(raw)


def _raw(name: str) -> bytes | None:
    """The bytes that `zipfile` read as code page 437; `None` for a name that it did not."""
    try:
        return name.encode("cp437")
    except UnicodeEncodeError:
        return None


def _unicode_path(member: zipfile.ZipInfo) -> str:
    """The name in Info-ZIP's extra field; "" where there is none."""
    extra = member.extra
    while len(extra) >= 4:
        kind, size = int.from_bytes(extra[:2], "little"), int.from_bytes(extra[2:4], "little")
        if kind == UNICODE_PATH and size > 5:
            return extra[9 : 4 + size].decode("utf-8", "replace")
        extra = extra[4 + size :]
    return ""


def _decoder(names: Sequence[bytes]) -> Callable[[bytes], str]:
    """How to read these names: as UTF-8 where they all are, else in the likeliest encoding of them all."""
    strange = [name for name in names if not name.isascii()]
    best = max(ENCODINGS, key=lambda encoding: _likelihood(strange, encoding)) if strange else "utf-8"
    return lambda name: name.decode(best, "replace")


ENCODINGS: Final = ("utf-8", "gb18030", "cp932", "cp437")
"""In which names are found, the likelier first: of any tool, Chinese, Japanese, Western zips."""


def _likelihood(names: Sequence[bytes], encoding: str) -> float:
    """How much names look as if they were written so, 0 to 1; -1 where they cannot be."""
    try:
        texts = [name.decode(encoding) for name in names]
    except UnicodeDecodeError:
        return -1.0
    if encoding == "utf-8":
        return 1.0
    strange = [char for text in texts for char in text if not char.isascii()]
    return sum(_usual(char, encoding) for char in strange) / len(strange)


def _usual(char: str, encoding: str) -> float:
    """How usual a character is in names written in that encoding."""
    if encoding == "cp437":
        # Letters of Western languages alone; lines and Greek letters are somebody else's bytes.
        return 0.6 if char.isalpha() and char < "\u0180" else 0.0
    if encoding == "cp932" and "\u3040" <= char <= "\u30ff":
        return 1.0
    return 0.8 if _is_common(char, encoding) else 0.0


def _is_common(char: str, encoding: str) -> bool:
    """Whether it is one of the few thousand characters in use (level 1 of GB 2312 and of JIS X 0208)."""
    code = char.encode(encoding)
    if len(code) != 2:
        return False
    low, high, second = (0xB0, 0xD7, 0xA1) if encoding == "gb18030" else (0x88, 0x97, 0x40)
    return low <= code[0] <= high and code[1] >= second
