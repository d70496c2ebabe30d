"""Three people label on the page, each with an own account; one is wrong and redoes; the dataset is as they meant."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from playwright.sync_api import Browser

from ava_assets.running.services import free_port
from ava_core import decisions
from ava_core.annotation.gateway import CvatGateway
from ava_core.base.settings import Settings, load_settings
from ava_core.base.storage import Storage
from ava_core.dataset.formats.ava.names import ALL_ROWS
from ava_core.store import annotators, open_store, tasks, users
from tests.support.browser import Visitor
from tests.support.processes import ava_up
from tests.support.street import PASSWORD
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.nightly, pytest.mark.xdist_group("up")]

BATCH = "street"
PATIENCE_SECONDS = 240
CREW = ("maria", "tomas", "chloe")
MEANT = ("w", "j")
"""Keys of what people with even and with odd numbers do at first."""
SECONDS, TURN, TURNED = 7, 4, "x"
"""Length of the video, the second from which everybody does the same, and its key."""
WINDOW = (2, 3, 4, 5)
"""Seconds of which a dataset tells: those with two seconds of context on both sides."""
ACTIONS = {"w": 1, "j": 5, "x": 4}


def write_walkers(path: Path) -> None:
    """Three walk across the picture, one above the other, at 25 frames a second."""
    path.parent.mkdir()
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for number in range(SECONDS * 25):
            picture = np.full((360, 640, 3), 60, np.uint8)
            for walker in range(3):
                left, top = 20 + (4 + walker) * number // 2, 8 + 118 * walker
                picture[top : top + 105, left : left + 40] = 200
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Settings]:
    """`ava up` over an empty home."""
    settings = load_settings(
        home=tmp_path / "home", cvat_port=free_port(), dagster_port=free_port(), console_port=free_port(),
        cvat_poll_seconds=1, annotators_per_clip=3, overlap=1.0,
    )  # fmt: skip
    with ava_up(settings):
        yield settings


def label(visitor: Visitor, begin: str, keys: tuple[str, str] | None = None) -> None:
    """The next job, to its end: what each person does, from a second on another, and no more can be told.

    Without `keys` all stays as it was.
    """
    page = visitor.page
    visitor.open("/work")
    page.get_by_role("button", name=re.compile(f"^{begin} ")).click()
    page.wait_for_selector("[data-ready=yes]")
    people = page.locator(".label-people button")
    for number in range(people.count() if keys else 0):
        person = people.nth(number)
        person.click()
        page.keyboard.press(f"Shift+{keys[int(person.inner_text().split()[0]) % 2]}")
        page.get_by_role("button", name=f"Go to second {TURN}").click()
        page.keyboard.press(TURNED)
        page.keyboard.press("!")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/work", wait_until="commit")


def look_at_next(reviewer: Visitor) -> None:
    """The clip that waits for review."""
    reviewer.open("/quality")
    reviewer.page.locator("td a").first.click()
    reviewer.page.wait_for_selector(".player-labels")


def test_three_people_label_on_the_page_and_the_dataset_is_what_they_meant(
    browser: Browser, up: Settings, tmp_path: Path
) -> None:
    store, storage = open_store(up), Storage(up.resolved_storage_url)
    users.add(store, "adam", PASSWORD, "admin")
    with CvatGateway(up) as gateway:
        gateway.ensure_organisation()
        for name in CREW:
            gateway.register_annotator(name, PASSWORD, f"{name}@example.org")
            annotators.put(store, name)
    write_walkers(tmp_path / "videos" / "gate.mp4")
    (tmp_path / "videos").rename(up.inbox_dir / BATCH)

    def until(condition: Callable[[], Any]) -> Any:
        return wait_until(condition, PATIENCE_SECONDS)

    def read_again() -> bool:
        completed = storage.read_table(storage.table_path(BATCH, "raw_annotations", "completed_jobs"))
        return completed.filter(annotator="maria")["version"].to_list() == [2]

    until(lambda: tasks.job_counts(store, BATCH).jobs >= len(CREW))
    url = f"http://127.0.0.1:{up.console_port}"
    crew = {name: Visitor(browser, url, name) for name in CREW}
    label(crew["maria"], "Start", ("f", "v"))  # she is wrong about the first seconds
    label(crew["tomas"], "Start", MEANT)
    label(crew["chloe"], "Start", MEANT)
    agreed = storage.table_path(BATCH, "agreement", "clips")
    until(lambda: agreed.exists() and storage.read_table(agreed)["annotators"].min() == len(CREW))

    # the reviewer rejects, with a comment that everybody finds in their list; one does it again, two stay with theirs
    adam = Visitor(browser, url, "adam")
    look_at_next(adam)
    adam.page.keyboard.press("r")
    adam.page.wait_for_function("document.activeElement.tagName === 'INPUT'")
    adam.page.keyboard.type("nobody walks fast here")
    adam.page.keyboard.press("Enter")
    until(lambda: tasks.job_counts(store, BATCH).completed == 0)
    crew["maria"].open("/work")
    crew["maria"].page.get_by_text("nobody walks fast here").wait_for()
    for name in CREW:
        label(crew[name], "Redo", MEANT if name == "maria" else None)
    until(lambda: read_again() and not decisions.decision_state(store, BATCH).rejected)

    look_at_next(adam)
    adam.page.keyboard.press("a")
    until(lambda: decisions.decision_state(store, BATCH).approved)
    until(storage.table_path(BATCH, "ava_csv").exists)
    adam.open("/dataset")
    adam.page.get_by_label("name", exact=True).fill("first")
    adam.page.get_by_role("button", name="Generate dataset").last.click()
    adam.page.wait_for_url("**/runs/*")
    adam.page.get_by_text("success", exact=True).wait_for(timeout=PATIENCE_SECONDS * 1000)

    # every box of the tracker has the one action that was meant at its second, and there is nothing else
    proposals = storage.read_table(storage.table_path(BATCH, "dense_proposals"))
    adam.open("/dataset/first")
    with adam.page.expect_download() as download:
        adam.page.get_by_role("link", name=ALL_ROWS).first.click()
    rows = csv.reader(download.value.path().read_text().splitlines())
    meant = [
        (900 + second, ACTIONS[TURNED if second >= TURN else MEANT[track % 2]])
        for second, track in proposals.select("second", "track_id").rows()
        if second in WINDOW
    ]
    assert len(meant) >= 3 * len(WINDOW)
    assert sorted((int(row[1]), int(row[6])) for row in rows) == sorted(meant)
    assert all(visitor.troubles == [] for visitor in (*crew.values(), adam))
