"""Takes the pictures of `docs/pictures` anew: `python -m tests.pictures`, or with a folder to put them elsewhere.

One person walks "Label your first clip in five minutes" under a real `ava up`; two simulated annotators label as well
before the review, so that it has something to compare.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path

import cv2
import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from ava_assets.running.services import free_port
from ava_core.annotation.crew import add_annotator
from ava_core.annotation.staffing import top_up
from ava_core.base.settings import Settings, load_settings
from ava_core.batch import open_batch
from ava_core.demo.annotators import SimulatedAnnotator, simulate
from ava_core.demo.perception import PROFILES
from ava_core.demo.truth import truth_in_clips
from ava_core.store import open_store, tasks
from tests.support.alone import ANSWERS, BATCH, Alone, until
from tests.support.browser import CHROMIUM
from tests.support.processes import ava_up

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
WIDTH = 1100
"""Of a picture, in pixels: what a page of a README shows."""
SHOWN = 7
"""The person of the first clip who is chosen on the picture of the annotation page."""
MOST_BYTES = 150_000
QUALITIES = (82, 70, 55, 40)
"""Of WebP, tried from the best on until a picture is small enough."""

ARRIVED = "(v => v.currentTime >= 1 && !v.seeking)(document.querySelector('video'))"
"""The picture shows a later second than the first."""
PLAYABLE = "document.querySelector('video')?.readyState >= 2"
"""There is a player, and its picture is there."""


class Camera:
    """Puts pictures of pages into a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def take(self, name: str, page: Page) -> None:
        """The page as it is seen, as `name.webp`."""
        picture = cv2.imdecode(np.frombuffer(page.screenshot(), np.uint8), cv2.IMREAD_COLOR)
        height = round(picture.shape[0] * WIDTH / picture.shape[1])
        small = cv2.resize(picture, (WIDTH, height), interpolation=cv2.INTER_AREA)
        for quality in QUALITIES:
            _, data = cv2.imencode(".webp", small, [cv2.IMWRITE_WEBP_QUALITY, quality])
            if data.nbytes <= MOST_BYTES:
                break
        (self.folder / f"{name}.webp").write_bytes(data.tobytes())
        print(f"{name}: {data.nbytes / 1000:.0f} kB")


def main() -> None:
    """Take them all."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", type=Path, nargs="?", default=PICTURES)
    folder = asked.parse_args().folder
    with tempfile.TemporaryDirectory(prefix="pictures-") as place, sync_playwright() as playwright:
        settings = load_settings(
            home=Path(place) / "home", cvat_port=free_port(), dagster_port=free_port(), console_port=free_port(),
            cvat_poll_seconds=1, detector="motion", clip_seconds=4, clip_min_seconds=4,
        )  # fmt: skip
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        with ava_up(settings):
            walk(browser, settings, Path(place), Camera(folder))


def walk(browser: Browser, settings: Settings, place: Path, camera: Camera) -> None:
    """From the first start to a dataset, with a picture at each turn."""
    alone = Alone(browser, settings)
    page = alone.page

    def look(name: str, page: Page) -> None:
        if name == "label":
            page.get_by_role("button", name=re.compile(f"^Person {SHOWN},")).click()
            page.locator(".label-work").focus()
            for key in ANSWERS:
                page.keyboard.press(key)
            page.wait_for_function("!document.querySelector('.label-stage video').seeking")
            page.wait_for_function("document.querySelector('.label-crop video').currentTime % 1 > 0.5")
            camera.take(name, page)
            page.keyboard.press("Enter")
            return
        if name == "review":
            page.wait_for_function(PLAYABLE)
            page.get_by_role("checkbox", name="differences only").uncheck()
            page.evaluate("document.activeElement.blur()")
            page.keyboard.press("ArrowRight")
            page.wait_for_function(ARRIVED)
        camera.take(name, page)

    alone.look = look
    graph(browser, settings, camera)
    alone.begin()
    alone.add(place / "videos")
    clip = sorted({job.clip_id for job in tasks.jobs_of(open_store(settings), BATCH)})[0]
    alone.visitor.open(f"/batches/{BATCH}/clips/{clip}")
    page.wait_for_function(PLAYABLE)
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(ARRIVED)
    camera.take("tracks", page)
    alone.visitor.open("/work")
    camera.take("work", page)
    alone.label()
    others(settings, alone)
    alone.approve()
    alone.release(place / "taken")


def graph(browser: Browser, settings: Settings, camera: Camera) -> None:
    """The asset graph as Dagster's UI shows it at first: by subject."""
    page = browser.new_page(viewport={"width": 1600, "height": 900})
    page.goto(f"http://127.0.0.1:{settings.dagster_port}/asset-groups")
    page.get_by_text("Materialize all").wait_for()
    page.wait_for_load_state("networkidle")
    camera.take("graph", page)
    page.close()


def others(settings: Settings, alone: Alone) -> None:
    """Two simulated annotators do every clip, too, so that there is somebody to agree with."""
    at = open_batch(settings, BATCH)
    crew = [
        SimulatedAnnotator(name, add_annotator(settings, at.store, name), PROFILES[profile])
        for name, profile in (("tomas", "average"), ("chloe", "hasty"))
    ]
    for clip in at.table("clips")["clip_id"]:
        for one in crew:
            top_up(at, clip, "pictures", one.username)
    truth = truth_in_clips(alone.truth, at.table("clips"), at.table("source_videos"), at.ontology)
    for one in crew:
        simulate(one, settings.resolved_cvat_url, settings.cvat_organisation, truth, at.ontology)
    agreed = at.storage.table_path(BATCH, "agreement", "clips")
    until(lambda: agreed.exists() and (at.table("agreement", "clips")["annotators"].min() or 0) > len(crew))


if __name__ == "__main__":
    main()
