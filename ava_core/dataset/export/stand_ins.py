"""Pictures that lie in an object store already: small files stand in for them, and the store itself copies them.

A stand-in is linked and copied like a picture. When the folder it ends in is sent, the store is told to copy what it
stands for: no byte of a picture passes through this machine.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from upath import UPath

MARK: Final = b"ava stand-in for "
"""No picture begins so."""
MOST_BYTES: Final = 2000
"""Of a stand-in: keys of object stores have 1024 bytes at most."""


def stand_in_for(source: UPath, folder: Path) -> Path:
    """A folder of stand-ins for all files of a folder elsewhere, by one question; an empty file stays one."""
    folder.mkdir(parents=True)
    if source.exists():
        for path, about in source.fs.find(source.path, detail=True).items():
            name = path.rsplit("/", 1)[-1]
            (folder / name).write_bytes(MARK + path.encode() if about["size"] else b"")
    return folder


def stands_for(path: Path) -> str:
    """What a file stands in for, as its file system writes it; "" where it is a file of its own."""
    if path.stat().st_size > MOST_BYTES:
        return ""
    content = path.read_bytes()
    return content.removeprefix(MARK).decode() if content.startswith(MARK) else ""
