"""Uploads in pieces: a file of any size arrives bit by bit, and goes on where it stopped.

A piece is appended at the offset it names; one that does not fit is answered with how much there is. The key of
an upload is made by the browser from name, size and date of the file, so that choosing it again resumes.
"""

from __future__ import annotations

import asyncio
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

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from ava_core.base.errors import InputError, QuotaError
from ava_core.base.names import batch_name_for
from ava_core.base.text import gigabytes
from ava_ui import addresses
from ava_ui.known.console import Console

LARGEST_PIECE: Final = 32 << 20
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
                    f"{whose} may hold {gigabytes(quota)} that are no batch yet: {gigabytes(used)} are there, "
                    f"and {gigabytes(more)} more do not fit.",
                    "Add what is uploaded as a batch, or discard it; an admin of this machine may raise the quota.",
                )

    def append(self, key: str, offset: int, piece: bytes) -> int:
        """Append a piece; returns how much there is.

        Raises `InputError` where it does not begin at the end, `QuotaError` where there is no room for it.
        """
        part = self._part(key)
        self.own.mkdir(parents=True, exist_ok=True)
        self.check(len(piece))
        try:
            with part.open("ab") as file:
                # A browser that gave a piece up may send it again while the first is still being written.
                fcntl.flock(file, fcntl.LOCK_EX)
                there = file.seek(0, os.SEEK_END)
                if there != offset:
                    raise InputError(
                        f"{there} bytes are there, the piece begins at {offset}.", "Go on from there."
                    )
                file.write(piece)
                return file.tell()
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise QuotaError(
                "The disk of the inbox is full; what came before is kept.", "Free some space, then go on."
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
            raise InputError(f"{key!r} is no upload.", "Choose the file again.")
        return self.own / f"{key}.part"


def uploads_of(console: Console, person: str) -> Uploads:
    """A person's uploads; on the same disk as the inbox, so that taking them over moves no byte."""
    settings = console.settings
    quota = Quota(int(settings.upload_person_gb * 1e9), int(settings.upload_total_gb * 1e9))
    return Uploads(settings.inbox_dir / ".uploads", person, quota)


def routes(console: Console) -> APIRouter:
    """Pieces in, state out; for admins."""
    router = APIRouter()

    def uploads(request: Request) -> Uploads:
        if request.state.user.role != "admin":
            raise HTTPException(403, "Only admins upload.")
        return uploads_of(console, request.state.user.username)

    @router.get(addresses.UPLOAD)
    def state(request: Request, key: str, size: int = 0) -> Response:
        own = uploads(request)
        received = own.received(key)
        try:
            own.check(max(size - received, 0))
        except QuotaError as error:
            return _too_much(error)
        return JSONResponse({"received": received})

    @router.post(addresses.UPLOAD)
    async def piece(request: Request, key: str, offset: int) -> Response:
        own = uploads(request)
        body = await _measured(request)
        try:
            return JSONResponse({"received": await asyncio.to_thread(own.append, key, offset, body)})
        except QuotaError as error:
            return _too_much(error)
        except InputError:
            return JSONResponse({"received": await asyncio.to_thread(own.received, key)}, 409)

    @router.delete(addresses.UPLOAD)
    def discard(request: Request, key: str) -> JSONResponse:
        uploads(request).discard(key)
        return JSONResponse({"received": 0})

    return router


def _too_much(error: QuotaError) -> Response:
    return PlainTextResponse(str(error), 413)


async def _measured(request: Request) -> bytes:
    """The body, held to its limit by what arrives: a header may say anything, or nothing."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_PIECE:
            raise HTTPException(413, "The piece is too large.")
    return bytes(body)


def _bytes_below(folder: Path) -> int:
    """Bytes of all files below a folder; one that goes away meanwhile counts nothing."""
    sizes = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                sizes += os.stat(os.path.join(place, name)).st_size
    return sizes
