"""From a first start to a validated dataset, as a newcomer walks it: all in the browser, but for annotating."""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from ava_assets.running.services import free_port
from ava_core import decisions
from ava_core.annotation.gateway import CvatGateway
from ava_core.base.settings import Settings, load_settings
from ava_core.base.storage import Storage
from ava_core.dataset.formats.ava.checks import errors_among, validate_dataset
from ava_core.demo.annotators import demo_annotators, simulate
from ava_core.demo.scenes import make_batch_zip
from ava_core.demo.truth import truth_in_clips
from ava_core.ontology import load_ontology
from ava_core.store import open_store, tasks, users
from tests.support.browser import Visitor
from tests.support.processes import ava_up
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("up")]

BATCH = "street"
PATIENCE_SECONDS = 240
SCENE_SECONDS = 8.0


@pytest.fixture
def up(tmp_path: Path) -> Iterator[tuple[Settings, Path]]:
    """`ava up` in a process of its own, in an empty home; its settings and what it prints."""
    settings = load_settings(
        home=tmp_path / "home", cvat_port=free_port(), dagster_port=free_port(), console_port=free_port(),
        cvat_poll_seconds=1, annotators_per_clip=2,
    )  # fmt: skip
    with ava_up(settings) as (_, printed):
        yield settings, printed


def until(condition: Callable[[], Any]) -> Any:
    """Wait for what the platform does by itself."""
    return wait_until(condition, PATIENCE_SECONDS)


def test_from_the_first_start_to_a_dataset(
    browser: Browser, up: tuple[Settings, Path], tmp_path: Path, shots: Path
) -> None:
    settings, printed = up
    store, storage = open_store(settings), Storage(settings.resolved_storage_url)
    code = users.code_file(settings.home_dir).read_text()
    assert code not in printed.read_text()
    adam = Visitor(browser, f"http://127.0.0.1:{settings.console_port}", "adam", code=code)
    page = adam.page

    # annotators join the annotation server, and are found there
    crowd = demo_annotators(["first-secret-word", "second-secret-word"])
    with CvatGateway(settings) as gateway:
        gateway.ensure_organisation()
        for one in crowd:
            gateway.register_annotator(one.username, one.password, f"{one.username}@example.org")
    adam.open("/tasks")
    page.get_by_role("button", name="Test connection").click()
    page.get_by_label("members to add as annotators").click()
    for one in crowd:
        page.get_by_role("option", name=one.username).click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("link", name=crowd[0].username).wait_for()

    # a zip goes up, is processed by itself, and waits for somebody who has seen the plan
    archive, scene_truth = make_batch_zip(tmp_path / "scenes", seed=3, seconds=SCENE_SECONDS)
    adam.open("/batches")
    page.set_input_files("input[type=file]", str(archive))
    page.get_by_label("Name of the batch").fill(BATCH)
    page.get_by_text("Options of this batch").first.click()
    page.get_by_label("create tasks").first.click()
    page.get_by_role("option", name="after I have seen the plan").click()
    page.locator("button:enabled", has_text="Add batch").click()
    page.wait_for_url(f"**/batches/{BATCH}")
    until(lambda: storage.table_path(BATCH, "dense_proposals").exists())
    assert tasks.job_counts(store, BATCH).jobs == 0

    # the plan is seen, and dealt out
    def planned() -> bool:
        adam.open(f"/tasks?batch={BATCH}")
        return page.get_by_role("button", name="Create tasks").is_visible()

    until(planned)
    page.screenshot(path=str(shots / "flow_plan.png"), full_page=True)
    page.get_by_role("button", name="Create tasks").click()
    page.get_by_role("button", name="Create", exact=True).click()
    until(lambda: tasks.job_counts(store, BATCH).jobs == 4)

    # people annotate
    ontology = load_ontology(settings.ontology)
    tables = (storage.read_table(storage.table_path(BATCH, asset)) for asset in ("clips", "source_videos"))
    truth = truth_in_clips(scene_truth, *tables, ontology)

    def annotate() -> None:
        with ThreadPoolExecutor(len(crowd)) as pool:
            url, organisation = settings.resolved_cvat_url, settings.cvat_organisation
            list(pool.map(lambda one: simulate(one, url, organisation, truth, ontology), crowd))

    annotate()
    agreed = storage.table_path(BATCH, "agreement", "clips")
    until(lambda: agreed.exists() and storage.read_table(agreed)["annotators"].min() == 2)

    # one clip is rejected by key, goes back to its annotators, and comes to review once they have done it again
    adam.open("/quality")
    page.locator("td a").first.click()
    page.wait_for_selector(".player-labels")
    page.keyboard.press("r")
    page.wait_for_function("document.activeElement.tagName === 'INPUT'")
    page.keyboard.type("the boxes are late")
    page.keyboard.press("Enter")
    until(lambda: tasks.job_counts(store, BATCH).completed == 2)
    [rejected] = decisions.decision_state(store, BATCH).rejected
    annotate()
    until(lambda: not decisions.decision_state(store, BATCH).rejected)
    log = [(d.action, d.actor) for d in decisions.decisions_of(store, BATCH) if d.subject == rejected]
    assert log == [("reject", "adam"), ("reopen", "platform")]

    # one clip is approved by key, the other by its thresholds
    adam.open("/quality")
    page.locator("td a").first.click()
    page.wait_for_selector(".player-labels")
    page.screenshot(path=str(shots / "flow_review.png"))
    first = page.url
    page.keyboard.press("a")
    page.wait_for_url(lambda url: url != first)
    page.wait_for_selector(".player-labels")
    adam.open("/quality?status=approved")
    page.locator("td a").first.wait_for()
    adam.open("/quality")
    page.get_by_text("Approve in bulk by thresholds").click()
    for slider in page.locator(".q-slider [role=slider]").all():
        slider.focus()
        page.keyboard.press("Home")
    page.get_by_text("1 clip would be approved").wait_for()
    confirm = page.get_by_role("button", name="Approve", exact=True)

    def asked() -> bool:
        # The button is drawn anew as the sliders come to rest; a click in that moment finds nobody.
        page.get_by_role("button", name="Approve these clips").click()
        with contextlib.suppress(PlaywrightTimeout):
            confirm.wait_for(timeout=5000)
        return confirm.is_visible()

    until(asked)
    confirm.click()
    # The first approval alone makes a dataset, and the second makes it anew.
    csv = storage.table_path(BATCH, "ava_csv")
    until(lambda: csv.exists() and storage.read_table(csv)["video_id"].n_unique() == 2)

    # a dataset is made, and taken home
    adam.open("/dataset")
    page.get_by_label("name", exact=True).fill("first")
    page.get_by_role("button", name="Generate dataset").last.click()
    page.wait_for_url("**/runs/*")
    page.get_by_text("success", exact=True).wait_for(timeout=PATIENCE_SECONDS * 1000)
    adam.open("/dataset/first")
    page.screenshot(path=str(shots / "flow_release.png"))
    with page.expect_download() as download:
        page.get_by_role("link", name="zip of everything").click()
    with zipfile.ZipFile(download.value.path()) as archived:
        archived.extractall(tmp_path / "taken")
    assert errors_among(validate_dataset(tmp_path / "taken" / "first")) == []
    assert (adam.troubles, adam.elsewhere) == ([], [])
