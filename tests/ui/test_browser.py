"""Whole flows in a real browser: a person signs in, reviews by keyboard, uploads; every page in both themes."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from ava_core import decisions
from ava_core.base.settings import Settings
from ava_core.store import batches, open_store, users
from ava_ui.main import PAGES
from tests.support.browser import SIZES, Visitor
from tests.support.processes import console
from tests.support.street import BATCH, PARAMS

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]


@pytest.fixture
def console_url(settings: Settings) -> Iterator[str]:
    """The console as a process of its own; Dagster does not run."""
    with console(settings) as url:
        yield url


def test_a_clip_is_reviewed_by_keyboard(
    browser: Browser, console_url: str, settings: Settings, shots: Path
) -> None:
    rita = Visitor(browser, console_url, "rita")
    page = rita.page
    rita.open("/quality")
    page.get_by_role("link", name="clip_0000").click()
    page.wait_for_selector(".player-labels")
    page.wait_for_function("document.querySelector('video').readyState >= 2")
    page.keyboard.press("n")
    page.wait_for_selector(".player-conflicts button.here")
    layers = page.locator(".player-stage rect")
    page.wait_for_function("document.querySelectorAll('.player-stage rect').length > 0")
    with_all = layers.count()
    names = page.locator(".player-stage text").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().height)"
    )
    assert min(names) >= 12, "whose box it is cannot be read"
    page.screenshot(path=str(shots / "review_by_keyboard.png"))
    page.keyboard.press("1")
    page.wait_for_function(f"document.querySelectorAll('.player-stage rect').length < {with_all}")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('video').currentTime > 1")
    page.keyboard.press("a")
    page.wait_for_url("**/clips/clip_0001")
    page.wait_for_selector(".player-labels")
    page.keyboard.press("r")
    page.wait_for_function("document.activeElement.tagName === 'INPUT'")
    page.keyboard.type("a person is missing")
    page.keyboard.press("Enter")
    page.wait_for_url("**/clips/clip_0002")
    state = decisions.decision_state(open_store(settings), BATCH)
    assert (state.approved, state.rejected) == ({"clip_0000"}, {"clip_0001"})
    assert (rita.troubles, rita.elsewhere) == ([], [])


def test_two_people_on_one_clip_cannot_overrule_each_other_unseen(
    browser: Browser, console_url: str, settings: Settings, shots: Path
) -> None:
    rita, lead = Visitor(browser, console_url, "rita"), Visitor(browser, console_url, "adam")
    clip = f"/quality/{BATCH}/clips/clip_0000"
    for person in (rita, lead):
        person.open(clip)
        person.page.wait_for_selector(".player-labels")
    lead.page.get_by_label("Comment (required to reject)").fill("a person is missing")
    lead.page.get_by_role("button", name="Reject (R)").click()
    lead.page.wait_for_url("**/clips/clip_0001")
    rita.page.keyboard.press("a")
    rita.page.wait_for_selector(".q-notification:has-text('adam rejected clip_0000')")
    rita.page.wait_for_selector(
        ".decided:has-text(\"adam rejected clip_0000 just now: 'a person is missing'\")"
    )
    rita.page.screenshot(path=str(shots / "two_people_on_one_clip.png"))
    assert rita.page.url.endswith(clip), "nothing was decided, so the clip stays"
    rita.page.get_by_role("button", name="Reload").click()
    rita.page.wait_for_selector(".q-badge:has-text('rejected')")
    rita.page.wait_for_function("window.did_handshake && !document.querySelector('.waits')")
    rita.page.wait_for_selector(".player-labels")
    rita.page.keyboard.press("a")
    rita.page.wait_for_url("**/clips/clip_0001")
    log = [(one.actor, one.action, one.before) for one in decisions.decisions_of(open_store(settings), BATCH)]
    assert log == [
        ("adam", "reject", {"qc_status": "pending"}), ("rita", "approve", {"qc_status": "rejected"}),
    ]  # fmt: skip
    assert (rita.troubles, lead.troubles) == ([], [])


def test_a_zip_is_uploaded(browser: Browser, console_url: str, settings: Settings, tmp_path: Path) -> None:
    archive = tmp_path / "night.zip"
    with zipfile.ZipFile(archive, "w") as writing:
        writing.writestr("a.mp4", os.urandom(20_000_000))  # more than two pieces
    adam = Visitor(browser, console_url, "adam")
    adam.open("/batches")
    named = "name => document.querySelector('[aria-label=\"Name of the batch\"]').value === name"
    (tmp_path / "wrong.zip").write_bytes(b"wrong")
    adam.page.set_input_files("input[type=file]", str(tmp_path / "wrong.zip"))
    adam.page.wait_for_function(named, arg="wrong")
    adam.page.get_by_role("button", name="Remove").click()
    adam.page.wait_for_function(named, arg="")
    adam.page.set_input_files("input[type=file]", str(archive))
    adam.page.wait_for_function(named, arg="night")
    adam.page.get_by_role("button", name="Add batch").and_(adam.page.locator(":enabled")).click(
        timeout=30_000
    )
    adam.page.wait_for_url("**/batches/night")
    found = batches.get(open_store(settings), "night")
    assert Path(found.source_path).read_bytes() == archive.read_bytes()
    assert (adam.troubles, adam.elsewhere) == ([], [])


def test_a_cell_of_the_matrix_leads_to_what_the_two_say_differently(
    browser: Browser, console_url: str
) -> None:
    rita = Visitor(browser, console_url, "rita", size="tablet")
    page = rita.page
    page.set_viewport_size({"width": 1024, "height": 500})
    rita.open(f"/quality/{BATCH}/agreement")
    page.locator(".matrix a").first.click()
    page.wait_for_url("**#diverging")
    page.wait_for_selector("text=/Where .+ and .+ disagree/")
    # It stands far below, comes once the page is there, and is not hidden by the header (but for a pixel's fraction).
    page.wait_for_function(
        "(at => at > document.querySelector('.q-header').getBoundingClientRect().bottom - 1 && at < innerHeight)"
        "(document.getElementById('diverging').getBoundingClientRect().top)"
    )
    assert (rita.troubles, rita.elsewhere) == ([], [])


@pytest.mark.nightly
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_shuts_anybody_out(browser: Browser, console_url: str, theme: str) -> None:
    """axe-core finds nothing serious or critical: names, contrast, keyboard."""
    adam = Visitor(browser, console_url, "adam", dark=theme == "dark")
    found = []
    for page in PAGES:
        adam.open(page.path.format(**PARAMS))
        violations = Axe().run(adam.page).response["violations"]
        found += [
            f"{page.path}: {one['id']} ({one['impact']}): {one['nodes'][0]['html'][:160]}"
            for one in violations
            if one["impact"] in ("serious", "critical")
        ]
    assert found == []


def test_on_a_phone_the_navigation_waits_to_be_asked_for(browser: Browser, console_url: str) -> None:
    vera = Visitor(browser, console_url, "vera", size="phone")
    vera.open("/")
    entry = vera.page.locator("a.entry").first
    entry.wait_for(state="hidden")
    vera.page.get_by_label("Navigation").click()
    entry.wait_for(state="visible")


def test_one_main_and_a_way_past_the_navigation(browser: Browser, console_url: str) -> None:
    vera = Visitor(browser, console_url, "vera")
    vera.open("/")
    assert vera.page.locator("main").count() == 1
    vera.page.evaluate("document.activeElement.blur()")
    vera.page.keyboard.press("Tab")
    assert vera.page.evaluate("document.activeElement.textContent") == "Skip to the content"
    vera.page.keyboard.press("Enter")
    vera.page.wait_for_function("document.activeElement.id === 'content'")


def test_an_open_page_comes_back_after_a_restart(browser: Browser, settings: Settings) -> None:
    with console(settings) as url:
        rita = Visitor(browser, url, "rita")
        rita.open("/quality?status=pending")
    rita.page.wait_for_function("document.getElementById('popup').ariaHidden === 'false'")
    with console(settings):
        rita.page.wait_for_function(
            "window.did_handshake && document.getElementById('popup').ariaHidden !== 'false'", timeout=60_000
        )
        assert rita.page.url == f"{url}/quality?status=pending"
        rita.page.get_by_role("link", name="clip_0000").wait_for()


def test_an_open_page_whose_session_ended_leads_to_the_login(browser: Browser, settings: Settings) -> None:
    with console(settings) as url:
        rita = Visitor(browser, url, "rita")
        rita.open("/quality")
    users.set_password(open_store(settings), "rita", "another long password")
    with console(settings):
        rita.page.wait_for_url("**/login?next=**", timeout=60_000)


USUAL_LOOKS = (("laptop", "light"), ("tablet", "dark"))
LOOKS = [
    pytest.param(size, theme, marks=[] if (size, theme) in USUAL_LOOKS else pytest.mark.nightly)
    for size in SIZES for theme in ("light", "dark")
]  # fmt: skip


@pytest.mark.parametrize(("size", "theme"), LOOKS)
def test_every_page_is_drawn(browser: Browser, console_url: str, shots: Path, size: str, theme: str) -> None:
    adam = Visitor(browser, console_url, "adam", size=size, dark=theme == "dark")
    width = SIZES[size][0]
    for page in PAGES:
        adam.open(page.path.format(**PARAMS))
        adam.page.wait_for_load_state("networkidle")
        name = page.path.strip("/").replace("/", "_").replace("{", "").replace("}", "") or "overview"
        adam.page.screenshot(path=str(shots / f"{name}_{size}_{theme}.png"), full_page=True)
        assert adam.page.evaluate("document.documentElement.scrollWidth") <= width, f"{page.path} is too wide"
    assert (adam.troubles, adam.elsewhere) == ([], [])
