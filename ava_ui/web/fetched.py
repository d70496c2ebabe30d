"""Files of an object store that the console serves: fetched once, until they change or others need the room."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
from pathlib import Path
from typing import Final

from upath import UPath

MOST_BYTES: Final = 4 << 30
"""What may be kept: some hundred clips."""

CONTENT: Final = ("ETag", "etag", "md5", "LastModified", "created", "mtime", "size")
"""What stores say of a file that changes with its content."""

PART: Final = ".part"
"""Ends the name of a file that is being fetched."""


class FetchedFiles:
    """Files by address and content: one that is written anew under its address is another one. Safe in threads.

    `folder`: where they are kept; `most`: their bytes together, beyond which the least recently used go.
    """

    def __init__(self, folder: Path, *, most: int = MOST_BYTES) -> None:
        self.folder, self.most = folder, most

    def here(self, path: UPath) -> Path:
        """The file on this machine. Raises `FileNotFoundError` where there is none."""
        kept = self.folder / f"{_key(path)}{path.suffix}"
        with contextlib.suppress(FileNotFoundError):
            os.utime(kept)
            return kept
        self.folder.mkdir(parents=True, exist_ok=True)
        # In the same folder: a temporary one may lie on another disk, from which nothing can be moved as a whole.
        part = self.folder / f".{secrets.token_hex(8)}{PART}"
        try:
            with path.open("rb") as source, part.open("wb") as sink:
                shutil.copyfileobj(source, sink)
            part.replace(kept)
        finally:
            part.unlink(missing_ok=True)
        self._make_room(kept)
        return kept

    def _make_room(self, newest: Path) -> None:
        """Let go of what was asked for the longest ago; who is still being served it has it open."""
        found = []
        for file in self.folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                stat = file.stat()
                if file != newest and file.suffix != PART:
                    found.append((stat.st_mtime_ns, stat.st_size, file))
        room = self.most - newest.stat().st_size
        for _, size, file in sorted(found, reverse=True):
            room -= size
            if room < 0:
                file.unlink(missing_ok=True)


def _key(path: UPath) -> str:
    """A name for a file as it is now: its address with what the store says of its content."""
    about = path.fs.info(path.path)
    content = [str(about.get(name, "")) for name in CONTENT]
    return hashlib.sha256("\n".join([str(path), *content]).encode()).hexdigest()
