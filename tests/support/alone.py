"""One person alone, in a real browser, as the README walks it: from a video on disk to an AVA dataset of their own.

They are admin and annotator at once, by one sign-in. `look` is shown the page at moments that are worth a picture.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from ava_core.annotation.own_account import own_name
from ava_core.base.settings import Settings
from ava_core.demo.scenes import render_scenes
from ava_core.demo.truth import SceneTruth
from ava_core.store import Store, open_store, tasks, users
from tests.support.browser import Visitor
from tests.support.waiting import wait_until

BATCH = "street"
RELEASE = "first"
PATIENCE_SECONDS = 240.0
SCENE_SECONDS = 8.0
NAME = "mirela"

ANSWERS = "wnaep5DJ"
"""A key for each group of the street's ontology: walks, no phone, alone, …"""

AREA = """() => {
  const box = document.querySelector(".label-stage g:not(.faint) rect")?.getBBox();
  return box ? box.width * box.height : 0;
}"""
GHOST_PX = 2000
"""Of the clip: what a person leaves out who looks at it."""

MOST_PEOPLE = 60

PICTURED_AFTER = 6
"""People of the first clip that are labelled when it is looked at."""

Look = Callable[[str, Page], Any]


def until(condition: Callable[[], Any]) -> Any:
    """Wait for what the platform does by itself."""
    return wait_until(condition, PATIENCE_SECONDS, pause=0.5)


class Alone:
    """The steps of "Label your first clip in five minutes", in order."""

    truth: SceneTruth  # of the video that was added

    def __init__(self, browser: Browser, settings: Settings, look: Look = lambda name, page: None) -> None:
        self.store: Store = open_store(settings)
        code = users.code_file(settings.home_dir).read_text()
        self.visitor = Visitor(browser, f"http://127.0.0.1:{settings.console_port}", NAME, code=code)
        self.page, self.look = self.visitor.page, look

    def begin(self) -> None:
        """An annotator's account with one button."""
        self.visitor.open("/work")
        self.page.get_by_role("button", name="Label yourself").click()
        until(lambda: own_name(users.everyone(self.store)[0]))

    def add(self, folder: Path) -> None:
        """Drop a video; its clips are dealt to the only annotator there is."""
        self.truth = render_scenes(folder, seed=3, scenes=1, seconds=SCENE_SECONDS)
        self.visitor.open("/batches")
        self.page.set_input_files("input[type=file]", str(folder / "scene_1.mp4"))
        self.page.get_by_label("Name of the batch").fill(BATCH)
        self.page.locator("button:enabled", has_text="Add batch").click()
        self.page.wait_for_url(f"**/batches/{BATCH}")
        until(lambda: tasks.job_counts(self.store, BATCH).jobs)

    def label(self) -> int:
        """Label clip after clip by keyboard; returns how many there were."""
        for done in range(100):
            self.visitor.open("/work")
            begin = self.page.get_by_role("button", name=re.compile("^(Start|Continue) "))
            if not begin.count():
                return done
            begin.click()
            self._clip(first=done == 0)
        raise AssertionError("there is always another clip")

    def _clip(self, *, first: bool) -> None:
        page = self.page
        page.wait_for_selector("[data-ready=yes]")
        page.wait_for_function("document.querySelector('.label-stage video')?.readyState >= 2")
        for people in range(MOST_PEOPLE):
            if not page.locator(".label-people button.open").count():
                break
            if first and people == PICTURED_AFTER:
                page.wait_for_function("document.querySelector('.label-state').textContent === 'All saved'")
                self.look("label", page)
            if page.evaluate(AREA) < GHOST_PX:
                page.keyboard.press("Delete")  # not a person: a shadow that moved
                continue
            for key in ANSWERS:
                page.keyboard.press(key)
            if people == 0:
                page.keyboard.press("ArrowRight")
                page.keyboard.press("t")  # from this second on they talk into a phone
            page.keyboard.press("Enter")
        page.keyboard.press("Control+Enter")
        page.wait_for_url("**/work", wait_until="commit")

    def approve(self) -> int:
        """Review by key; returns how many clips there were."""
        clips = len({job.clip_id for job in tasks.jobs_of(self.store, BATCH)})
        self.visitor.open("/quality")

        def waiting() -> bool:
            self.visitor.open("/quality")
            return bool(self.page.locator("td a").count())

        for number in range(clips):
            until(waiting)
            self.page.locator("td a").first.click()
            # A clip that was just completed appears once it is read.
            self.page.wait_for_selector(".player-labels", timeout=PATIENCE_SECONDS * 1000)
            if number == 0:
                self.look("review", self.page)
            before = self.page.url
            self.page.keyboard.press("a")
            if self.page.get_by_text("Breaks a blocking rule").count():
                self.page.get_by_role("button", name="Approve anyway").click()
            self.page.wait_for_url(lambda url, before=before: url != before, wait_until="commit")
        return clips

    def release(self, folder: Path) -> Path:
        """Make a dataset and take it home; returns its folder."""
        page = self.page

        def ready() -> bool:
            self.visitor.open("/dataset")
            return page.get_by_label(
                "name", exact=True
            ).is_visible()  # the form opens once something would go in

        until(ready)
        page.get_by_label("name", exact=True).fill(RELEASE)
        page.get_by_role("button", name="Generate dataset").last.click()
        page.wait_for_url("**/runs/*")
        page.get_by_text("success", exact=True).wait_for(timeout=PATIENCE_SECONDS * 1000)
        self.visitor.open(f"/dataset/{RELEASE}")
        self.look("release", page)
        with page.expect_download() as download:
            page.get_by_role("link", name="zip of everything").click()
        with zipfile.ZipFile(download.value.path()) as archive:
            archive.extractall(folder)
        return folder / RELEASE
