"""What batches need next, as the platform saw it last: written by its sensor, shown by the console."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, select

from ava_core.store.database import Store
from ava_core.store.tables import BatchNeed


def known(store: Store) -> dict[str, BatchNeed]:
    """By batch; batches that need nothing are left out."""
    with store.session() as session:
        return {need.batch: need for need in session.scalars(select(BatchNeed))}


def keep(store: Store, needs: Iterable[BatchNeed], gone: Iterable[str]) -> None:
    """Keep these in the place of what was known of their batches, and forget batches that need nothing more."""
    with store.session() as session:
        session.execute(delete(BatchNeed).where(BatchNeed.batch.in_(list(gone))))
        for need in needs:
            session.merge(need)
