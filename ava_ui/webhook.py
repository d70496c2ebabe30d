"""`POST /webhook`: the annotation server tells that a job changed.

A delivery is believed for its signature alone (`X-Signature-256`, HMAC-SHA256 of the body under
`AVA_WEBHOOK_SECRET`), and kept once however often it comes.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse

from ava_core.store import webhook_events
from ava_ui.console import Console

LARGEST_BYTES: Final = 1_000_000


def routes(console: Console) -> APIRouter:
    """The webhook."""
    router = APIRouter()

    @router.post("/webhook")
    async def receive(request: Request) -> PlainTextResponse:
        secret = console.settings.webhook_secret
        if secret is None:
            return PlainTextResponse("Set AVA_WEBHOOK_SECRET; unsigned deliveries are refused.", 503)
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > LARGEST_BYTES:
                return PlainTextResponse("Too large.", 413)
        key = secret.get_secret_value().encode()
        expected = "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), request.headers.get("X-Signature-256", "").encode()):
            return PlainTextResponse("The signature is wrong.", 403)
        try:
            payload = json.loads(body)
            event, job = str(payload["event"]), payload.get("job") or {}
        except (ValueError, KeyError, TypeError, AttributeError):
            return PlainTextResponse("Not an event.", 400)
        new = webhook_events.keep(
            console.store, digest=hashlib.sha256(body).hexdigest(), event=event, job_id=job.get("id"),
            payload=payload,
        )  # fmt: skip
        return PlainTextResponse("kept" if new else "known")

    return router
