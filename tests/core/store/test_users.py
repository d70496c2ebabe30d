"""People of the console: passwords, lock-out, sessions, the first admin."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from ava_core.base.errors import InputError, SignInError, StoreBusyError
from ava_core.store import Store, audit_log, open_store, users
from ava_core.store.tables import ConsoleSession, User, now

PASSWORD = "a long enough password"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A database with one reviewer and one admin."""
    store = open_store(f"sqlite:///{tmp_path / 'users.db'}")
    users.add(store, "nadia", PASSWORD, "reviewer")
    users.add(store, "adam", PASSWORD, "admin")
    return store


def test_passwords_and_tokens_are_not_kept_in_clear(store: Store) -> None:
    token = users.sign_in(store, "nadia", PASSWORD)
    with store.session() as session:
        assert session.get_one(User, "nadia").password_hash.startswith("$argon2id$")
        assert token not in session.scalars(select(ConsoleSession.token_hash)).all()
    assert users.who(store, token).username == "nadia"  # type: ignore[union-attr]


def test_a_wrong_name_and_a_wrong_password_are_told_alike(store: Store) -> None:
    with pytest.raises(SignInError) as wrong_password:
        users.sign_in(store, "nadia", "not the password")
    with pytest.raises(SignInError) as wrong_name:
        users.sign_in(store, "nobody", PASSWORD)
    assert str(wrong_password.value) == str(wrong_name.value)


@pytest.mark.parametrize(
    ("after", "lives"),
    [
        (users.IDLE_FOR - timedelta(minutes=1), True),
        (users.IDLE_FOR + timedelta(minutes=1), False),
    ],
)
def test_a_session_ends_without_use(store: Store, after: timedelta, lives: bool) -> None:
    moment = now()
    token = users.sign_in(store, "nadia", PASSWORD, at=moment)
    assert (users.who(store, token, at=moment + after) is not None) == lives


def test_a_session_ends_at_last_however_much_it_is_used(store: Store) -> None:
    moment = now()
    token = users.sign_in(store, "nadia", PASSWORD, at=moment)
    step = timedelta(hours=6)
    while moment + step < now() + users.SIGNED_IN_FOR:
        moment += step
        assert users.who(store, token, at=moment) is not None
    assert users.who(store, token, at=moment + 2 * step) is None


def test_whoever_is_shut_out_is_out_at_once(store: Store) -> None:
    token = users.sign_in(store, "nadia", PASSWORD)
    users.change(store, "nadia", active=False)
    assert users.who(store, token) is None
    with pytest.raises(SignInError):
        users.sign_in(store, "nadia", PASSWORD)


@pytest.mark.parametrize("change", [{"role": "viewer"}, {"active": False}])
def test_the_last_admin_stays(store: Store, change: dict[str, object]) -> None:
    with pytest.raises(InputError, match="last admin"):
        users.change(store, "adam", **change)  # type: ignore[arg-type]
    assert {u.username: (u.role, u.active) for u in users.everyone(store)}["adam"] == ("admin", True)


@pytest.mark.parametrize(
    ("name", "password", "role", "reason"),
    [
        ("nadia", PASSWORD, "viewer", "already"),
        ("new", "short", "viewer", "10 characters"),
        ("new", PASSWORD, "king", "no role"),
        (" ", PASSWORD, "viewer", "user name"),
    ],
)
def test_who_cannot_be_added(store: Store, name: str, password: str, role: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        users.add(store, name, password, role)


def test_the_first_admin_needs_the_code_and_is_made_once(tmp_path: Path) -> None:
    store, home = open_store(f"sqlite:///{tmp_path / 'empty.db'}"), tmp_path / "home"
    code = users.first_code(store, home)
    assert code is not None
    assert users.first_code(store, home) == code
    assert (home / "first_admin_code").stat().st_mode & 0o077 == 0
    with pytest.raises(SignInError, match="code is wrong"):
        users.sign_up_first(store, home, "guess", "adam", PASSWORD)
    token = users.sign_up_first(store, home, code, "adam", PASSWORD)
    assert users.who(store, token).role == "admin"  # type: ignore[union-attr]
    assert users.first_code(store, home) is None
    with pytest.raises(SignInError, match="already"):
        users.sign_up_first(store, home, code, "eve", PASSWORD)


def test_coming_and_failing_to_come_in_are_recorded(store: Store) -> None:
    users.sign_in(store, "nadia", PASSWORD)
    with pytest.raises(SignInError):
        users.sign_in(store, "nadia", "a guess")
    assert [(e.actor, e.action) for e in audit_log.newest(store, 2)] == [
        ("nadia", "sign in refused"),
        ("nadia", "sign in"),
    ]


def test_preferences_are_kept(store: Store) -> None:
    users.set_preference(store, "nadia", dark=True)
    users.set_preference(store, "nadia", rows=50)
    assert {u.username: u.preferences for u in users.everyone(store)}["nadia"] == {"dark": True, "rows": 50}


def test_a_locked_database_is_said_in_a_sentence_and_keeps_nobody_out(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'busy.db'}", busy_ms=50)
    users.add(store, "nadia", PASSWORD, "reviewer")
    token = users.sign_in(store, "nadia", PASSWORD)
    with sqlite3.connect(tmp_path / "busy.db", timeout=0) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusyError, match="Another program has locked the database"):
            users.sign_in(store, "nadia", PASSWORD)
        later = now() + 2 * users.SEEN_EVERY
        assert users.who(store, token, at=later) is not None, "a session's use is noted another time"
        other.rollback()
    store.close()
