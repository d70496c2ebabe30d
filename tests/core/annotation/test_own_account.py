"""An admin of the console labels beside all else, without a second sign-in."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ava_core.annotation.crew import reset_password, set_active
from ava_core.annotation.own_account import label_again, label_yourself
from ava_core.annotation.tasks import plan_batch
from ava_core.base.errors import AssignmentError, InputError, SignInError
from ava_core.batch import BatchContext
from ava_core.store import annotators, labellers, users
from tests.support.annotation_server import RunningServer
from tests.support.annotation_site import AnnotationSite
from tests.support.home import Home

PASSWORD = "a long enough password"


@pytest.fixture
def home(cvat_server: RunningServer, tmp_path: Path) -> Home:
    home = Home(
        tmp_path / "home", cvat_port=urlsplit(cvat_server.url).port,
        cvat_username=cvat_server.username, cvat_password=cvat_server.password,
    )  # fmt: skip
    home.add_users({"adam": "admin", "nadia": "admin", "vera": "viewer"}, PASSWORD)
    return home


def test_the_session_of_an_admin_labels_and_stays_an_admins(home: Home) -> None:
    token = users.sign_in(home.store, "adam", PASSWORD)
    assert label_yourself(home.settings, home.store, token) == "adam.labels", "too short for an account"
    opened = labellers.opened(home.store, token)
    assert opened is not None
    assert opened[0] == "adam.labels"
    assert opened[2]
    who = labellers.anybody(home.store, token)
    assert who is not None
    assert (who.username, who.role) == ("adam", "admin")
    assert label_yourself(home.settings, home.store, token) == "adam.labels", "done again, it is the same"


def test_a_later_sign_in_labels_at_once_whatever_became_of_the_password(home: Home) -> None:
    first = users.sign_in(home.store, "nadia", PASSWORD)
    assert label_yourself(home.settings, home.store, first) == "nadia"
    reset_password(home.settings, home.store, "nadia")
    assert labellers.opened(home.store, first) is None
    later = users.sign_in(home.store, "nadia", PASSWORD)
    label_again(home.settings, home.store, later)
    assert labellers.opened(home.store, later) is not None
    set_active(home.settings, home.store, "nadia", active=False)
    label_again(home.settings, home.store, later)
    assert labellers.opened(home.store, later) is None, "who is shut out does not label"


def test_an_account_that_is_somebody_elses_is_not_taken(home: Home, cvat_server: RunningServer) -> None:
    cvat_server.add_annotators("nadia")
    token = users.sign_in(home.store, "nadia", PASSWORD)
    assert label_yourself(home.settings, home.store, token) == "nadia.labels"


def test_only_admins_and_only_on_the_embedded_server(home: Home, cvat_server: RunningServer) -> None:
    with pytest.raises(SignInError, match="Only admins"):
        label_yourself(home.settings, home.store, users.sign_in(home.store, "vera", PASSWORD))
    real = home.settings.model_copy(update={"cvat_url": cvat_server.url})
    with pytest.raises(InputError, match="Add yours on the People page"):
        label_yourself(real, home.store, users.sign_in(home.store, "adam", PASSWORD))
    vera = users.sign_in(home.store, "vera", PASSWORD)
    label_again(home.settings, home.store, vera)
    assert labellers.opened(home.store, vera) is None


def test_a_batch_is_dealt_to_one_annotator_alone(annotation_site: AnnotationSite) -> None:
    site = annotation_site

    def planned(**options: object) -> set[tuple[str, ...]]:
        settings = site.settings.with_options({"overlap": 1.0, "annotators_per_clip": 3} | options)
        at = BatchContext("b", settings, store=site.store)
        return set(plan_batch(at, site.clips).annotators.values())

    assert planned(annotators="maria") == {("maria",)}
    for name in ("tomas", "chloe"):
        annotators.set_state(site.store, name, paused=True)
    with pytest.raises(AssignmentError, match="are available"):
        planned()
