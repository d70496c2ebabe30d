"""The webhook: deliveries of CVAT, checked, kept once, answered at once.

A delivery only says that there is something to look at: what happened is read from the server, so events that
come late, twice, out of order or never do no harm. Two things are taken from it, which a later look cannot see: when
work on a job began, of which the earliest word holds in whatever order they come; and when it was completed, where no
look has come since, for the job's own date moves on with every touch. CVAT signs the raw body (`X-Signature-256`),
gives deliveries no number, and repeats for days what was answered with 5xx, 408 or 429.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.exc import SQLAlchemyError

from ava_core.base.errors import StoreError
from ava_core.base.settings import Settings
from ava_core.store import Store, open_store, tasks, webhook_events
from ava_core.store.tables import BEGUN_STATE, DONE_STAGE, DONE_STATE

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


def keep_delivery(store: Store, payload: dict[str, Any]) -> bool:
    """Keep an event; returns whether it was new.

    A project's and an organisation's webhook tell of the same event with another `webhook_id`: that is left out
    of what makes two deliveries one.
    """
    event = {name: value for name, value in payload.items() if name != "webhook_id"}
    digest = hashlib.sha256(json.dumps(event, sort_keys=True).encode()).hexdigest()
    new = webhook_events.keep(
        store,
        digest=digest,
        event=str(payload.get("event", ""))[:64],
        job_id=_job_of(payload),
        payload=payload,
    )
    begun, done = _began(payload), _completed(payload)
    if new and begun is not None:
        tasks.note_start(store, *begun)
    if new and done is not None:
        tasks.note_completion(store, *done)
    return new


def webhook_app(settings: Settings) -> ASGIApp:
    """The endpoint as an ASGI application: POST at any path; the console hands `/webhook` to it.

    Not by a `Mount`, which redirects where the slash at the end is missing: CVAT does not follow with its body.

    Answers 200 (kept, or known already), 401 without a right signature, 403 while AVA_WEBHOOK_SECRET is unset,
    400 for what is no event, 405, 413, and 503 where the database is away: CVAT then tries again.
    """
    secret = settings.webhook_secret.get_secret_value() if settings.webhook_secret else ""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        from starlette.requests import Request
        from starlette.responses import JSONResponse

        status, said = await _answer(Request(scope, receive), settings, secret)
        await JSONResponse({"detail": said}, status)(scope, receive, send)

    return app


async def _answer(request: Request, settings: Settings, secret: str) -> tuple[int, str]:
    if request.method != "POST":
        return 405, "Deliveries come by POST."
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
    except ValueError:
        payload = None
    if not isinstance(payload, dict) or "event" not in payload:
        return 400, "This is no event."
    try:
        # The database may wait for another writer: the event loop does not.
        new = await asyncio.to_thread(lambda: keep_delivery(open_store(settings), payload))
    except (StoreError, SQLAlchemyError):
        return 503, "The database is away; deliver it again."
    return 200, "kept" if new else "known already"


def _job_of(payload: dict[str, Any]) -> int | None:
    """The job that an event is about: a job's own, or that of an issue."""
    job, issue = payload.get("job"), payload.get("issue")
    number = job.get("id") if isinstance(job, dict) else issue.get("job") if isinstance(issue, dict) else None
    return number if isinstance(number, int) else None


def _began(payload: dict[str, Any]) -> tuple[int, str, datetime] | None:
    """Job, annotator and moment, where an event says that an annotator works on a job."""
    job, number = payload.get("job"), _job_of(payload)
    if number is None or not isinstance(job, dict) or not isinstance(job.get("assignee"), dict):
        return None
    if (job.get("stage"), job.get("state")) != (DONE_STAGE, BEGUN_STATE):
        return None
    moment = _moment(job)
    return (number, str(job["assignee"].get("username")), moment) if moment else None


def _completed(payload: dict[str, Any]) -> tuple[int, datetime] | None:
    """Job and moment, where an event says that a job became completed; a touch of one that was is no completion."""
    job, number, changes = payload.get("job"), _job_of(payload), payload.get("changes")
    if number is None or not isinstance(job, dict) or not isinstance(changes, dict) or "state" not in changes:
        return None
    moment = _moment(job) if (job.get("stage"), job.get("state")) == (DONE_STAGE, DONE_STATE) else None
    return (number, moment) if moment else None


def _moment(job: dict[str, Any]) -> datetime | None:
    """When the job that an event shows was changed."""
    try:
        moment = datetime.fromisoformat(str(job.get("updated_date")))
    except ValueError:
        return None
    # CVAT says its time zone; a moment without one would be taken for this machine's.
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
