"""Annotators on the page People."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from nicegui import ui

from ava_core.annotation.labeller import sign_in_anybody
from ava_core.base.settings import Settings
from ava_core.store import annotators
from tests.support.annotation_server import RunningServer
from tests.support.home import Home
from tests.support.site import opened
from tests.support.street import PASSWORD
from tests.support.waiting import eventually


def embedded(cvat_server: RunningServer, folder: Path) -> Settings:
    """A home with an admin, beside a running embedded server."""
    home = Home(
        folder, cvat_port=urlsplit(cvat_server.url).port,
        cvat_username=cvat_server.username, cvat_password=cvat_server.password,
    )  # fmt: skip
    home.add_users({"adam": "admin"}, PASSWORD)
    return home.settings


async def test_an_admin_adds_an_annotator_and_shuts_them_out(
    cvat_server: RunningServer, tmp_path: Path
) -> None:
    settings = embedded(cvat_server, tmp_path / "home")
    async with opened(settings) as site:
        adam, store = site.enter("adam"), site.console.store
        await adam.open("/people")
        adam.find(marker="annotator-name").type("ann")
        adam.find(marker="add-annotator").click()
        await adam.should_see("The name 'ann' has 3 characters", retries=20)
        adam.find(marker="annotator-name").clear().type("mirela")
        adam.find(marker="add-annotator").click()
        await adam.should_see(marker="shown-once", retries=40)
        (shown,) = adam.find(marker="shown-once").elements
        assert isinstance(shown, ui.label)
        assert sign_in_anybody(settings, store, "mirela", shown.text)
        adam.find(marker="have-it").click()
        await adam.should_see(marker="active-mirela", retries=20)
        adam.find(marker="active-mirela").click()
        await adam.should_see(marker="confirm", retries=20)
        adam.find(marker="confirm").click()
        await eventually(lambda: not annotators.available(store))


async def test_an_admin_labels_with_one_button_and_no_second_sign_in(
    cvat_server: RunningServer, tmp_path: Path
) -> None:
    async with opened(embedded(cvat_server, tmp_path / "home")) as site:
        adam = site.enter("adam")
        await adam.open("/work")
        adam.find(marker="label-yourself").click()
        await eventually(lambda: annotators.available(site.console.store))
        await adam.open("/work")
        await adam.should_see("Assign a batch to yourself.", retries=20)
        entered = await site.http.post("/login", data={"username": "adam", "password": PASSWORD})
        assert entered.status_code == 303
        again = await site.http.get("/work")
        assert "Assign a batch to yourself." in again.text, "a later sign-in labels at once"
