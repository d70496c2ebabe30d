"""Uploads: taking a task's media, in bundles or as resumable files."""

from __future__ import annotations

import base64
import os
import uuid
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.types import Message, Receive

from ava_core.annotation_server import bodies
from ava_core.annotation_server.access import Caller, CallerOf
from ava_core.annotation_server.answers import CvatJSON
from ava_core.annotation_server.changes import task_changes
from ava_core.annotation_server.fields import json_body, read
from ava_core.annotation_server.problems import Problem, not_found, unsupported
from ava_core.annotation_server.removal import media_folder
from ava_core.annotation_server.requests import must_take_media, start_processing
from ava_core.annotation_server.state import Document
from ava_core.annotation_server.tasks import managed_task

router = APIRouter(prefix="/api")

MAX_FILES = 10_000
"""Files in one bundle."""
MAX_NAME = 50
"""Characters of a file's name, and of its suffix; a file system takes 255 bytes, and a character four of them."""
FRAMING = 2**20
"""Bytes of a bundle that are not media: its borders and fields."""
PARTS = "parts"
"""The folder in which files lie that are not yet whole."""
TUS = {"Tus-Resumable": "1.0.0", "Tus-Version": "1.0.0", "Tus-Extension": "creation"}
"""What every answer of a resumable upload says of the protocol (tus.io, version 1.0)."""


@router.post("/tasks/{number}/data")
@router.post("/tasks/{number}/data/")
async def upload(number: int, request: Request, caller: CallerOf) -> Response:
    """Take media: a call with `Upload-Start`, then bundles or resumable files, then one with `Upload-Finish`."""
    task, headers = managed_task(caller, number), request.headers
    must_take_media(caller, task)
    if "Upload-Start" in headers:
        if task["upload"] == "empty":
            with task_changes(caller, task):
                task["upload"] = "begun"
        return Response(status_code=202)
    if "Upload-Length" in headers:
        return _begin_file(caller, task, headers)
    if headers.get("Content-Type", "").startswith("multipart/form-data"):
        given: Any = await _take_bundle(request, caller, task)
        if "Upload-Multiple" in headers:
            return Response(status_code=200)
    else:
        given = await json_body(request)
    options = read(bodies.Media, given)
    if options.validation_params:
        raise unsupported("Ground truth and honeypots")
    return CvatJSON({"rq_id": start_processing(caller, task, options.model_dump())}, 202)


@router.patch("/tasks/{number}/data/{file_id}", status_code=204, response_class=Response)
async def append(number: int, file_id: str, request: Request, caller: CallerOf) -> Response:
    """More of a resumable file, from `Upload-Offset` on."""
    known = _begun_file(caller, number, file_id)
    part = media_folder(caller.state, number) / PARTS / file_id
    offset = part.stat().st_size
    if request.headers.get("Upload-Offset") != str(offset):
        sentence = f"The upload stands at {offset} bytes."
        raise Problem(409, {"detail": sentence}, TUS | _file_headers(known, offset))
    with part.open("ab") as file:
        async for chunk in request.stream():
            offset += len(chunk)
            if offset > known["length"]:
                raise Problem(413, {"detail": "More bytes than were announced."})
            file.write(chunk)
    if offset == known["length"]:
        part.replace(media_folder(caller.state, number) / known["name"])
        del caller.state.uploads[file_id]
    return Response(status_code=204, headers=TUS | _file_headers(known, offset))


@router.head("/tasks/{number}/data/{file_id}", response_class=Response)
def offset(number: int, file_id: str, caller: CallerOf) -> Response:
    """How much of a resumable file is here."""
    known = _begun_file(caller, number, file_id)
    size = (media_folder(caller.state, number) / PARTS / file_id).stat().st_size
    return Response(headers=TUS | _file_headers(known, size) | {"Upload-Length": str(known["length"])})


def _begin_file(caller: Caller, task: Document, headers: Any) -> Response:
    """Announce a resumable file; its address is the answer."""
    metadata = dict(
        part.split(" ", 1) for part in headers.get("Upload-Metadata", "").split(",") if " " in part
    )
    try:
        name = _file_name(base64.b64decode(metadata.get("filename", "")).decode(errors="replace"))
        length = int(headers["Upload-Length"])
    except ValueError:
        raise Problem(400, {"detail": "Upload-Length or Upload-Metadata cannot be read."}) from None
    if not 0 <= length <= _room(caller, task):
        raise _too_much(caller)
    file_id = f"{caller.id}_{uuid.uuid4()}"
    parts = media_folder(caller.state, task["id"]) / PARTS
    parts.mkdir(parents=True, exist_ok=True)
    (parts / file_id).touch()
    known = {"task": task["id"], "name": name, "length": length}
    caller.state.uploads[file_id] = known
    address = f"{caller.base}/api/tasks/{task['id']}/data/{file_id}"
    return Response(status_code=201, headers=TUS | _file_headers(known, 0) | {"Location": address})


def _begun_file(caller: Caller, number: int, file_id: str) -> Document:
    managed_task(caller, number)
    known = caller.state.uploads.get(file_id)
    if known is None or known["task"] != number:
        raise not_found("Upload")
    return known


def _file_headers(known: Document, offset: int) -> dict[str, str]:
    return {
        "Upload-Offset": str(offset),
        "Upload-Filename": known["name"].encode("ascii", "replace").decode(),
    }


def _file_name(given: str) -> str:
    """The last part of a file's name, so that no upload leaves its task's folder."""
    name = Path(given.replace("\\", "/").replace("\0", "")).name
    stem, suffix = os.path.splitext(name)
    return "file" if name in ("", "..", PARTS) else stem[:MAX_NAME] + suffix[:MAX_NAME]


async def _take_bundle(request: Request, caller: Caller, task: Document) -> dict[str, Any]:
    """Save the files of a multipart body; returns its other fields."""
    fields: dict[str, Any] = {}
    bounded = Request(request.scope, _bounded(request, _room(caller, task), _too_much(caller)))
    async with bounded.form(max_files=MAX_FILES) as form:
        for name, value in form.multi_items():
            if isinstance(value, str):
                fields[name] = value
            else:
                await _save(media_folder(caller.state, task["id"]), value)
    return fields


async def _save(folder: Path, upload: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _file_name(str(upload.filename or ""))).open("wb") as file:
        while chunk := await upload.read(1 << 20):
            file.write(chunk)


def _bounded(request: Request, most: int, refusal: Problem) -> Receive:
    """What a request receives, up to so many bytes."""
    received = 0

    async def receive() -> Message:
        nonlocal received
        message = await request.receive()
        received += len(message.get("body", b""))
        if received > most + FRAMING:
            raise refusal
        return message

    return receive


def _room(caller: Caller, task: Document) -> int:
    """How many bytes more the media of a task may take; what was announced counts as if it were here."""
    folder = media_folder(caller.state, task["id"])
    here = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    parts = [(file_id, one) for file_id, one in caller.state.uploads.items() if one["task"] == task["id"]]
    coming = sum(one["length"] - (folder / PARTS / file_id).stat().st_size for file_id, one in parts)
    return int(caller.state.options.task_bytes - here - coming)


def _too_much(caller: Caller) -> Problem:
    most = caller.state.options.task_bytes
    return Problem(413, {"detail": f"The media of a task may take {most} bytes at most."})
