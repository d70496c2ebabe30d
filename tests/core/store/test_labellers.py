"""Annotators' sessions: known by the annotation server, kept sealed, ended like others; and working time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ava_core.annotation.working_time import active_times, record_active
from ava_core.base.errors import InputError
from ava_core.store import Store, annotators, labellers, users
from ava_core.store.tables import LabellerSession, now
from ava_ui.web.own_work import may_see

KEY = "0123456789abcdef0123456789abcdef01234567"


def test_a_session_gives_the_annotator_and_the_servers_token_back(store: Store) -> None:
    annotators.put(store, "mia")
    token = labellers.begin(store, "mia", 7, KEY)
    user = labellers.anybody(store, token)
    assert user is not None
    assert (user.username, user.role) == ("mia", "annotator")
    assert labellers.opened(store, token) == ("mia", 7, KEY)
    with store.session() as session:
        assert KEY not in session.query(LabellerSession).one().sealed
    labellers.sign_out(store, token)
    assert labellers.anybody(store, token) is None


def test_a_session_ends_with_time_and_with_the_annotators_work(store: Store) -> None:
    annotators.put(store, "mia")
    token = labellers.begin(store, "mia", 7, KEY)
    assert labellers.who(store, token, now() + users.IDLE_FOR + timedelta(minutes=1)) is None
    token = labellers.begin(store, "mia", 7, KEY)
    annotators.set_state(store, "mia", active=False)
    assert labellers.who(store, token) is None


def test_a_session_that_labels_as_well_ends_with_the_persons_account(store: Store) -> None:
    password = "a long enough password"
    annotators.put(store, "mia")
    users.add(store, "adam", password, "admin")
    users.add(store, "maria", password, "viewer")
    for end in (
        lambda: users.set_password(store, "maria", password),
        lambda: users.change(store, "maria", active=False),
    ):
        token = users.sign_in(store, "maria", password)
        labellers.join(store, token, "mia", 7, KEY)
        assert labellers.anybody(store, token) is not None
        end()
        assert labellers.anybody(store, token) is None
        assert labellers.opened(store, token) is None


def test_a_session_that_is_looked_at_is_not_used(store: Store) -> None:
    annotators.put(store, "mia")
    begun = now() - users.IDLE_FOR + timedelta(minutes=10)
    token = labellers.begin(store, "mia", 7, KEY, begun)
    assert labellers.anybody(store, token, used=False) is not None
    with store.session() as session:
        assert session.query(LabellerSession).one().seen_at == begun
    assert labellers.anybody(store, token) is not None
    with store.session() as session:
        assert session.query(LabellerSession).one().seen_at > begun


@pytest.mark.parametrize(
    "path",
    [
        "/people", "/batches", "/quality/b/agreement", "/metrics", "/tasks", "/progress", "/readings/b/1", "/audit",
        "/media/review/b/c", "/media/tracks/b/c", "/media/sheet/b", "/media/clip/b/c", "/download/v1.zip", "/upload/1",
        "/workers",
    ],
)  # fmt: skip
def test_an_annotator_sees_nothing_but_own_work(store: Store, path: str) -> None:
    annotators.put(store, "mia")
    user = labellers.who(store, labellers.begin(store, "mia", 7, KEY))
    assert user is not None
    assert not may_see(store, user, path)


def test_working_time_is_summed_by_job(store: Store) -> None:
    with pytest.raises(InputError):
        record_active(store, 1, "mia", "", -1.0, 0)
    assert active_times(store).is_empty()
