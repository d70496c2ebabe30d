"""The webhook: deliveries of CVAT, checked, kept once, answered at once.

A delivery only says that there is something to look at: what happened is read from the server, so events that
come late, twice, out of order or never do no harm. Two things are taken from it, which a later look cannot see: when
work on a job began, of which the earliest word holds in whatever order they come; and when it was completed, where no
look has come since, for the job's own date moves on with every touch. CVAT signs the raw body (`X-Signature-256`),
gives deliveries no number, and repeats for days what was answered with 5xx, 408 or 429.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import SQLAlchemyError

from ava_core.annotation.deliveries import Arrivals
from ava_core.base.errors import StoreError
from ava_core.base.settings import Settings
from ava_core.store import open_store

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

SIGNATURE_HEADER: Final = "X-Signature-256"
MAX_BODY_BYTES: Final = 1 << 20
"""No event of CVAT comes near this size."""


def signature(secret: str, body: bytes) -> str:
    """What CVAT sends in `X-Signature-256` for a raw body."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def is_signed(secret: str, body: bytes, given: str) -> bool:
    """Whether `given` is the body's signature; takes the same time however much of it is right."""
    return hmac.compare_digest(signature(secret, body).encode(), given.encode("latin-1", "replace"))


def webhook_app(settings: Settings) -> ASGIApp:
    """The endpoint as an ASGI application: POST at any path; the console hands `/webhook` to it.

    Not by a `Mount`, which redirects where the slash at the end is missing: CVAT does not follow with its body.

    Answers 200 (kept, or known already), 401 without a right signature, 403 while AVA_WEBHOOK_SECRET is unset,
    400 for what is no event, 405, 413, and 503 where the database is away: CVAT then tries again.
    """
    secret = settings.webhook_secret.get_secret_value() if settings.webhook_secret else ""
    arrivals = Arrivals(lambda: open_store(settings))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        from starlette.requests import Request
        from starlette.responses import JSONResponse

        status, said = await _answer(Request(scope, receive), arrivals, secret)
        await JSONResponse({"detail": said}, status)(scope, receive, send)

    return app


async def _answer(request: Request, arrivals: Arrivals, secret: str) -> tuple[int, str]:
    if request.method != "POST":
        return 405, "Send deliveries by POST."
    if not secret:
        return 403, "AVA_WEBHOOK_SECRET is not set: no delivery can be trusted."
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return 413, "Larger than any event."
    if not is_signed(secret, bytes(body), request.headers.get(SIGNATURE_HEADER, "")):
        return 401, "The signature is missing or wrong."
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        payload = None
    if not isinstance(payload, dict) or "event" not in payload:
        return 400, "This is not an event."
    try:
        new = await arrivals.keep(payload)
    except (StoreError, SQLAlchemyError):
        return 503, "The database is unavailable; deliver it again."
    return 200, "kept" if new else "known already"
