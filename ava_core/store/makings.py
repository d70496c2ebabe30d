"""When each of a batch's assets was first made: lines of the audit log, true wherever files are copied to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import case, func, select

from ava_core.store import audit_log
from ava_core.store.database import Store
from ava_core.store.tables import AuditLogEntry, Batch

MAKER: Final = "platform"
"""Who makes assets, in the log."""


def note(store: Store, batch: str, asset: str) -> None:
    """Note that an asset of a batch is made now, where it was not made before."""
    if firsts(store, [asset], batch) == {}:
        audit_log.note(store, MAKER, action(asset), batch)


def firsts(store: Store, assets: Sequence[str], batch: str = "") -> dict[str, list[datetime | None]]:
    """When each of `assets` of every batch, or of one, was first made, in their order; `None` where none was noted.

    A batch of which none was noted is left out. Of a batch that was removed and added anew, what was made before its
    adding does not count.
    """
    moments = [func.min(case((AuditLogEntry.action == action(asset), AuditLogEntry.at))) for asset in assets]
    wanted = (
        select(Batch.name, *moments)
        .join(AuditLogEntry, AuditLogEntry.subject == Batch.name)
        .where(AuditLogEntry.action.in_([action(asset) for asset in assets]))
        .where(AuditLogEntry.at >= Batch.created_at)
        .group_by(Batch.name)
    )
    if batch:
        wanted = wanted.where(Batch.name == batch)
    with store.session() as session:
        return {name: list(made) for name, *made in session.execute(wanted)}


def action(asset: str) -> str:
    """What the log calls the making of an asset."""
    return f"made {asset}"
