"""A person labels a job in a real browser, by keyboard: what they meant is what is read back, whatever breaks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from ava_core.annotation.labelling.desk import job_of
from ava_core.store import tasks
from tests.support.annotation_server import PASSWORD
from tests.support.annotation_site import AnnotationSite
from tests.support.browser import Visitor
from tests.support.labelling_site import LabellingSite, labelling, signed_in

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

SETTLED = """async () => {
  const where = () => JSON.stringify(document.querySelector(".label-stage svg").getBoundingClientRect());
  const before = where();
  await new Promise((done) => setTimeout(done, 100));
  return document.querySelector(".label-stage video").readyState >= 2 && where() === before;
}"""
"""The picture is there and stays where it is."""
STORED = "document.querySelector('.label-state')?.textContent === 'All saved'"


@pytest.fixture
def place(annotation_site: AnnotationSite) -> Iterator[LabellingSite]:
    with labelling(annotation_site) as running:
        yield running


def opened(browser: Browser, place: LabellingSite, *, dark: bool = False) -> tuple[Visitor, Page]:
    visitor = signed_in(browser, place, dark=dark)
    visitor.open(f"/work/{place.job_id}")
    visitor.page.wait_for_selector("[data-ready=yes]")
    visitor.page.wait_for_function(SETTLED)
    return visitor, visitor.page


def arrived(page: Page) -> None:
    """The person is back at their list, and it says how they stand."""
    page.wait_for_url("**/work", wait_until="commit")
    page.get_by_text("clips done").wait_for()


def shapes(site: AnnotationSite, place: LabellingSite) -> list[dict]:
    with site.server.api(place.name, PASSWORD) as api:
        return api.get(f"/api/jobs/{place.job_id}/annotations").json()["tracks"]


def state_of(site: AnnotationSite, place: LabellingSite) -> str:
    with site.server.api(place.name, PASSWORD) as api:
        return str(api.get(f"/api/jobs/{place.job_id}").json()["state"])


def test_a_job_is_labelled_by_keyboard(
    browser: Browser, annotation_site: AnnotationSite, place: LabellingSite, shots: Path
) -> None:
    site = annotation_site
    _, page = opened(browser, place)
    page.keyboard.press("w")  # walks, from the first second on
    page.keyboard.press("t")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("j")  # jogs, from the next second on
    page.keyboard.press("e")
    page.keyboard.press("Control+z")
    page.wait_for_function(STORED)
    assert state_of(site, place) == "in progress"
    page.screenshot(path=str(shots / "job_light.png"), full_page=True)

    # what is unset is listed, and cannot be finished by accident
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("text=/unanswered/")
    page.screenshot(path=str(shots / "job_unset.png"))
    page.keyboard.press("Escape")
    # by its name
    page.keyboard.press("/")
    page.keyboard.type("backp")
    page.keyboard.press("Enter")
    page.keyboard.press("!")  # cannot tell the rest
    page.keyboard.press("Control+Enter")
    arrived(page)
    assert state_of(site, place) == "completed"
    site.look()
    labels = site.read()["raw_labels"].filter(pl.col("job_id") == place.job_id)
    said = {
        (group, second): ids for group, second, ids in labels.select("group", "second", "action_ids").rows()
    }
    assert said == {
        ("walking_behavior", 0): [1], ("walking_behavior", 1): [5], ("phone_usage", 0): [8], ("phone_usage", 1): [8],
        ("carrying_items", 1): [20],
    }  # fmt: skip


def test_the_next_job_follows_in_the_place_of_the_one_that_is_finished(
    browser: Browser, annotation_site: AnnotationSite, place: LabellingSite
) -> None:
    site = annotation_site
    here = job_of(site.store, place.job_id).clip_id
    more = next(one for one in tasks.open_jobs(site.store) if one.clip_id != here)
    with site.gateway() as gateway:
        gateway.set_job(more.job_id, assignee=gateway.members()[place.name])
    site.look()
    visitor, page = opened(browser, place)
    page.keyboard.press("w")
    page.keyboard.press("Control+Shift+Enter")
    page.get_by_text("Mark all as cannot tell and finish").click()
    page.wait_for_url(f"**/work/{more.job_id}")
    page.wait_for_selector("[data-ready=yes]")
    assert state_of(site, place) == "completed"
    assert page.locator(".page-title").inner_text() == f"Job {more.job_id}"
    assert f"Job {more.job_id}" in page.title()
    assert "normal walk" not in page.locator(".label-sheet").inner_text()
    page.keyboard.press("j")
    page.wait_for_function(STORED)
    page.reload()
    page.wait_for_selector("[data-ready=yes]")
    assert "jogging" in page.locator(".label-sheet").inner_text()
    assert state_of(site, replace(place, job_id=more.job_id)) == "in progress"
    page.keyboard.press("!")
    page.keyboard.press("Control+Shift+Enter")
    arrived(page)  # the last one leads to the list
    assert visitor.troubles == []


def test_a_box_is_dragged_and_a_person_drawn(
    browser: Browser, annotation_site: AnnotationSite, place: LabellingSite
) -> None:
    visitor, page = opened(browser, place)
    before = shapes(annotation_site, place)
    area = page.locator(".label-stage svg").bounding_box()
    assert area is not None
    scale = area["width"] / 96

    def at(x: float, y: float) -> tuple[float, float]:
        return area["x"] + x * scale, area["y"] + y * scale

    page.mouse.move(*at(6, 30))
    page.mouse.down()
    page.mouse.move(*at(16, 34), steps=3)
    page.mouse.up()
    page.keyboard.press("Insert")
    page.mouse.move(*at(60, 10))
    page.mouse.down()
    page.mouse.move(*at(80, 50), steps=3)
    page.mouse.up()
    page.wait_for_function(STORED)
    page.wait_for_function("document.querySelectorAll('.label-people button').length === 2")
    moved, drawn = shapes(annotation_site, place)
    assert moved["shapes"][0]["points"] == pytest.approx([10, 24, 22, 48], abs=1)
    assert drawn["shapes"][0]["points"] == pytest.approx([60, 10, 80, 50], abs=1)
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    page.wait_for_function(STORED)
    page.wait_for_function("document.querySelectorAll('.label-people button').length === 1")
    page.wait_for_function(STORED)
    [back] = shapes(annotation_site, place)
    assert back["shapes"][0]["points"] == before[0]["shapes"][0]["points"]
    assert visitor.troubles == []


def test_nothing_is_lost_while_the_server_is_away_or_somebody_edits_in_between(
    browser: Browser, annotation_site: AnnotationSite, place: LabellingSite
) -> None:
    _, page = opened(browser, place)
    context = page.context
    page.route("**/labelling/*/save", lambda route: route.abort())
    page.keyboard.press("w")
    page.wait_for_selector(".label-state.away")
    page.close(run_before_unload=False)  # the tab is killed before the server has it
    page = context.new_page()
    page.goto(f"{place.url}/work/{place.job_id}")
    page.wait_for_selector("[data-ready=yes]")
    page.wait_for_function(STORED)
    assert "normal walk" in page.locator(".label-sheet").inner_text()

    # a session that ended is said, and what was done meanwhile is stored once there is one again
    page.route("**/labelling/*/save", lambda route: route.fulfill(status=401, body="no"))
    page.keyboard.press("t")
    page.wait_for_selector("text=/your session has expired/")
    page.unroute("**/labelling/*/save")
    page.wait_for_function(STORED, timeout=30_000)

    # somebody edits the same person on the server's own page
    [track] = shapes(annotation_site, place)
    with annotation_site.server.api(place.name, PASSWORD) as api:
        for shape in track["shapes"]:
            shape["points"] = [side + 1 for side in shape["points"]]
        body = {"version": 0, "tags": [], "shapes": [], "tracks": [track]}
        api.patch(
            f"/api/jobs/{place.job_id}/annotations", params={"action": "update"}, json=body
        ).raise_for_status()
    page.keyboard.press("e")
    page.get_by_role("button", name="Keep mine").wait_for()
    [now] = shapes(annotation_site, place)
    assert now["shapes"][0]["points"] == track["shapes"][0]["points"], "nothing was overwritten"
    page.get_by_role("button", name="Keep mine").click()
    page.wait_for_function(STORED)
    assert "empty hands" in page.locator(".label-sheet").inner_text()
    [kept] = shapes(annotation_site, place)
    assert kept["shapes"][0]["points"] != track["shapes"][0]["points"]

    other = context.new_page()
    other.goto(f"{place.url}/work/{place.job_id}")
    for tab in (page, other):
        tab.wait_for_selector("text=/open in another tab/")
    assert len(shapes(annotation_site, place)) == 1


def test_a_clip_that_cannot_be_played_is_said_and_what_is_said_is_stored(
    browser: Browser, annotation_site: AnnotationSite, place: LabellingSite
) -> None:
    broken = "text=/The clip cannot be played: its file is missing or damaged/"
    for path in (annotation_site.storage.path(file) for file in annotation_site.clips["path"]):
        path.write_bytes(b"no video")
    _, page = opened(browser, place)
    page.wait_for_selector(broken)
    page.keyboard.press("w")
    page.wait_for_function(STORED)
    for path in (annotation_site.storage.path(file) for file in annotation_site.clips["path"]):
        path.unlink()
    page.reload()
    page.wait_for_selector(broken)
    assert "normal walk" in page.locator(".label-sheet").inner_text()


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.nightly)])
def test_the_page_shuts_nobody_out(browser: Browser, place: LabellingSite, shots: Path, theme: str) -> None:
    visitor, page = opened(browser, place, dark=theme == "dark")
    page.keyboard.press("w")
    found = []

    def look(name: str) -> None:
        page.screenshot(path=str(shots / f"job_{name}_{theme}.png"), full_page=True)
        for one in Axe().run(page).response["violations"]:
            if one["impact"] in ("serious", "critical"):
                found.append(f"{name}: {one['id']}: {one['nodes'][0]['html'][:200]}")

    page.wait_for_function(STORED)
    look("labelling")
    # the sheet has the keys, and lets them go: Tab then reaches every button, from the first after it on
    assert page.evaluate("document.activeElement.className") == "label-work"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "label-work"
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") in ("Play", "Pause")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.ariaLabel") == "One second back"
    for name, key in (("keys", "?"), ("find", "/"), ("unset", "Control+Enter")):
        page.keyboard.press(key)
        page.wait_for_selector(".label-card")
        look(name)
        page.keyboard.press("Escape")
        page.wait_for_function("document.activeElement.className === 'label-work'")
    page.set_viewport_size({"width": 640, "height": 400})  # as at 200 %
    look("zoomed")
    assert page.evaluate("document.documentElement.scrollWidth") <= 640
    assert not found, "\n".join(found)
    assert visitor.troubles == []
