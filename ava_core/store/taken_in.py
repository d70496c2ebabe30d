"""Which source videos were taken in, by their content."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, select

from ava_core.store.database import Store
from ava_core.store.tables import MadeOf, TakenIn

SOURCE_VIDEOS = "source_videos"
"""The asset that takes them in."""


def note(store: Store, batch: str, rows: Iterable[tuple[str, str, bool]]) -> None:
    """Note all source videos of a batch, `(source_id, sha256, usable)`, in the place of what was noted of it before."""
    with store.session() as session:
        session.execute(delete(TakenIn).where(TakenIn.batch == batch))
        session.add_all(
            TakenIn(batch=batch, source_id=source_id, sha256=sha256, usable=usable)
            for source_id, sha256, usable in rows
        )


def where(store: Store, sha256: str, *, except_batch: str) -> str:
    """Where another batch has a usable video of this content, in words; "" where none has."""
    wanted = (
        select(TakenIn.source_id, TakenIn.batch)
        .where(TakenIn.sha256 == sha256, TakenIn.usable, TakenIn.batch != except_batch)
        .order_by(TakenIn.batch, TakenIn.source_id)
        .limit(1)
    )
    with store.session() as session:
        row = session.execute(wanted).first()
    return f"{row.source_id} of batch {row.batch}" if row else ""


def not_noted(store: Store) -> list[str]:
    """Batches whose videos were taken in, but not noted: by an earlier version."""
    noted = select(TakenIn.batch)
    wanted = select(MadeOf.batch).where(MadeOf.asset == SOURCE_VIDEOS, MadeOf.batch.not_in(noted))
    with store.session() as session:
        return list(session.scalars(wanted.order_by(MadeOf.batch)))
