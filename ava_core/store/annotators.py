"""Annotators: who may get work."""

from __future__ import annotations

from sqlalchemy import select

from ava_core.base.errors import InputError
from ava_core.store import practice
from ava_core.store.database import Store
from ava_core.store.tables import Annotator


def put(store: Store, username: str, *, cvat_user_id: int | None = None, email: str = "") -> None:
    """Add an annotator, or bring one up to date."""
    with store.session() as session:
        row = session.get(Annotator, username) or Annotator(username=username)
        row.cvat_user_id = cvat_user_id if cvat_user_id is not None else row.cvat_user_id
        row.email = email or row.email or ""
        row.active = True
        session.add(row)


def set_state(
    store: Store,
    username: str,
    *,
    paused: bool | None = None,
    active: bool | None = None,
    capacity: int | None = None,
) -> None:
    """Pause, deactivate or limit an annotator. Raises `InputError` for a name that is not known exactly."""
    with store.session() as session:
        row = session.get(Annotator, username)
        if row is None:
            raise InputError(f"There is no annotator {username!r}.", "Names must match exactly.")
        row.paused = row.paused if paused is None else paused
        row.active = row.active if active is None else active
        row.capacity = row.capacity if capacity is None else capacity


def everyone(store: Store) -> list[Annotator]:
    """All annotators by name."""
    with store.session() as session:
        return list(session.scalars(select(Annotator).order_by(Annotator.username)))


def available(store: Store) -> list[Annotator]:
    """Those who may get new work: active, not paused, and qualified where practice is required."""
    required = practice.rule(store).required
    return [
        one
        for one in everyone(store)
        if one.active and not one.paused and (one.qualified_at is not None or not required)
    ]
