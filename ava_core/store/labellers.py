"""Annotators' sessions at the console: their accounts and passwords are the annotation server's.

The server's token is kept encrypted by the session's own token, which is in the person's browser alone.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import delete

from ava_core.store import audit_log, sign_in_tries, users
from ava_core.store.database import Store
from ava_core.store.tables import Annotator, LabellerSession, User, now


def is_active(store: Store, username: str) -> bool:
    """Whether it is an annotator who may sign in."""
    with store.session() as session:
        row = session.get(Annotator, username)
    return row is not None and row.active


def begin(store: Store, username: str, user_id: int, server_token: str, at: datetime | None = None) -> str:
    """Let an annotator in whom the annotation server knows; returns the session's token."""
    token = secrets.token_urlsafe(32)
    join(store, token, username, user_id, server_token, at)
    return token


def join(
    store: Store, token: str, username: str, user_id: int, server_token: str, at: datetime | None = None
) -> None:
    """Let the person of a session label by that name, whether the session is a new one or one of the console."""
    moment = at or now()
    sealed = _box(token).encrypt(server_token.encode()).decode()
    with store.session() as session:
        old = LabellerSession.created_at < moment - users.SIGNED_IN_FOR
        session.execute(delete(LabellerSession).where(old))
        session.merge(
            LabellerSession(
                token_hash=_digest(token), username=username, user_id=user_id, sealed=sealed,
                created_at=moment, seen_at=moment,
            )
        )  # fmt: skip
    audit_log.note(store, username, "sign in", role="annotator")


def who(store: Store, token: str, at: datetime | None = None, *, used: bool = True) -> User | None:
    """The annotator of a session, as a user of the role `annotator`; `None` where it does not exist, or ended."""
    moment = at or now()
    with store.session() as session:
        found = session.get(LabellerSession, _digest(token)) if token else None
        row = session.get_one(Annotator, found.username) if found else None
    if found is None or row is None or not users.lives(store, found, moment, used=used) or not row.active:
        return None
    return User(
        username=row.username,
        password_hash="",
        role="annotator",
        active=True,
        preferences=row.preferences,
    )


def anybody(store: Store, token: str, *, used: bool = True) -> User | None:
    """Whose session it is, of a person of the console or of an annotator. `used`: whether to ask is to use it."""
    return users.who(store, token, used=used) or who(store, token, used=used)


def opened(store: Store, token: str) -> tuple[str, int, str] | None:
    """User name, user id and token on the annotation server of an annotator's session; `None` where there is none."""
    with store.session() as session:
        found = session.get(LabellerSession, _digest(token)) if token else None
    if found is None:
        return None
    return found.username, found.user_id, _box(token).decrypt(found.sealed.encode()).decode()


def sign_out(store: Store, token: str) -> None:
    """End a session."""
    with store.session() as session:
        session.execute(delete(LabellerSession).where(LabellerSession.token_hash == _digest(token)))


def end_all(store: Store, username: str) -> None:
    """End all sessions of an annotator, and unlock the name."""
    with store.session() as session:
        session.execute(delete(LabellerSession).where(LabellerSession.username == username))
    sign_in_tries.forget(store, username)


def set_preference(store: Store, username: str, **values: Any) -> None:
    """Remember how an annotator likes the console (for one, `dark`)."""
    with store.session() as session:
        row = session.get_one(Annotator, username)
        row.preferences = row.preferences | values


def _box(token: str) -> Any:
    from cryptography.fernet import Fernet

    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(f"sealed {token}".encode()).digest()))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
