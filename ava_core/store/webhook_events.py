"""Webhook deliveries: each event is kept once, however often it is delivered."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from ava_core.store.database import Store
from ava_core.store.tables import WebhookEvent


def keep(store: Store, *, digest: str, event: str, job_id: int | None, payload: dict[str, Any]) -> bool:
    """Keep an event; returns whether it was new. A repeated one only counts up its deliveries."""
    try:
        with store.session() as session:
            session.add(WebhookEvent(digest=digest, event=event, job_id=job_id, payload=payload))
        return True
    except IntegrityError:
        with store.session() as session:
            session.scalars(select(WebhookEvent).where(WebhookEvent.digest == digest)).one().deliveries += 1
        return False


def after(store: Store, event_id: int) -> list[WebhookEvent]:
    """Events that came after the one of that id."""
    with store.session() as session:
        wanted = select(WebhookEvent).where(WebhookEvent.event_id > event_id)
        return list(session.scalars(wanted.order_by(WebhookEvent.event_id)))


def newest_of_jobs(store: Store) -> int:
    """Id of the newest event about a job, 0 before there is one."""
    with store.session() as session:
        wanted = select(func.max(WebhookEvent.event_id)).where(WebhookEvent.job_id.is_not(None))
        return session.scalar(wanted) or 0
