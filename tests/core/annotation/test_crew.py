"""Annotators are added, shut out, let in again and given new passwords."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ava_core.annotation.crew import add_annotator, reset_password, set_active
from ava_core.annotation.gateway import CvatGateway
from ava_core.annotation.labeller import Labeller, sign_in_anybody
from ava_core.annotation_server import lifetimes
from ava_core.base.errors import CvatLoginError, InputError, SignInError
from ava_core.base.settings import Settings, load_settings
from ava_core.store import Store, annotators, labellers, open_store
from tests.support.annotation_server import RunningServer


@pytest.fixture
def embedded(cvat_server: RunningServer, tmp_path: Path) -> Settings:
    """Settings under which the running server is the embedded one."""
    return load_settings(
        home=str(tmp_path / "home"), cvat_port=urlsplit(cvat_server.url).port,
        cvat_username=cvat_server.username, cvat_password=cvat_server.password,
    )  # fmt: skip


@pytest.fixture
def real(embedded: Settings, cvat_server: RunningServer) -> Settings:
    """Settings under which the same server is somebody's CVAT."""
    return embedded.model_copy(update={"cvat_url": cvat_server.url})


@pytest.fixture
def store(embedded: Settings) -> Store:
    return open_store(embedded)


def test_an_account_is_made_and_its_password_signs_in(embedded: Settings, store: Store) -> None:
    drawn = add_annotator(embedded, store, "mirela")
    assert [one.username for one in annotators.available(store)] == ["mirela"]
    assert labellers.anybody(store, sign_in_anybody(embedded, store, "mirela", drawn)) is not None
    assert add_annotator(embedded, store, "mirela") == "", "there already: nothing is drawn"


@pytest.mark.parametrize(("name", "why"), [("ann", "has 3 characters"), ("a b c d e", "contains invalid characters"),
                                           ("x" * 151, "151"), ("", "0 characters")])  # fmt: skip
def test_a_name_that_no_account_can_have_is_refused_in_a_sentence(
    embedded: Settings, store: Store, name: str, why: str
) -> None:
    with pytest.raises(InputError, match=why) as error:
        add_annotator(embedded, store, name)
    assert "5 to 150" in str(error.value)
    assert annotators.everyone(store) == []


def test_who_is_shut_out_cannot_sign_in_until_let_in_again(embedded: Settings, store: Store) -> None:
    drawn = add_annotator(embedded, store, "mirela")
    session = sign_in_anybody(embedded, store, "mirela", drawn)
    set_active(embedded, store, "mirela", active=False)
    assert labellers.anybody(store, session) is None
    with pytest.raises(SignInError):
        sign_in_anybody(embedded, store, "mirela", drawn)
    with CvatGateway(embedded) as gateway:
        assert gateway.account("mirela")["is_active"] is False  # type: ignore[index]
    set_active(embedded, store, "mirela", active=True)
    assert sign_in_anybody(embedded, store, "mirela", drawn)
    set_active(embedded, store, "mirela", active=False)
    add_annotator(embedded, store, "mirela")
    assert sign_in_anybody(embedded, store, "mirela", drawn), "adding takes back"


def test_a_new_password_replaces_the_old_one_and_ends_sessions(embedded: Settings, store: Store) -> None:
    old = add_annotator(embedded, store, "mirela")
    session = sign_in_anybody(embedded, store, "mirela", old)
    new = reset_password(embedded, store, "mirela")
    assert labellers.anybody(store, session) is None
    with pytest.raises(SignInError):
        sign_in_anybody(embedded, store, "mirela", old)
    assert sign_in_anybody(embedded, store, "mirela", new)


def test_the_platforms_own_account_is_left_alone(
    embedded: Settings, store: Store, cvat_server: RunningServer
) -> None:
    add_annotator(embedded, store, cvat_server.username)
    with pytest.raises(InputError, match="administrator"):
        set_active(embedded, store, cvat_server.username, active=False)
    with pytest.raises(InputError, match="administrator"):
        reset_password(embedded, store, cvat_server.username)


def test_only_an_administrator_sets_passwords(
    embedded: Settings, store: Store, cvat_server: RunningServer
) -> None:
    drawn = add_annotator(embedded, store, "mirela")
    secret = {"password1": "a-longer-word-of-hers", "password2": "a-longer-word-of-hers"}
    with CvatGateway(embedded) as gateway:
        number, own = (gateway.account(name)["id"] for name in ("mirela", "admin"))  # type: ignore[index]
    with cvat_server.api("mirela", drawn) as api:
        assert api.put(f"/api/users/{number}/password", json=secret).status_code == 403
    with cvat_server.api() as api:
        assert api.put(f"/api/users/{own}/password", json=secret).status_code == 403
        weak = {"password1": "password1", "password2": "password1"}
        assert api.put(f"/api/users/{number}/password", json=weak).status_code == 400
        assert api.put(f"/api/users/{number + 9}/password", json=secret).status_code == 404


def test_over_a_real_cvat_somebody_with_an_account_is_taken_in(
    real: Settings, store: Store, cvat_server: RunningServer
) -> None:
    cvat_server.add_annotators("tomas", organisation="elsewhere")
    assert add_annotator(real, store, "tomas") == ""
    with CvatGateway(real) as gateway:
        assert "tomas" in gateway.members()


def test_over_a_real_cvat_what_is_done_there_is_said(real: Settings, store: Store) -> None:
    with pytest.raises(InputError, match="Give their e-mail address"):
        add_annotator(real, store, "stranger")
    assert add_annotator(real, store, "stranger", email="stranger@example.org")
    with pytest.raises(InputError, match="Forgot your password"):
        reset_password(real, store, "stranger")
    set_active(real, store, "stranger", active=False)
    assert annotators.available(store) == []


def test_who_comes_with_an_expired_token_is_told_so(
    embedded: Settings, store: Store, cvat_server: RunningServer
) -> None:
    drawn = add_annotator(embedded, store, "mirela")
    with cvat_server.api("mirela", drawn) as api:
        body = {"name": "mine", "read_only": False}
        token = api.post("/api/auth/access_tokens", json=body).raise_for_status().json()
        session = sign_in_anybody(embedded, store, "mirela", token["value"])
        ended = {"expiry_date": "2026-01-01T00:00:00Z"}
        api.patch(f"/api/auth/access_tokens/{token['id']}", json=ended).raise_for_status()
    with pytest.raises(SignInError, match="token may have expired"):
        sign_in_anybody(embedded, store, "mirela", token["value"])
    told_to_sign_in_again(embedded, store, session)


def test_whose_sign_in_expires_while_labelling_is_told_so(
    embedded: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = sign_in_anybody(embedded, store, "mirela", add_annotator(embedded, store, "mirela"))
    monkeypatch.setattr(lifetimes, "KEY_LIFETIME", timedelta(0))
    told_to_sign_in_again(embedded, store, session)


def told_to_sign_in_again(settings: Settings, store: Store, session: str) -> None:
    own = labellers.opened(store, session)
    assert own is not None
    said = r"the token of 'mirela': it has expired, was revoked, or is wrong\. Sign in again"
    with pytest.raises(CvatLoginError, match=said), Labeller(*own).connect(settings) as gateway:
        gateway.whoami()
