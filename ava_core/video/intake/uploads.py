"""Uploads on their way to a batch: written piece by piece, resumed where they stopped, held to a quota."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

from ava_core.base.errors import InputError, QuotaError
from ava_core.base.names import batch_name_for
from ava_core.base.settings import Settings
from ava_core.base.text import gigabytes

_KEY: Final = re.compile(r"[0-9a-f]{16,64}")


@dataclass(frozen=True)
class Quota:
    """Bytes of uploads that are no batch yet: of one person, of all together."""

    person: int
    total: int


@dataclass(frozen=True)
class Uploads:
    """One person's files on their way; everybody's lie below `folder`, each person's in a folder of their own."""

    folder: Path
    person: str
    quota: Quota

    @property
    def own(self) -> Path:
        """The person's folder; a name may hold what no path may."""
        return self.folder / hashlib.sha256(self.person.encode()).hexdigest()[:16]

    def received(self, key: str) -> int:
        """Bytes that are there."""
        path = self._part(key)
        return path.stat().st_size if path.exists() else 0

    def used(self) -> int:
        """Bytes of this person's uploads that are no batch yet."""
        return _bytes_below(self.own)

    def check(self, more: int) -> None:
        """Raises `QuotaError` where so many bytes more are too many."""
        for quota, used, whose in (
            (self.quota.person, self.used(), "Your uploads"),
            (self.quota.total, _bytes_below(self.folder), "All people's uploads together"),
        ):
            if used + more > quota:
                raise QuotaError(
                    f"{whose} may hold {gigabytes(quota)} that are not yet a batch: {gigabytes(used)} are "
                    f"used, and {gigabytes(more)} more do not fit.",
                    "Add the uploads as a batch, or discard them; an admin of this machine can raise the "
                    "quota.",
                )

    def append(self, key: str, offset: int, *parts: bytes) -> int:
        """Append a piece, in the parts it came in; returns how much there is.

        Joined to one, a piece would lie in memory twice, which costs more time than all the rest of its way.
        Raises `InputError` where it does not begin at the end, `QuotaError` where there is no room for it.
        """
        part = self._part(key)
        self.own.mkdir(parents=True, exist_ok=True)
        self.check(sum(map(len, parts)))
        try:
            with part.open("ab") as file:
                # A browser that gave a piece up may send it again while the first is still being written.
                fcntl.flock(file, fcntl.LOCK_EX)
                there = file.seek(0, os.SEEK_END)
                if there != offset:
                    raise InputError(
                        f"{there} bytes are there, but the chunk begins at {offset}.", "Resume from there."
                    )
                file.writelines(parts)
                return file.tell()
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise QuotaError(
                "The disk of the inbox is full; the upload so far is kept.", "Free some space, then resume."
            ) from None

    def discard_all(self) -> None:
        """Forget all of this person's uploads that are no batch yet."""
        shutil.rmtree(self.own, ignore_errors=True)

    def discard(self, key: str) -> None:
        """Forget an upload."""
        self._part(key).unlink(missing_ok=True)

    @contextmanager
    def taken(self, names: Mapping[str, str]) -> Iterator[Path]:
        """Finished uploads under their own names (by key): the file itself, or a folder of several.

        They are gone when the block ends well, and wait as before when it raises.
        """
        if not names:
            raise InputError("Nothing was uploaded.", "Choose a file first.")
        plain = {
            key: PurePath(name.replace("\\", "/")).name.lstrip(".") or "upload" for key, name in names.items()
        }
        folder = self.own / secrets.token_hex(8) / batch_name_for(next(iter(plain.values())))
        folder.mkdir(parents=True)
        for key, name in plain.items():
            self._part(key).rename(folder / name)
        try:
            yield folder / next(iter(plain.values())) if len(plain) == 1 else folder
        except BaseException:
            for key, name in plain.items():
                (folder / name).rename(self._part(key))
            raise
        finally:
            shutil.rmtree(folder.parent, ignore_errors=True)

    def _part(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise InputError(f"{key!r} is not an upload.", "Choose the file again.")
        return self.own / f"{key}.part"


def uploads_of(settings: Settings, person: str) -> Uploads:
    """A person's uploads; on the same disk as the inbox, so that taking them over moves no byte."""
    quota = Quota(int(settings.upload_person_gb * 1e9), int(settings.upload_total_gb * 1e9))
    return Uploads(settings.inbox_dir / ".uploads", person, quota)


def _bytes_below(folder: Path) -> int:
    """Bytes of all files below a folder; one that goes away meanwhile counts nothing."""
    sizes = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                sizes += os.stat(os.path.join(place, name)).st_size
    return sizes
