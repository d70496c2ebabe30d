"""What the annotation server has otherwise than the platform made it, as found when they were held together last."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from ava_core.store.database import Store
from ava_core.store.tables import Batch, Discrepancy, DiscrepancyKind, now


def replace(store: Store, found: Sequence[Discrepancy]) -> None:
    """Keep these in place of all earlier ones; those that were known already keep the moment of their finding."""
    with store.session() as session:
        known = {(one.kind, one.subject): one for one in session.scalars(select(Discrepancy))}
        for one in found:
            before = known.pop((one.kind, one.subject), None)
            one.found_at = before.found_at if before else now()
            session.merge(one)
        for gone in known.values():
            session.delete(gone)


def known(store: Store, batch: str = "") -> list[Discrepancy]:
    """All by kind and subject but for those of archived batches, or those that concern one batch."""
    wanted = select(Discrepancy).order_by(Discrepancy.kind, Discrepancy.subject)
    if batch:
        wanted = wanted.where(Discrepancy.batch.in_(("", batch)))
    else:
        in_archive = select(Batch.name).where(Batch.archived_at.is_not(None))
        wanted = wanted.where(Discrepancy.batch.not_in(in_archive))
    with store.session() as session:
        return list(session.scalars(wanted))


def get(store: Store, kind: DiscrepancyKind, subject: str) -> Discrepancy | None:
    """One of them; `None` where it is settled."""
    with store.session() as session:
        return session.get(Discrepancy, (kind, subject))
