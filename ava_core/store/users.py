"""People of the console: roles, passwords, sessions.

Passwords are kept as argon2id hashes, session tokens as SHA-256. Guessing is stopped
by `sign_in_tries`; a session ends after some hours without use, and at the latest after some days.
"""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from sqlalchemy import delete, func, select

from ava_core.base.errors import InputError, SignInError, StoreBusyError
from ava_core.base.private import secret_file
from ava_core.store import audit_log, sign_in_tries
from ava_core.store.database import Store
from ava_core.store.tables import ConsoleSession, LabellerSession, User, now

if TYPE_CHECKING:
    from argon2 import PasswordHasher
    from sqlalchemy.orm import Session

Role = Literal["annotator", "viewer", "reviewer", "admin"]

ROLES: Final[tuple[Role, ...]] = ("viewer", "reviewer", "admin")
"""Of people of the console. Each may do what the ones before it may: look; decide on clips; everything."""

RANKS: Final[tuple[Role, ...]] = ("annotator", *ROLES)
"""An annotator, whose account is the annotation server's, sees their own work and nothing else."""

LEAST_PASSWORD: Final = 10
"""Characters. Length is what counts (NIST SP 800-63B asks for 8 at least)."""

PASSWORD_RULE: Final = f"Use at least {LEAST_PASSWORD} characters; a short sentence works well."
"""What a form says beside the field."""

COOKIE: Final = "ava_session"
"""Name of the cookie that holds a session's token. Browsers send it to every port of a host."""

IDLE_FOR: Final = timedelta(hours=12)
SIGNED_IN_FOR: Final = timedelta(days=7)
SEEN_EVERY: Final = timedelta(minutes=1)
"""A session's last use is written no more often than this."""


def add(store: Store, username: str, password: str, role: str) -> None:
    """Add a person. Raises `InputError` for a taken name, a short password, an unknown role."""
    name = username.strip()
    if not name or len(name) > 150:
        raise InputError("A user name has 1 to 150 characters.", "Choose another name.")
    if role not in ROLES:
        raise InputError(f"There is no role {role!r}.", f"Roles are {', '.join(ROLES)}.")
    hashed = _hash(password)
    with store.session() as session:
        if session.get(User, name):
            raise InputError(f"There is a user {name!r} already.", "Choose another name.")
        session.add(User(username=name, password_hash=hashed, role=role))


def everyone(store: Store) -> list[User]:
    """All people by name."""
    with store.session() as session:
        return list(session.scalars(select(User).order_by(User.username)))


def set_password(store: Store, username: str, password: str) -> None:
    """Give somebody a new password; unlocks the account and ends its sessions."""
    hashed = _hash(password)
    with store.session() as session:
        user = _get(session.get(User, username), username)
        user.password_hash = hashed
        _end_sessions(session, username)
    sign_in_tries.forget(store, username)


def change(store: Store, username: str, *, role: str | None = None, active: bool | None = None) -> None:
    """Change somebody's role, or whether the person may sign in. The last active admin stays one."""
    if role is not None and role not in ROLES:
        raise InputError(f"There is no role {role!r}.", f"Roles are {', '.join(ROLES)}.")
    with store.session() as session:
        user = _get(session.get(User, username), username)
        user.role = role or user.role
        user.active = user.active if active is None else active
        session.flush()
        admins = select(func.count()).select_from(User).where(User.role == "admin", User.active)
        if not session.scalar(admins):
            raise InputError(f"{username!r} is the last admin.", "Make another user admin first.")
        if not user.active:
            _end_sessions(session, username)


def set_preference(store: Store, username: str, **values: Any) -> None:
    """Remember how somebody likes the console (for one, `dark`)."""
    with store.session() as session:
        user = _get(session.get(User, username), username)
        user.preferences = user.preferences | values


def sign_in(
    store: Store, username: str, password: str, *, source: str = "", at: datetime | None = None
) -> str:
    """Let somebody in; returns the session's token. Raises `SignInError` where it is wrong, or tried too often.

    `source` is the network address that it comes from. Whether the name or the password was wrong is not said.
    """
    name, moment = username.strip(), at or now()
    sign_in_tries.take(store, source, name, moment)
    token = enter(store, name, password, moment)
    if token is None:
        raise refused(store, name)
    sign_in_tries.right(store, source, name)
    return token


def enter(store: Store, username: str, password: str, moment: datetime) -> str | None:
    """A new session's token where the password is right, without counting tries; else `None`."""
    with store.session() as session:
        user = session.get(User, username)
    right = _verify(user.password_hash if user else _decoy(), password)
    if user is None or not right or not user.active:
        return None
    token = secrets.token_urlsafe(32)
    with store.session() as session:
        session.execute(delete(ConsoleSession).where(ConsoleSession.created_at < moment - SIGNED_IN_FOR))
        session.add(
            ConsoleSession(
                token_hash=_digest(token), username=user.username, created_at=moment, seen_at=moment
            )
        )
    audit_log.note(store, user.username, "sign in")
    return token


def refused(store: Store, username: str) -> SignInError:
    """What a person is told whose name or password is wrong; the audit log keeps it."""
    audit_log.note(store, username[:150], "sign in refused")
    return SignInError(
        "Name or password is wrong.",
        "Check both; upper and lower case matter. An access token may have expired.",
    )


def who(store: Store, token: str, *, at: datetime | None = None, used: bool = True) -> User | None:
    """Whose session it is; `None` where it does not exist, or ended. `used`: whether to ask is to use it."""
    moment = at or now()
    with store.session() as session:
        found = session.get(ConsoleSession, _digest(token)) if token else None
        user = session.get_one(User, found.username) if found else None
    if found is None or user is None or not lives(store, found, moment, used=used):
        return None
    return user if user.active else None


def lives(
    store: Store, found: ConsoleSession | LabellerSession, moment: datetime, *, used: bool = True
) -> bool:
    """Whether a session has not ended by then; its use, or its end, is noted where the database can be written."""
    ended = moment - found.seen_at > IDLE_FOR or moment - found.created_at > SIGNED_IN_FOR
    if ended or (used and moment - found.seen_at > SEEN_EVERY):
        with suppress(StoreBusyError), store.session() as session:
            kept = session.get(type(found), found.token_hash)
            row = cast("ConsoleSession | LabellerSession | None", kept)
            if row is not None and ended:
                session.delete(row)
            elif row is not None:
                row.seen_at = moment
    return not ended


def sign_out(store: Store, token: str) -> None:
    """End a session."""
    with store.session() as session:
        session.execute(delete(ConsoleSession).where(ConsoleSession.token_hash == _digest(token)))


def first_code(store: Store, home: Path) -> str | None:
    """The one-time code with which the first admin is made; `None` once there is anybody.

    It lies in `home` for its owner alone, and stands in no log.
    """
    with store.session() as session:
        if session.scalar(select(func.count()).select_from(User)):
            return None
    return secret_file(code_file(home), lambda: secrets.token_hex(8))


def sign_up_first(
    store: Store, home: Path, code: str, username: str, password: str, *, source: str = ""
) -> str:
    """Make the first admin by the one-time code, and let the person in; returns the session's token."""
    expected = first_code(store, home)
    if expected is None:
        raise SignInError("There already is an admin.", "Sign in, or ask an admin for an account.")
    if not secrets.compare_digest(code.strip().encode(), expected.encode()):
        audit_log.note(store, username.strip()[:150], "wrong one-time code")
        raise SignInError("The one-time code is wrong.", f"The code is in {code_file(home)}.")
    add(store, username, password, "admin")
    code_file(home).unlink(missing_ok=True)
    audit_log.note(store, username.strip(), "first admin made")
    return sign_in(store, username, password, source=source)


def code_file(home: Path) -> Path:
    """Where the first admin's one-time code lies until it was used; whoever may read HOME may use it."""
    return home / "first_admin_code"


def _end_sessions(session: Session, username: str) -> None:
    """End somebody's sessions, and what they let the person do as an annotator."""
    theirs = select(ConsoleSession.token_hash).where(ConsoleSession.username == username)
    session.execute(delete(LabellerSession).where(LabellerSession.token_hash.in_(theirs)))
    session.execute(delete(ConsoleSession).where(ConsoleSession.username == username))


def _get(user: User | None, username: str) -> User:
    if user is None:
        raise InputError(f"There is no user {username!r}.", "List users with `ava user list`.")
    return user


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher()


@cache
def _decoy() -> str:
    """A hash that takes as long to check as a real one, so that the time does not tell which names exist."""
    return _hasher().hash(secrets.token_hex(8))


def _hash(password: str) -> str:
    if len(password) < LEAST_PASSWORD:
        raise InputError("The password is too short.", PASSWORD_RULE)
    return _hasher().hash(password)


def _verify(hashed: str, password: str) -> bool:
    from argon2.exceptions import VerificationError

    try:
        return _hasher().verify(hashed, password)
    except VerificationError:
        return False


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
