"""Batches: names, inputs, options."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import func, select, update

from ava_core.base.errors import InputError
from ava_core.base.names import check_batch_name
from ava_core.store.database import Store
from ava_core.store.tables import Batch, now


def add(store: Store, name: str, source_path: str, options: dict[str, Any], *, note: str = "") -> None:
    """Register a batch. Raises `InputError` if the name is taken, in any case of letters: names become folders."""
    check_batch_name(name)
    with store.session() as session:
        taken = session.scalar(select(Batch.name).where(func.lower(Batch.name) == name.lower()))
        if taken:
            raise InputError(f"Batch {taken} already exists.", "Choose another name.")
        session.add(Batch(name=name, source_path=source_path, options=options, note=note))


def names(store: Store, *, archived: bool = True) -> list[str]:
    """All batches, oldest first; without those in the archive where `archived` is false."""
    wanted = select(Batch.name).order_by(Batch.created_at, Batch.name)
    if not archived:
        wanted = wanted.where(Batch.archived_at.is_(None))
    with store.session() as session:
        return list(session.scalars(wanted))


def listed(store: Store, asked: str = "") -> list[str]:
    """What a list is of: the batch that is asked for, where there is one; else all that are not in the archive."""
    return [name for name in names(store) if name == asked] if asked else names(store, archived=False)


def archived(store: Store) -> set[str]:
    """Batches in the archive."""
    with store.session() as session:
        return set(session.scalars(select(Batch.name).where(Batch.archived_at.is_not(None))))


def set_archived(store: Store, name: str, archived: bool) -> bool:
    """Put a batch into the archive, or take it out; false where it is so already."""
    get(store, name)
    before = Batch.archived_at.is_(None) if archived else Batch.archived_at.is_not(None)
    moved = update(Batch).where(Batch.name == name, before).values(archived_at=now() if archived else None)
    with store.session() as session:
        return session.scalar(moved.returning(Batch.name)) is not None


def check_active(store: Store, wanted: Collection[str]) -> None:
    """Raise `InputError` where one of these batches is in the archive: it gets no new tasks or runs."""
    if found := sorted(archived(store).intersection(wanted)):
        raise InputError(
            f"Batch {found[0]} is in the archive.",
            f"Restore it first: `ava batch archive {found[0]} --undo`.",
        )


def source_paths(store: Store) -> list[str]:
    """Inputs of all batches."""
    with store.session() as session:
        return list(session.scalars(select(Batch.source_path)))


def get(store: Store, name: str) -> Batch:
    """One batch. Raises `InputError` where it is not known."""
    with store.session() as session:
        batch = session.get(Batch, name)
    if batch is None:
        raise InputError(
            f"There is no batch {name}.", "`ava batch list` shows them; `ava batch add PATH` adds one."
        )
    return batch


def set_note(store: Store, name: str, note: str) -> None:
    """Set the note that a dataset made of this batch carries."""
    get(store, name)
    with store.session() as session:
        session.get_one(Batch, name).note = note


def set_options(store: Store, name: str, options: dict[str, Any], *, without: Collection[str] = ()) -> None:
    """Set settings of this batch alone, beside those it has but `without` some; what is made from now on follows."""
    kept = {key: value for key, value in get(store, name).options.items() if key not in without}
    with store.session() as session:
        session.get_one(Batch, name).options = kept | options
