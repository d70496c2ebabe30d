"""People of the console: roles, passwords, sessions.

Passwords are kept as argon2id hashes, session tokens as SHA-256. Guessing is stopped by locking the account for
a while; a session ends after some hours without use, and at the latest after some days.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from sqlalchemy import delete, func, select

from ava_core.base.errors import InputError, SignInError
from ava_core.store import audit_log
from ava_core.store.database import Store
from ava_core.store.tables import ConsoleSession, User, now

if TYPE_CHECKING:
    from argon2 import PasswordHasher

Role = Literal["annotator", "viewer", "reviewer", "admin"]

ROLES: Final[tuple[Role, ...]] = ("viewer", "reviewer", "admin")
"""Of people of the console. Each may do what the ones before it may: look; decide on clips; everything."""

RANKS: Final[tuple[Role, ...]] = ("annotator", *ROLES)
"""An annotator, whose account is the annotation server's, sees their own work and nothing else."""

LEAST_PASSWORD: Final = 10
"""Characters. Length is what counts (NIST SP 800-63B asks for 8 at least)."""

PASSWORD_RULE: Final = f"At least {LEAST_PASSWORD} characters; a sentence is easy to remember."
"""What a form says beside the field."""

FAILURES_ALLOWED: Final = 5
LOCKED_FOR: Final = timedelta(minutes=15)
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
        user.password_hash, user.failures, user.locked_until = hashed, 0, None
        session.execute(delete(ConsoleSession).where(ConsoleSession.username == username))


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
            raise InputError(f"{username!r} is the last admin.", "Make somebody else admin first.")
        if not user.active:
            session.execute(delete(ConsoleSession).where(ConsoleSession.username == username))


def set_preference(store: Store, username: str, **values: Any) -> None:
    """Remember how somebody likes the console (for one, `dark`)."""
    with store.session() as session:
        user = _get(session.get(User, username), username)
        user.preferences = user.preferences | values


def sign_in(store: Store, username: str, password: str, *, at: datetime | None = None) -> str:
    """Let somebody in; returns the session's token. Raises `SignInError`, and counts the failure.

    Whether the name or the password was wrong is not said.
    """
    moment = at or now()
    with store.session() as session:
        user = session.get(User, username.strip())
    if user is not None and user.locked_until is not None and user.locked_until > moment:
        minutes = -(-(user.locked_until - moment).seconds // 60)
        raise SignInError("Too many wrong passwords.", f"Try again in {minutes} min, or ask an admin.")
    right = _verify(user.password_hash if user else _decoy(), password)
    if user is None or not right or not user.active:
        _count_failure(store, username.strip(), moment)
        raise SignInError("Name or password is wrong.", "Check both; capitals count.")
    token = secrets.token_urlsafe(32)
    with store.session() as session:
        session.get_one(User, user.username).failures = 0
        session.execute(delete(ConsoleSession).where(ConsoleSession.created_at < moment - SIGNED_IN_FOR))
        session.add(
            ConsoleSession(
                token_hash=_digest(token), username=user.username, created_at=moment, seen_at=moment
            )
        )
    audit_log.note(store, user.username, "sign in")
    return token


def who(store: Store, token: str, *, at: datetime | None = None) -> User | None:
    """Whose session it is; `None` where it does not exist, or ended."""
    moment = at or now()
    with store.session() as session:
        found = session.get(ConsoleSession, _digest(token)) if token else None
        if found is None:
            return None
        if moment - found.seen_at > IDLE_FOR or moment - found.created_at > SIGNED_IN_FOR:
            session.delete(found)
            return None
        if moment - found.seen_at > SEEN_EVERY:
            found.seen_at = moment
        user = session.get_one(User, found.username)
        return user if user.active else None


def sign_out(store: Store, token: str) -> None:
    """End a session."""
    with store.session() as session:
        session.execute(delete(ConsoleSession).where(ConsoleSession.token_hash == _digest(token)))


def first_code(store: Store, home: Path) -> str | None:
    """The one-time code with which the first admin is made; `None` once there is anybody.

    It lies in `home` for its owner alone, so that whoever reads the terminal or the folder may use it.
    """
    with store.session() as session:
        if session.scalar(select(func.count()).select_from(User)):
            return None
    file = _code_file(home)
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(8))
    return file.read_text().strip()


def sign_up_first(store: Store, home: Path, code: str, username: str, password: str) -> str:
    """Make the first admin by the one-time code, and let the person in; returns the session's token."""
    expected = first_code(store, home)
    if expected is None:
        raise SignInError("There is an admin already.", "Sign in, or ask an admin for an account.")
    if not secrets.compare_digest(code.strip().encode(), expected.encode()):
        audit_log.note(store, username.strip()[:150], "wrong one-time code")
        raise SignInError("The one-time code is wrong.", "It is printed on the terminal that runs `ava up`.")
    add(store, username, password, "admin")
    _code_file(home).unlink(missing_ok=True)
    audit_log.note(store, username.strip(), "first admin made")
    return sign_in(store, username, password)


def _code_file(home: Path) -> Path:
    return home / "first_admin_code"


def _get(user: User | None, username: str) -> User:
    if user is None:
        raise InputError(f"There is no user {username!r}.", "`ava user list` shows them.")
    return user


def _count_failure(store: Store, username: str, moment: datetime) -> None:
    with store.session() as session:
        user = session.get(User, username)
        if user is not None:
            user.failures += 1
            if user.failures >= FAILURES_ALLOWED:
                user.failures, user.locked_until = 0, moment + LOCKED_FOR
    audit_log.note(store, username[:150], "sign in refused")


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
