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

from ava_core.base.errors import SignInError
from ava_core.store import audit_log, users
from ava_core.store.database import Store
from ava_core.store.tables import Annotator, LabellerSession, User, now


def check_free(store: Store, username: str, at: datetime | None = None) -> bool:
    """Whether it is an active annotator who may try to sign in now. Raises `SignInError` while it is locked."""
    moment = at or now()
    with store.session() as session:
        row = session.get(Annotator, username)
    if row is None or not row.active:
        return False
    if row.locked_until is not None and row.locked_until > moment:
        minutes = -(-(row.locked_until - moment).seconds // 60)
        raise SignInError("Too many wrong passwords.", f"Try again in {minutes} min, or ask an admin.")
    return True


def count_failure(store: Store, username: str, at: datetime | None = None) -> None:
    """Note a refused sign-in; some in a row lock the name for a while."""
    with store.session() as session:
        row = session.get_one(Annotator, username)
        row.failures += 1
        if row.failures >= users.FAILURES_ALLOWED:
            row.failures, row.locked_until = 0, (at or now()) + users.LOCKED_FOR
    audit_log.note(store, username, "sign in refused")


def begin(store: Store, username: str, user_id: int, server_token: str, at: datetime | None = None) -> str:
    """Let an annotator in whom the annotation server knows; returns the session's token."""
    token, moment = secrets.token_urlsafe(32), at or now()
    sealed = _box(token).encrypt(server_token.encode()).decode()
    with store.session() as session:
        old = LabellerSession.created_at < moment - users.SIGNED_IN_FOR
        session.execute(delete(LabellerSession).where(old))
        session.get_one(Annotator, username).failures = 0
        session.add(
            LabellerSession(
                token_hash=_digest(token), username=username, user_id=user_id, sealed=sealed,
                created_at=moment, seen_at=moment,
            )
        )  # fmt: skip
    audit_log.note(store, username, "sign in", role="annotator")
    return token


def who(store: Store, token: str, at: datetime | None = None) -> User | None:
    """The annotator of a session, as a user of the role `annotator`; `None` where it does not exist, or ended."""
    moment = at or now()
    with store.session() as session:
        found = session.get(LabellerSession, _digest(token)) if token else None
        if found is None:
            return None
        if moment - found.seen_at > users.IDLE_FOR or moment - found.created_at > users.SIGNED_IN_FOR:
            session.delete(found)
            return None
        if moment - found.seen_at > users.SEEN_EVERY:
            found.seen_at = moment
        row = session.get_one(Annotator, found.username)
        if not row.active:
            return None
        return User(
            username=row.username,
            password_hash="",
            role="annotator",
            active=True,
            preferences=row.preferences,
        )


def anybody(store: Store, token: str) -> User | None:
    """Whose session it is, of a person of the console or of an annotator."""
    return users.who(store, token) or who(store, token)


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
