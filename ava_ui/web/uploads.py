"""Uploads in pieces: a file of any size arrives bit by bit, and goes on where it stopped.

A piece is appended at the offset it names; one that does not fit is answered with how much there is. The key of
an upload is made by the browser from name, size and date of the file, so that choosing it again resumes.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse

from ava_core.base.errors import InputError
from ava_core.base.names import batch_name_for
from ava_ui import addresses
from ava_ui.known.console import Console

LARGEST_PIECE: Final = 32 << 20
_KEY: Final = re.compile(r"[0-9a-f]{16,64}")


@dataclass(frozen=True)
class Uploads:
    """Files on their way, below one folder."""

    folder: Path

    def received(self, key: str) -> int:
        """Bytes that are there."""
        path = self._part(key)
        return path.stat().st_size if path.exists() else 0

    def append(self, key: str, offset: int, piece: bytes) -> int:
        """Append a piece; returns how much there is. Raises `InputError` where it does not begin at the end."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._part(key).open("ab") as file:
            if file.tell() != offset:
                raise InputError(
                    f"{file.tell()} bytes are there, the piece begins at {offset}.", "Go on from there."
                )
            file.write(piece)
            return file.tell()

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
        folder = self.folder / secrets.token_hex(8) / batch_name_for(next(iter(plain.values())))
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
        return self.folder / f"{key}.part"


def uploads_of(console: Console) -> Uploads:
    """The console's uploads; on the same disk as the inbox, so that taking them over moves no byte."""
    return Uploads(console.settings.inbox_dir / ".uploads")


def routes(console: Console) -> APIRouter:
    """Pieces in, state out; for admins."""
    router = APIRouter()
    uploads = uploads_of(console)

    @router.get(addresses.UPLOAD)
    def state(request: Request, key: str) -> JSONResponse:
        _admin(request)
        return JSONResponse({"received": uploads.received(key)})

    @router.post(addresses.UPLOAD)
    async def piece(request: Request, key: str, offset: int) -> JSONResponse:
        _admin(request)
        body = await _measured(request)
        try:
            return JSONResponse({"received": await asyncio.to_thread(uploads.append, key, offset, body)})
        except InputError:
            return JSONResponse({"received": await asyncio.to_thread(uploads.received, key)}, 409)

    @router.delete(addresses.UPLOAD)
    def discard(request: Request, key: str) -> JSONResponse:
        _admin(request)
        uploads.discard(key)
        return JSONResponse({"received": 0})

    return router


async def _measured(request: Request) -> bytes:
    """The body, held to its limit by what arrives: a header may say anything, or nothing."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_PIECE:
            raise HTTPException(413, "The piece is too large.")
    return bytes(body)


def _admin(request: Request) -> None:
    if request.state.user.role != "admin":
        raise HTTPException(403, "Only admins upload.")
