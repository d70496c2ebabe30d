"""Uploads in pieces: a file of any size arrives bit by bit, and goes on where it stopped.

A piece is appended at the offset it names; one that does not fit is answered with how much there is. The key of
an upload is made by the browser from name, size and date of the file, so that choosing it again resumes.
"""

from __future__ import annotations

import asyncio
from typing import Final

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from ava_core.base.errors import InputError, QuotaError
from ava_core.video.intake.uploads import Uploads, uploads_of
from ava_ui import addresses
from ava_ui.known.console import Console

LARGEST_PIECE: Final = 32 << 20


def routes(console: Console) -> APIRouter:
    """Pieces in, state out; for admins."""
    router = APIRouter()

    def uploads(request: Request) -> Uploads:
        if request.state.user.role != "admin":
            raise HTTPException(403, "Only admins can upload.")
        return uploads_of(console.settings, request.state.user.username)

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
        parts = await _measured(request)
        try:
            return JSONResponse({"received": await asyncio.to_thread(own.append, key, offset, *parts)})
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


async def _measured(request: Request) -> list[bytes]:
    """The body in the parts it came in, held to its limit by what arrives: a header may say anything, or nothing."""
    parts, size = list[bytes](), 0
    async for part in request.stream():
        parts.append(part)
        size += len(part)
        if size > LARGEST_PIECE:
            raise HTTPException(413, "The chunk is too large.")
    return parts
