"""What each asset of a batch was made of: by comparing it with what there is now, one sees what is behind."""

from __future__ import annotations

from sqlalchemy import select

from ava_core.store.database import Store
from ava_core.store.tables import MadeOf

States = dict[str, str]
"""By asset."""


def note(store: Store, batch: str, asset: str, state: str = "") -> None:
    """Note that an asset is made, and of what; `state` is another text as soon as that has moved on."""
    with store.session() as session:
        session.merge(MadeOf(batch=batch, asset=asset, state=state))


def of_batch(store: Store, batch: str) -> States:
    """What the assets of one batch were made of; those that were never made are left out."""
    return of_all(store, batch).get(batch, {})


def of_all(store: Store, batch: str = "") -> dict[str, States]:
    """What the assets of all batches, or one, were made of."""
    wanted = select(MadeOf.batch, MadeOf.asset, MadeOf.state)
    if batch:
        wanted = wanted.where(MadeOf.batch == batch)
    found: dict[str, States] = {}
    with store.session() as session:
        for name, asset, state in session.execute(wanted):
            found.setdefault(name, {})[asset] = state
    return found
