"""The audit log: who did what, when, to what."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from ava_core.store.database import Store
from ava_core.store.tables import AuditLogEntry


def note(store: Store, actor: str, action: str, subject: str = "", **detail: Any) -> None:
    """Write a line of the log."""
    with store.session() as session:
        session.add(AuditLogEntry(actor=actor, action=action, subject=subject, detail=detail))


def newest(store: Store, limit: int = 100) -> list[AuditLogEntry]:
    """The newest lines first."""
    with store.session() as session:
        return list(
            session.scalars(select(AuditLogEntry).order_by(AuditLogEntry.audit_id.desc()).limit(limit))
        )
