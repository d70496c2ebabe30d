"""The console over a large platform: first paint of every page, filters, memory over many page loads.

200 batches, 20,000 jobs and 1,000,000 annotation rows lie in the database. Pages are opened in Debian's chromium;
what a page costs is measured beside the same page of an empty platform, so that the browser's own time can be told
from the platform's.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import psutil
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import insert

from ava_assets.services import free_port
from ava_core.settings import Settings, load_settings
from ava_core.store import open_store, users
from ava_core.store.tables import Annotation, Batch, Job, Project, Reading, Task
from benchmarks._bench import Bars, argument_parser, table

CHROMIUM = "/usr/bin/chromium"
BATCHES, CLIPS, ANNOTATORS = 200, 25, 4
ROWS_PER_JOB = 50
PAINTS, LOADS = 5, 500
REST_SECONDS = 80
PASSWORD = "a-long-benchmark-password"
PAGES = (
    "/",
    "/batches",
    "/tasks",
    "/progress",
    "/quality",
    "/dataset",
    "/metrics",
    "/ontology",
    "/audit",
    "/people",
)
FILTERED = {"/batches": "batch_017", "/progress": "batch_017", "/quality": "batch_017_s_003"}
MAX_PAINT_S, MAX_FILTER_S, MAX_GROWTH = 1.0, 0.3, 0.10


def plant(settings: Settings) -> None:
    """Fill the database."""
    store = open_store(settings)
    job_id = 0
    with store.session() as session:
        session.execute(insert(Project), [{"project_id": 1, "name": "ava"}])
        for number in range(BATCHES):
            name = f"batch_{number:03d}"
            session.execute(
                insert(Batch), [{"name": name, "source_path": f"/inbox/{name}.zip", "options": {}}]
            )
            tasks, jobs = [], []
            for clip in range(CLIPS):
                task_id = number * CLIPS + clip + 1
                clip_id = f"{name}_s_{clip:03d}"
                tasks.append(
                    {"task_id": task_id, "project_id": 1, "name": clip_id, "batch": name, "clip_id": clip_id}
                )
                for annotator in range(ANNOTATORS):
                    job_id += 1
                    state = "completed" if (number + clip) % 3 else "in progress"
                    jobs.append({
                        "job_id": job_id, "task_id": task_id, "batch": name, "clip_id": clip_id,
                        "job_type": "consensus_replica", "annotator": f"annotator_{annotator}", "state": state,
                        "stage": "annotation", "frames": 450, "predrawn": [],
                        "server_updated_at": f"2026-11-{1 + number % 28:02d}T10:{clip:02d}:00.000000Z",
                    })  # fmt: skip
            session.execute(insert(Task), tasks)
            session.execute(insert(Job), jobs)
            session.execute(insert(Reading), [
                {"reading_id": j["job_id"], "job_id": j["job_id"], "version": 1, "annotator": j["annotator"],
                 "server_updated_at": j["server_updated_at"], "content_hash": "x"}
                for j in jobs
            ])  # fmt: skip
            session.execute(insert(Annotation), [
                {"reading_id": j["job_id"], "task_id": j["task_id"], "job_id": j["job_id"], "track_id": row // 10,
                 "frame": row * 9, "xtl": 1.0, "ytl": 1.0, "xbr": 9.0, "ybr": 9.0, "outside": False,
                 "attributes": {}, "annotator": j["annotator"]}
                for j in jobs for row in range(ROWS_PER_JOB)
            ])  # fmt: skip
    store.close()


@contextmanager
def console(home: Path, *, large: bool) -> Iterator[tuple[str, psutil.Process, str]]:
    """The console as a process of its own over a home; gives its address, process and a session's token."""
    settings = load_settings(
        home=home, console_port=free_port(), dagster_port=free_port(), cvat_port=free_port()
    )
    store = open_store(settings)
    users.add(store, "bench", PASSWORD, "admin")
    token = users.sign_in(store, "bench", PASSWORD)
    if large:
        began = time.monotonic()
        plant(settings)
        print(f"planted in {time.monotonic() - began:.0f} s")
    log = (home / "console.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "ava_ui"], env=os.environ | settings.environment(), stdout=log, stderr=log
    )
    url = f"http://127.0.0.1:{settings.console_port}"
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"{url}/login", timeout=2)
                break
            except httpx.HTTPError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise RuntimeError((home / "console.log").read_text()) from None
                time.sleep(0.1)
        yield url, psutil.Process(process.pid), token
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def visitor(browser: Browser, url: str, token: str) -> Page:
    """Somebody who is signed in."""
    from ava_ui.sessions import COOKIE

    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.add_cookies([{"name": COOKIE, "value": token, "url": url}])
    return context.new_page()


def paint_seconds(page: Page, url: str, path: str) -> float:
    """Median time from the request to the first contentful paint of the page with its heading."""
    times = []
    for _ in range(PAINTS):
        page.goto(url + path)
        page.wait_for_selector(".page-title")
        page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        times.append(paint / 1000)
    return median(times)


def filter_seconds(page: Page, url: str, path: str, text: str) -> float:
    """Median time from the last key in a table's filter to the rows that it leaves."""
    times = []
    for _ in range(PAINTS):
        page.goto(url + path)
        field = page.get_by_label("Filter").first
        field.wait_for()
        page.wait_for_selector("tbody tr")
        field.fill(text[:-1])
        page.wait_for_timeout(1000)
        began = time.perf_counter()
        field.press_sequentially(text[-1])
        page.wait_for_function(
            "text => { const rows = [...document.querySelectorAll('tbody tr')].filter(r => r.innerText.trim());"
            " return rows.length > 0 && rows.every(r => r.innerText.includes(text)); }",
            arg=text,
            polling=10,
        )
        times.append(time.perf_counter() - began)
    return median(times)


def memory_growth(url: str, process: psutil.Process, token: str, loads: int) -> tuple[float, float]:
    """Resident MB after half of the page loads, and after all of them.

    NiceGUI forgets a page whose socket never came within a minute: each half is followed by a rest of that length,
    so that what is compared is what stays.
    """
    from ava_ui.sessions import COOKIE

    sizes = []
    with httpx.Client(base_url=url, cookies={COOKIE: token}, timeout=30) as client:
        for _ in range(2):
            for number in range(loads // 2):
                client.get(PAGES[number % len(PAGES)]).raise_for_status()
            time.sleep(REST_SECONDS)
            sizes.append(process.memory_info().rss / 1e6)
    return sizes[0], sizes[1]


def main() -> None:
    options = argument_parser(__doc__).parse_args()
    bars = Bars("console")
    paints: dict[str, dict[str, float]] = {}
    filters: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="ava-console-") as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        for kind in ("empty", "large"):
            with console(Path(folder) / kind, large=kind == "large") as (url, process, token):
                page = visitor(browser, url, token)
                page.goto(url)  # the browser's caches are warm for both
                paints[kind] = {path: paint_seconds(page, url, path) for path in PAGES}
                if kind == "large":
                    filters = {path: filter_seconds(page, url, path, text) for path, text in FILTERED.items()}
                    early, late = memory_growth(url, process, token, LOADS)
        browser.close()
    table(["page", "empty, s", "large, s"], [[p, paints["empty"][p], paints["large"][p]] for p in PAGES])
    table(["filter", "s"], [[path, value] for path, value in filters.items()])
    print(f"memory: {early:.0f} MB after {LOADS // 2} page loads, {late:.0f} MB after {LOADS}")
    figures: dict[str, Any] = {"paint_s": paints, "filter_s": filters, "memory_mb": [early, late]}
    for name, value in figures.items():
        bars.figure(name, value)
    worst_paint, worst_filter = max(paints["large"].values()), max(filters.values())
    bars.bar("slowest first paint, s", worst_paint, MAX_PAINT_S, holds=worst_paint <= MAX_PAINT_S)
    bars.bar("slowest filter, s", worst_filter, MAX_FILTER_S, holds=worst_filter <= MAX_FILTER_S)
    growth = late / early - 1
    bars.bar(f"memory growth over {LOADS} page loads", growth, MAX_GROWTH, holds=growth <= MAX_GROWTH)
    bars.finish(options.json)


if __name__ == "__main__":
    main()
