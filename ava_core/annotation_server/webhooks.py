"""Webhooks: signed deliveries of what happened, tried again as CVAT does."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import httpx
from fastapi import APIRouter, Request, Response

from ava_core.annotation_server import bodies, receivers
from ava_core.annotation_server.access import Caller, CallerOf
from ava_core.annotation_server.events import listed
from ava_core.annotation_server.fields import Body, read
from ava_core.annotation_server.lists import page
from ava_core.annotation_server.problems import forbidden, invalid, missing_object, not_found, refused
from ava_core.annotation_server.state import Document, State

router = APIRouter(prefix="/api")

RETRY_SECONDS: Final = (5, 300, 1800, 10_800, 86_400, 86_400, 86_400, 86_400)
RETRY_STATUS: Final = frozenset({408, 429})
UNREACHABLE: Final = 502
TIMEOUT_SECONDS: Final = 10.0
MAX_DELIVERIES: Final = 1000
"""Deliveries of a webhook that are kept."""
MAX_RESPONSE: Final = 2000
"""Characters of a receiver's answer that are kept."""

_senders = ThreadPoolExecutor(max_workers=4, thread_name_prefix="webhook")


@router.get("/webhooks/events")
def events(request: Request, caller: CallerOf) -> Document:
    """What can be listened to."""
    kind = request.query_params.get("type", "project")
    return {"webhook_type": kind, "events": listed(kind)}


@router.post("/webhooks", status_code=201)
def add_webhook(caller: CallerOf, body: Body) -> Document:
    """Make a webhook of a project or organisation."""
    number = caller.must_create()
    given = read(bodies.Webhook, body)
    _check_url(given.target_url)
    if given.type == "project":
        if given.project_id is None:
            raise invalid("project_id", "This field is required.")
        project = caller.state.get("project", given.project_id)
        if project is None:
            raise missing_object("project_id", given.project_id)
        if project["organization"] != number:
            raise refused("The webhook and its project should be in the same organization.")
    elif number is None:
        raise refused("Name the organization whose events you want.")
    content = given.model_dump() | {"events": sorted(set(given.events))}
    webhook = {"organization": number, "owner": caller.id, **content}
    _must_lead(caller, webhook)
    return _webhook(caller, caller.state.add("webhook", **webhook))


@router.get("/webhooks")
def webhooks(request: Request, caller: CallerOf) -> Document:
    """Webhooks of the organisation of the call."""
    found = [w for w in caller.state.all("webhook") if caller.sees(w) and _leads(caller, w)]
    fields = {name: (lambda d, n=name: d[n]) for name in ("id", "target_url", "project_id", "type")}
    return page(
        request,
        found,
        lambda d: _webhook(caller, d),
        fields=fields,
        simple=("target_url", "project_id", "type"),
    )


@router.get("/webhooks/{number}")
def webhook(number: int, caller: CallerOf) -> Document:
    """One webhook."""
    return _webhook(caller, _managed(caller, number))


@router.patch("/webhooks/{number}")
def change_webhook(number: int, caller: CallerOf, body: Body) -> Document:
    """Change a webhook."""
    found = _managed(caller, number)
    given = read(bodies.WebhookChange, body).given()
    if "target_url" in given:
        _check_url(given["target_url"])
    found |= given
    caller.state.touch("webhook", found)
    return _webhook(caller, found)


@router.delete("/webhooks/{number}", status_code=204, response_class=Response)
def remove_webhook(number: int, caller: CallerOf) -> None:
    """Remove a webhook."""
    _managed(caller, number)
    caller.state.remove("webhook", number)


@router.post("/webhooks/{number}/ping")
def ping(number: int, caller: CallerOf) -> Document:
    """Send a ping and say how it went."""
    found = _managed(caller, number)
    payload = {"event": "ping", "webhook": _webhook(caller, found), "sender": caller.brief(caller.id)}
    return _deliver(caller.state, found, payload, attempt=1)


@router.get("/webhooks/{number}/deliveries")
def deliveries(number: int, request: Request, caller: CallerOf) -> Document:
    """What was sent, newest first."""
    _managed(caller, number)
    return page(request, caller.state.find("delivery", webhook_id=number), lambda d: d)


@router.get("/webhooks/{number}/deliveries/{delivery_id}")
def delivery(number: int, delivery_id: int, caller: CallerOf) -> Document:
    """One delivery."""
    _managed(caller, number)
    found = caller.get("delivery", delivery_id, "WebhookDelivery")
    if found["webhook_id"] != number:
        raise not_found("WebhookDelivery")
    return found


@router.post("/webhooks/{number}/deliveries/{delivery_id}/redelivery")
def redeliver(number: int, delivery_id: int, caller: CallerOf) -> Document:
    """Send the same once more."""
    webhook, sent = _managed(caller, number), caller.state.get("delivery", delivery_id)
    if sent is None or sent["webhook_id"] != number:
        raise not_found("WebhookDelivery")
    _deliver(caller.state, webhook, sent["request"], attempt=1, redelivery=True)
    return {}


def fire(
    caller: Caller,
    event: str,
    kind: str,
    content: Document,
    project_id: int | None,
    organisation_id: int | None,
    changed: dict[str, tuple[Any, Any]] | None = None,
) -> None:
    """Send an event to all webhooks that listen for it; returns at once."""
    sender = caller.brief(caller.id)
    if caller.in_background:
        sender = {name: caller.user[name] for name in ("id", "username", "email")}
    payload = {"event": event, kind: content, "sender": sender}
    if changed is not None:
        payload["before_update"] = {name: old for name, (old, _) in changed.items()}
        payload["changes"] = {name: {"from": old, "to": new} for name, (old, new) in changed.items()}
    for hook in caller.state.all("webhook"):
        own = hook["project_id"] == project_id if hook["type"] == "project" else True
        if hook["is_active"] and event in hook["events"] and own and hook["organization"] == organisation_id:
            _senders.submit(_deliver, caller.state, hook, payload | {"webhook_id": hook["id"]}, 1)


def _deliver(
    state: State, webhook: Document, payload: Document, attempt: int, *, redelivery: bool = False
) -> Document:
    """Send a payload, keep what came of it, and try again later where that may help."""
    began = time.monotonic()
    status, said = _send(webhook, payload, state.options.webhook_receivers)
    with state.lock:
        if state.closed:
            return {}  # nobody asks any more
        delivery = state.add(
            "delivery",
            webhook_id=webhook["id"],
            event=payload["event"],
            status_code=status,
            redelivery=redelivery,
            attempt=attempt,
            request_duration=round((time.monotonic() - began) * 1000),
            changed_fields=",".join(payload.get("changes") or {}),
            request=payload,
            response=said,
        )
        for old in list(state.find("delivery", webhook_id=webhook["id"]))[MAX_DELIVERIES:]:
            state.remove("delivery", old["id"])
    failed = status >= 500 or status in RETRY_STATUS
    if failed and payload["event"] != "ping" and not redelivery and attempt <= len(RETRY_SECONDS):
        _deliver_later(state, webhook, payload, attempt + 1)
    return delivery


def _send(webhook: Document, payload: Document, allowed: Collection[str]) -> tuple[int, str]:
    """Post a payload, signed where the webhook has a secret; the receiver's status and words."""
    body = json.dumps(payload).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "CVAT/2.73.0 (embedded)"}
    if webhook["secret"]:
        digest = hmac.new(webhook["secret"].encode(), body, hashlib.sha256).hexdigest()
        headers["X-Signature-256"] = f"sha256={digest}"
    url = webhook["target_url"]
    # Certificates are loaded for HTTPS alone: that takes longer than a delivery.
    is_checked = url.startswith("https") and webhook["enable_ssl"]
    try:
        answer = receivers.post(
            url, body, headers, allowed=allowed, timeout=TIMEOUT_SECONDS, verify=is_checked
        )
    except (httpx.HTTPError, httpx.InvalidURL, receivers.Refused) as error:
        return UNREACHABLE, str(error)
    return answer.status_code, answer.text[:MAX_RESPONSE]


def _deliver_later(state: State, webhook: Document, payload: Document, attempt: int) -> None:
    def again() -> None:
        state.timers.discard(timer)
        if state.get("webhook", webhook["id"]) is not None:
            _deliver(state, webhook, payload, attempt)

    timer = threading.Timer(RETRY_SECONDS[attempt - 2], again)
    timer.daemon = True
    state.timers.add(timer)
    timer.start()


def _check_url(address: str) -> None:
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        raise invalid("target_url", "Enter a valid URL.") from None
    if url.scheme not in ("http", "https") or not url.host or url.userinfo:
        raise invalid("target_url", "Enter a valid URL.")


def _leads(caller: Caller, webhook: Document) -> bool:
    """Whether a webhook is the caller's: those who lead the organisation, or own the project."""
    project = caller.state.get("project", webhook["project_id"]) or {}
    owns = webhook["type"] == "project" and project.get("owner") == caller.id and caller.manages(project)
    return owns or caller.leads(webhook["organization"])


def _must_lead(caller: Caller, webhook: Document) -> None:
    if not _leads(caller, webhook):
        raise forbidden()


def _managed(caller: Caller, number: int) -> Document:
    found = caller.get("webhook", number, "Webhook")
    _must_lead(caller, found)
    return found


def _webhook(caller: Caller, webhook: Document) -> Document:
    same = (
        "id", "target_url", "description", "type", "content_type", "is_active", "enable_ssl", "created_date",
        "updated_date", "project_id", "organization", "events",
    )  # fmt: skip
    shown = {name: webhook[name] for name in same}
    last = next(caller.state.find("delivery", webhook_id=webhook["id"]), None)
    told = {"last_status": last["status_code"], "last_delivery_date": last["updated_date"]} if last else {}
    return shown | {
        "url": f"{caller.base}/api/webhooks/{webhook['id']}",
        "owner": caller.brief(webhook["owner"]),
        **told,
    }
