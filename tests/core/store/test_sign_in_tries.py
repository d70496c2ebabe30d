"""Guessing: counted before it is checked, by name and place; nobody is kept out by a stranger's guesses."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from ava_core.annotation.labeller import sign_in_anybody
from ava_core.base.errors import SignInError
from ava_core.base.settings import load_settings
from ava_core.store import Store, annotators, labellers, sign_in_tries, users
from ava_core.store.tables import now

PASSWORD = "a long enough password"
HERE, THERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture(autouse=True)
def adam(store: Store) -> None:
    """One admin."""
    users.add(store, "adam", PASSWORD, "admin")


def guess(store: Store, name: str = "adam", *, source: str = HERE, password: str = "a guess") -> str:
    """What a try is answered with."""
    try:
        users.sign_in(store, name, password, source=source)
    except SignInError as error:
        return error.message
    return "in"


def test_of_sixty_guesses_at_once_no_more_are_checked_than_allowed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []

    def check(hashed: str, password: str) -> bool:
        checked.append(password)
        return False

    monkeypatch.setattr(users, "_verify", check)
    with ThreadPoolExecutor(60) as people:
        said = list(people.map(lambda number: guess(store, password=f"guess {number}"), range(60)))
    assert len(checked) == sign_in_tries.TRIES_ALLOWED
    assert said.count("Too many wrong passwords.") == 60 - sign_in_tries.TRIES_ALLOWED


def test_guesses_lock_the_name_where_they_come_from_alone(store: Store) -> None:
    for _ in range(sign_in_tries.TRIES_ALLOWED + 1):
        guess(store, source=THERE)
    assert guess(store, source=THERE, password=PASSWORD) == "Too many wrong passwords."
    assert sign_in_tries.locked(store, now()) == {"adam"}
    assert guess(store, source=HERE, password=PASSWORD) == "in"
    assert guess(store, source=THERE, password=PASSWORD) == "Too many wrong passwords."


def test_a_lock_ends_with_time(store: Store) -> None:
    moment = now()
    for _ in range(sign_in_tries.TRIES_ALLOWED):
        sign_in_tries.take(store, HERE, "adam", moment)
    with pytest.raises(SignInError, match="Try again in 15 min"):
        users.sign_in(store, "adam", PASSWORD, source=HERE, at=moment + timedelta(seconds=1))
    later = moment + sign_in_tries.LOCKED_FOR + timedelta(seconds=1)
    assert users.sign_in(store, "adam", PASSWORD, source=HERE, at=later)


def test_a_right_password_begins_the_count_anew(store: Store) -> None:
    for _ in range(3):
        for _ in range(sign_in_tries.TRIES_ALLOWED - 1):
            assert guess(store) == "Name or password is wrong."
        assert guess(store, password=PASSWORD) == "in"


def test_a_new_password_unlocks(store: Store) -> None:
    for _ in range(sign_in_tries.TRIES_ALLOWED):
        guess(store)
    users.set_password(store, "adam", "another long password")
    assert guess(store, password="another long password") == "in"


def test_a_place_that_tries_many_names_is_slowed_down_and_others_are_not(store: Store) -> None:
    moment = now()
    for number in range(sign_in_tries.SOURCE_TRIES):
        sign_in_tries.take(store, THERE, f"name {number}", moment)
    with pytest.raises(SignInError, match="from here"):
        sign_in_tries.take(store, THERE, "one more", moment + timedelta(seconds=1))
    sign_in_tries.take(store, HERE, "one more", moment + timedelta(seconds=1))
    sign_in_tries.take(store, THERE, "one more", moment + sign_in_tries.SLOWED)


def test_an_annotators_guesses_are_counted_as_a_persons(
    store: Store, monkeypatch: pytest.MonkeyPatch, refusing: Callable[..., None]
) -> None:
    annotators.put(store, "mia")
    monkeypatch.setattr("ava_core.annotation.labeller._known_to_server", refusing)
    for _ in range(sign_in_tries.TRIES_ALLOWED):
        with pytest.raises(SignInError, match="wrong"):
            sign_in_anybody(load_settings(), store, "mia", "a guess", source=HERE)
    with pytest.raises(SignInError, match="Too many"):
        sign_in_anybody(load_settings(), store, "mia", "a guess", source=HERE)
    assert labellers.is_active(store, "mia")
    assert not labellers.is_active(store, "nobody")


@pytest.fixture
def refusing() -> Callable[..., None]:
    """An annotation server that knows nobody."""
    return lambda *arguments: None
