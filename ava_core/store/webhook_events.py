"""Webhook deliveries: each event is kept once, however often it is delivered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Table, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from ava_core.store.database import Store
from ava_core.store.tables import Base, WebhookEvent

EVENTS: Final[Table] = Base.metadata.tables[WebhookEvent.__tablename__]


def keep(session: Session, events: Sequence[dict[str, Any]]) -> list[bool]:
    """Keep events in their order, and tell which were new; of a repeated one only its deliveries are counted up.

    `events`: `digest`, `event`, `job_id`, `payload` of each.
    """
    times = Counter(event["digest"] for event in events)
    first: dict[str, dict[str, Any]] = {}
    for event in events:
        first.setdefault(event["digest"], event)
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    # Another process may keep the same event at the same time: whoever is second counts.
    wanted = dialect.insert(WebhookEvent).on_conflict_do_nothing(index_elements=["digest"])
    new = set(session.scalars(wanted.returning(WebhookEvent.digest), list(first.values())))
    again = [
        {"known": digest, "times": count - (digest in new)}
        for digest, count in sorted(times.items())
        if count > (digest in new)
    ]
    if again:
        known = update(EVENTS).where(EVENTS.c.digest == bindparam("known"))
        session.connection().execute(known.values(deliveries=EVENTS.c.deliveries + bindparam("times")), again)
    answers = []
    for event in events:
        answers.append(event["digest"] in new)
        new.discard(event["digest"])
    return answers


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
