"""Guessing of passwords: every try is counted before it is checked, by where it comes from and for which name.

A lock holds for a name as called from one place: a stranger cannot keep the name's owner out, who comes from another.
A place from which many tries fail, whatever the names, is slowed down.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from ava_core.base.errors import SignInError
from ava_core.store.database import Store
from ava_core.store.tables import SignInTry

TRIES_ALLOWED: Final = 5
"""For one name from one place, until one is right."""

LOCKED_FOR: Final = timedelta(minutes=15)
"""After the last try that was checked."""

SOURCE_TRIES: Final = 30
"""From one place, for whatever names, until it is slowed down: a room full of people mistypes less often."""

SLOWED: Final = timedelta(seconds=5)
"""Least time between two tries from a place that is slowed down."""

_ANY_NAME: Final = ""


def take(store: Store, source: str, username: str, moment: datetime) -> None:
    """Count a try, in one transaction with the look at those before. Raises `SignInError` where it is one too many."""
    with store.session() as session:
        session.execute(delete(SignInTry).where(SignInTry.at <= moment - LOCKED_FOR))
        keys = [(source[:64], _ANY_NAME), (source[:64], username[:150])]
        insert = postgresql.insert if store.engine.dialect.name == "postgresql" else sqlite.insert
        for place, name in keys:
            # Writing first takes the lock: whoever guesses at the same time waits here, and then sees this try.
            fresh = insert(SignInTry).values(source=place, username=name, tries=0, at=moment)
            session.execute(fresh.on_conflict_do_nothing())
        whole, own = (session.get_one(SignInTry, key, with_for_update=True) for key in keys)
        if own.tries >= TRIES_ALLOWED:
            minutes = -(-(own.at + LOCKED_FOR - moment).seconds // 60)
            raise SignInError("Too many wrong passwords.", f"Try again in {minutes} min, or ask an admin.")
        if whole.tries >= SOURCE_TRIES and moment < whole.at + SLOWED:
            raise SignInError("Too many wrong passwords from here.", "Try again in a few seconds.")
        for row in (whole, own):
            row.tries, row.at = row.tries + 1, moment


def right(store: Store, source: str, username: str) -> None:
    """The last try was right: the name is free again, and the place is not blamed for it."""
    with store.session() as session:
        session.execute(
            delete(SignInTry).where(SignInTry.source == source[:64], SignInTry.username == username[:150])
        )
        whole = session.get(SignInTry, (source[:64], _ANY_NAME), with_for_update=True)
        if whole is not None:
            whole.tries -= 1


def forget(store: Store, username: str) -> None:
    """Unlock a name from wherever it was tried."""
    with store.session() as session:
        session.execute(delete(SignInTry).where(SignInTry.username == username))


def locked(store: Store, moment: datetime) -> set[str]:
    """Names that are locked from some place."""
    full = select(SignInTry.username).where(
        SignInTry.tries >= TRIES_ALLOWED, SignInTry.at > moment - LOCKED_FOR, SignInTry.username != _ANY_NAME
    )
    with store.session() as session:
        return set(session.scalars(full))
