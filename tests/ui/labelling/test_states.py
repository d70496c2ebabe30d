"""Every state of the work list and of the job page: it is drawn, says what it is, and shuts nobody out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from ava_core import decisions
from ava_core.annotation import staffing
from ava_core.store import tasks
from tests.support.annotation_server import RunningServer
from tests.support.annotation_site import AnnotationSite, desk_as
from tests.support.browser import Visitor
from tests.support.labelling_site import LabellingSite, labelling, signed_in

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

THEMES = ["light", "dark"]
STORED = "document.querySelector('.label-state')?.textContent === 'All saved'"

Look = Callable[[str], None]


@pytest.fixture
def site(cvat_server: RunningServer, tmp_path: Path, small_clip: Path) -> Iterator[AnnotationSite]:
    """Three clips, each of them everybody's."""
    built = AnnotationSite(
        cvat_server, tmp_path / "home", small_clip, clips=3, annotators_per_clip=3, overlap=1.0
    )
    yield built
    built.close()


@pytest.fixture
def place(site: AnnotationSite) -> Iterator[LabellingSite]:
    with labelling(site) as running:
        yield running


def looking(page: Page, shots: Path, theme: str, found: list[str]) -> Look:
    """Takes a picture of a state, and notes what axe finds serious."""

    def look(state: str) -> None:
        page.screenshot(path=str(shots / f"{state}_{theme}.png"), full_page=True)
        for one in Axe().run(page).response["violations"]:
            if one["impact"] in ("serious", "critical"):
                found.append(f"{state}: {one['id']}: {one['nodes'][0]['html'][:200]}")

    return look


def finish(site: AnnotationSite, job_id: int, name: str) -> None:
    with desk_as(site, job_id, name) as desk:
        desk.set_state("completed")


@pytest.mark.nightly
@pytest.mark.parametrize("theme", THEMES)
def test_the_work_list(
    browser: Browser, site: AnnotationSite, place: LabellingSite, shots: Path, theme: str
) -> None:
    found: list[str] = []
    visitor = signed_in(browser, place, dark=theme == "dark")
    look = looking(visitor.page, shots, theme, found)
    own = [job for job in tasks.open_jobs(site.store) if job.annotator == place.name]
    first, second, third = sorted(own, key=lambda job: job.job_id)

    visitor.open("/work")
    visitor.page.get_by_role("button", name=f"Start {first.clip_id}").wait_for()
    look("work_waiting")

    finish(site, first.job_id, place.name)
    with desk_as(site, second.job_id, place.name) as desk:
        [track] = desk.open()["tracks"]
        desk.save([{"key": "t", "base": track["hash"], **track, "said": {"walking_behavior": [[0, [5]]]}}])
    site.look()
    visitor.open("/work")
    visitor.page.get_by_role("button", name=f"Continue {second.clip_id}").wait_for()
    look("work_under_way")

    for job in tasks.open_jobs(site.store):
        if job.clip_id == first.clip_id:
            finish(site, job.job_id, job.annotator)
    site.look()
    site.read()
    decisions.reject(site.store, "b", [first.clip_id], "rita", "the second half is missing")
    staffing.requeue(site.context, first.clip_id, "rita", second=1)
    visitor.open("/work")
    visitor.page.get_by_role("button", name=f"Redo {first.clip_id}").wait_for()
    visitor.page.get_by_role("link", name="at 1 s: the second half is missing").wait_for()
    look("work_handed_back")

    visitor.open(f"/work/{first.job_id}?frame=30")
    visitor.page.get_by_role("button", name="second 1: the second half is missing").wait_for()
    look("job_handed_back")

    for job in (first, second, third):
        finish(site, job.job_id, place.name)
    site.look()
    visitor.open("/work")
    visitor.page.get_by_text("All your jobs are done.").wait_for()
    look("work_done")
    visitor.open(f"/work/{first.job_id}")
    visitor.page.get_by_role("button", name="Reopen").wait_for()
    look("job_finished")

    with site.gateway() as gateway:
        for task in tasks.tasks_of(site.store, "b"):
            gateway.remove_task(task.task_id)
    site.look()
    visitor.open("/work")
    visitor.page.get_by_text("You have no jobs.").wait_for()
    look("work_empty")
    assert not found, "\n".join(found)


@pytest.mark.nightly
@pytest.mark.parametrize("theme", THEMES)
def test_the_job_page(
    browser: Browser, site: AnnotationSite, place: LabellingSite, shots: Path, theme: str
) -> None:
    found: list[str] = []
    visitor = signed_in(browser, place, dark=theme == "dark")
    page = visitor.page
    look = looking(page, shots, theme, found)
    _open(visitor, place)
    for key in ("w", "t", "ArrowRight", "*"):
        page.keyboard.press(key)
    page.wait_for_function(STORED)
    look("job_said")
    for name, key in (("drawing", "Insert"), ("joining", "="), ("live", "`")):
        page.keyboard.press(key)
        look(f"job_{name}")
        page.keyboard.press("Escape" if name != "live" else "`")
    page.keyboard.press("?")
    page.get_by_role("button", name="Change the key of normal_walk").click()
    page.get_by_text("Press the new key of").wait_for()
    look("job_new_key")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")

    page.route("**/labelling/*/save", lambda route: route.fulfill(status=503, body="It is away."))
    page.keyboard.press("e")
    page.wait_for_selector(".label-state.away")
    look("job_away")
    page.unroute("**/labelling/*/save")
    page.wait_for_function(STORED, timeout=30_000)

    page.route("**/labelling/*/save", lambda route: route.fulfill(status=409, body="It is not to be."))
    page.keyboard.press("e")
    page.wait_for_selector(".label-state.refused")
    look("job_refused")
    page.unroute("**/labelling/*/save")

    with desk_as(site, place.job_id, place.name) as desk:
        [track] = desk.open()["tracks"]
        desk.save([{"key": "t", "base": track["hash"], **track, "said": {"walking_behavior": [[0, [5]]]}}])
    page.keyboard.press("p")
    page.get_by_role("button", name="Keep mine").wait_for()
    look("job_conflict")
    page.get_by_role("button", name="Take theirs").click()
    page.wait_for_function(STORED)

    page.keyboard.press("Delete")
    page.wait_for_function(STORED)
    page.get_by_text("No people yet").wait_for()
    look("job_nobody")
    other = page.context.new_page()
    other.goto(page.url)
    page.wait_for_selector("text=/open in another tab/")
    look("job_two_tabs")
    other.close()
    page.route("**/media/clip/**", lambda route: route.fulfill(status=404))
    page.route("**/labelling/*/sheet", lambda route: route.fulfill(status=409, body="The clip is missing."))
    page.reload()
    page.get_by_text("The clip is missing.").wait_for()
    look("job_refused_to_open")
    assert not found, "\n".join(found)


def test_80_actions_have_keys_that_a_person_can_give_anew(
    browser: Browser, cvat_server: RunningServer, tmp_path: Path, small_clip: Path, shots: Path
) -> None:
    built = AnnotationSite(cvat_server, tmp_path / "home", small_clip, clips=1, ontology="ava80")
    try:
        with labelling(built) as place:
            visitor = signed_in(browser, place)
            page = visitor.page
            _open(visitor, place)
            page.keyboard.press("?")
            change = page.get_by_role("button", name="Change the key of")
            assert change.count() == len(built.ontology.actions) == 80
            page.screenshot(path=str(shots / "job_keys_of_80.png"))
            without = next(n for n in range(80) if change.nth(n).inner_text() == "/")
            action = built.ontology.actions[without]
            before = change.first.inner_text()
            change.nth(without).click()
            page.keyboard.press(before)
            assert change.nth(without).inner_text() == before
            assert change.first.inner_text() != before, "one key says one thing"
            page.keyboard.press("Escape")

            page.reload()  # it stays
            page.wait_for_selector("[data-ready=yes]")
            page.keyboard.press(f"Shift+{before}" if before.isupper() else before)
            assert action.name.replace("_", " ") in page.locator(".label-sheet").inner_text()
            page.keyboard.press("?")
            page.get_by_role("button", name="Reset to the ontology's keys").click()
            assert change.first.inner_text() == before
            assert visitor.troubles == []
    finally:
        built.close()


def _open(visitor: Visitor, place: LabellingSite) -> None:
    visitor.open(f"/work/{place.job_id}")
    visitor.page.wait_for_selector("[data-ready=yes]")
    visitor.page.wait_for_function("document.querySelector('.label-stage video').readyState >= 2")
