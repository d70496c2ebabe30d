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
WITHIN: Final = "\n"
"""Between a tar file and the name of a picture in it."""


def write_stand_in(path: Path, source: str, member: str = "") -> None:
    """Let `path` stand in for an object `source` of the store, or for a member of that tar file."""
    path.write_bytes(MARK + (f"{source}{WITHIN}{member}" if member else source).encode())


def stand_in_for(source: UPath, folder: Path) -> Path:
    """A folder of stand-ins for all files of a folder elsewhere, by one question; an empty file stays one."""
    folder.mkdir(parents=True)
    if source.exists():
        for path, about in source.fs.find(source.path, detail=True).items():
            name = path.rsplit("/", 1)[-1]
            if about["size"]:
                write_stand_in(folder / name, path)
            else:
                (folder / name).touch()
    return folder


def stands_for(path: Path) -> tuple[str, str]:
    """What a file stands in for, as its file system writes it, and the member of it, "" for the whole.

    Two times "" where it is a file of its own.
    """
    if path.stat().st_size > MOST_BYTES:
        return "", ""
    content = path.read_bytes()
    if not content.startswith(MARK):
        return "", ""
    source, _, member = content.removeprefix(MARK).decode().partition(WITHIN)
    return source, member
