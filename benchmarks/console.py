"""The console over a large platform: every page's first paint, every table's filter, memory, ten pages open at once.

200 batches with all their tables lie in the storage, 20,000 annotators' jobs and 1,000,000 annotation rows in the
database (`_console_home`); one batch is big: about 100,000 boxes of annotators. Dagster is a stand-in that answers
as slowly as the real one. Pages are opened in Debian's chromium. `empty` is the same page of an empty platform, so
that the browser's own time can be told from the platform's; `first` the first visit after the console's start.
`content` is when the page's main thing stands there: its first table row, player or form.

Live updates are scaled down from 30 minutes to `--live` seconds, with ten open pages and several changed jobs a
second; the console's own intervals (2 to 15 s) stay as they are.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from statistics import median, quantiles

from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Page as Tab
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from ava_core.store import open_store, tasks
from ava_ui.main import PAGES
from benchmarks._bench import Bars, argument_parser, table
from benchmarks._console_work import FULL, SMALL
from benchmarks._running_console import RunningConsole, console

CHROMIUM = "/usr/bin/chromium"
WARM_S = 30
"""What the console and the browser get to settle before something is measured."""
PAINTS, FILTERS, LOADS = 3, 3, 500
REST_S = 80
"""NiceGUI forgets a page whose socket never came within a minute; a bit longer than that."""
LIVE_S = 120
CHANGES_A_SECOND = 4
ASK_EVERY_S = 0.1
"""Between two questions by which the console's readiness is measured."""
MAX_PAINT_S, MAX_FILTER_S, MAX_GROWTH, MAX_ANSWER_S = 1.0, 0.3, 0.10, 0.1

ROWS = ".data-table tbody tr"
CONTENT = {
    "/batches/{batch}/clips/{clip_id}": ".player-stage video",
    "/runs/{run_id}": ".nicegui-log > *, .run-log *",
    "/quality/{batch}/clips/{clip_id}": ".player-labels tbody tr",
    "/quality/{batch}/audit": ".player-stage video",
    "/dataset/{release}/compare/{other}": ".facts .fact-value",
    "/system": ".page .good, .page .warn, .page .bad",
    "/account": ".page input",
    "/people": ".page .q-badge, .data-table tbody tr",
}
"""What a page is there for, where it is no table's first row."""

OPEN = (
    "/", "/batches/{batch}", "/runs/{run_id}", "/progress", "/progress?batch={batch}", "/quality",
    "/quality/{batch}/agreement", "/quality/{batch}/clips/{clip_id}", "/metrics", "/dataset",
)  # fmt: skip
"""Ten pages that are left open."""
ONE_MORE = ("/", "/progress", "/quality/{batch}/clips/{clip_id}")
"""What somebody opens beside them."""

SHOWN = """
selector => {
  for (const found of document.querySelectorAll(selector))
    if (found.matches("video, canvas, input") || found.innerText.trim()) return performance.now();
  return false;
}
"""
PAINTED = """
() => {
  const [entry] = performance.getEntriesByName("first-contentful-paint");
  return entry ? entry.startTime : false;
}
"""
NEEDLE = """
number => {
  const table = document.querySelectorAll(".data-table")[number];
  if (table.offsetParent === null) return "";
  const rows = [...table.querySelectorAll("tbody tr")];
  const texts = rows.map(row => row.innerText.toLowerCase());
  for (const cell of rows.length ? rows[rows.length - 1].querySelectorAll("td") : []) {
    const text = cell.innerText.trim().toLowerCase();
    // Numbers are rounded where they are shown, and the filter knows them whole.
    if (text.length > 3 && /^(?=.*[a-z]).+$/.test(text) && texts.some(one => !one.includes(text))) return text;
  }
  return "";
}
"""
WATCH = """
number => {
  const field = document.querySelectorAll("input[aria-label=Filter]")[number];
  field.addEventListener("input", () => { window.typed = performance.now(); }, { capture: true, once: true });
}
"""
FILTERED = """
([number, text]) => {
  const rows = [...document.querySelectorAll(".data-table")[number].querySelectorAll("tbody tr")]
    .filter(row => row.innerText.trim());
  const fits = rows.length > 0 && rows.every(row => row.innerText.toLowerCase().includes(text));
  return window.typed && fits ? performance.now() - window.typed : false;
}
"""


@dataclass(frozen=True)
class Paint:
    """Seconds from asking for a page to its first contentful paint, and to its content."""

    paint: float
    content: float


@dataclass
class Lively:
    """What ten open pages did: memory before and after, answer times, one more page, blocked browsers."""

    memory_mb: list[float] = field(default_factory=list)
    answers_s: list[float] = field(default_factory=list)
    changes: int = 0
    one_more_s: dict[str, float] = field(default_factory=dict)
    longest_task_s: float = 0.0
    blocked_share: float = 0.0


def paint(tab: Tab, site: RunningConsole, pattern: str) -> Paint:
    """Open a page once."""
    tab.goto(site.url + site.path(pattern), wait_until="commit")
    selector = CONTENT.get(pattern.split("?")[0], ROWS)
    try:
        content = tab.wait_for_function(SHOWN, arg=selector, polling="raf").json_value()
    except PlaywrightTimeout:
        raise RuntimeError(f"{pattern} never showed {selector}; it says: {tab.inner_text('body')}") from None
    first = tab.wait_for_function(PAINTED, polling="raf").json_value()
    return Paint(first / 1000, content / 1000)


def paints(tab: Tab, site: RunningConsole) -> tuple[dict[str, Paint], dict[str, Paint]]:
    """Of every page: the first visit, and the median of the following ones."""
    first, later = {}, {}
    for page in PAGES:
        found = [paint(tab, site, page.path) for _ in range(1 + PAINTS)]
        first[page.path] = found[0]
        later[page.path] = Paint(median(p.paint for p in found[1:]), median(p.content for p in found[1:]))
    return first, later


def empty_paints(tab: Tab, site: RunningConsole) -> dict[str, float]:
    """Median first paint of the pages that an empty platform has."""
    found = {}
    for path in (page.path for page in PAGES if "{" not in page.path):
        times = []
        for _ in range(PAINTS):
            tab.goto(site.url + path, wait_until="commit")
            times.append(tab.wait_for_function(PAINTED, polling="raf").json_value() / 1000)
        found[path] = median(times)
    return found


def filters(tab: Tab, site: RunningConsole) -> dict[str, list[float]]:
    """Times from the last input in a filter to the rows that it leaves, of every table of every filled page.

    The filter is given words of the last row that is shown, and not all of the others have them.
    """
    found: dict[str, list[float]] = {}
    for page in PAGES:
        for _ in range(FILTERS):
            number = 0
            while True:
                tab.goto(site.url + site.path(page.path), wait_until="load")
                if page.path not in CONTENT:
                    tab.wait_for_function(SHOWN, arg=ROWS, polling="raf")
                tab.wait_for_function("window.did_handshake && !document.querySelector('.waits')")
                tab.wait_for_timeout(500)
                if number >= tab.locator(".data-table").count():
                    break
                if text := tab.evaluate(NEEDLE, number):
                    found.setdefault(f"{page.path} table {number + 1}", []).append(_filter(tab, number, text))
                number += 1
    return found


def _filter(tab: Tab, number: int, text: str) -> float:
    tab.evaluate(WATCH, number)
    tab.get_by_label("Filter", exact=True).nth(number).fill(text)
    seconds: float = tab.wait_for_function(FILTERED, arg=[number, text], polling="raf").json_value() / 1000
    return seconds


def memory_over_loads(site: RunningConsole) -> list[float]:
    """Resident MB after half of the page loads, and after all of them, each time once pages are forgotten."""
    paths = [site.path(page.path) for page in PAGES]
    sizes = []
    with site.client() as client:
        for half in range(2):
            for number in range(half * LOADS // 2, (half + 1) * LOADS // 2):
                client.get(paths[number % len(paths)]).raise_for_status()
            time.sleep(REST_S)
            sizes.append(site.memory_mb())
    return sizes


def lively(browser: Browser, site: RunningConsole, seconds: float) -> Lively:
    """Ten pages stay open while jobs change; then one more is opened beside them."""
    found = Lively()
    context = site.visitor(browser)
    tabs = [context.new_page() for _ in OPEN]
    for tab, pattern in zip(tabs, OPEN, strict=True):
        tab.goto(site.url + site.path(pattern))
    with _beside(lambda stop: _change_jobs(site, stop, found)):
        tabs[0].wait_for_timeout(WARM_S * 1000)
        found.memory_mb.append(site.memory_mb())
        for tab in tabs:
            tab.evaluate("window.blocked = []")
        began = time.monotonic()
        with _beside(lambda stop: _ask(site, stop, found)):
            tabs[0].wait_for_timeout(seconds * 1000)
        blocked = [tab.evaluate("window.blocked") for tab in tabs]
        lasted = time.monotonic() - began
        found.longest_task_s = max((one / 1000 for tasks in blocked for one in tasks), default=0.0)
        found.blocked_share = max(sum(tasks) / 1000 / lasted for tasks in blocked)
        found.memory_mb.append(site.memory_mb())
        more = context.new_page()
        for pattern in ONE_MORE:
            found.one_more_s[pattern] = median(paint(more, site, pattern).paint for _ in range(PAINTS))
    context.close()
    return found


@contextmanager
def _beside(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Something that goes on in a thread for the time of the block."""
    stop = threading.Event()
    thread = threading.Thread(target=work, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _change_jobs(site: RunningConsole, stop: threading.Event, found: Lively) -> None:
    """What the sensor and the webhook write: jobs that are begun, completed, and begun again."""
    store = open_store(site.settings)
    with store.session() as session:
        wanted = tasks.Job.of_annotator, tasks.Job.batch != site.params["batch"]
        jobs = list(session.scalars(tasks.select(tasks.Job.job_id).where(*wanted)))
    states = cycle(("in progress", "completed"))
    for job in cycle(jobs[-1000:]):
        if stop.wait(1 / CHANGES_A_SECOND):
            return
        moment = datetime.now(UTC)
        change = {
            "job_id": job,
            "state": next(states),
            "server_updated_at": f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}",
        }
        tasks.update_jobs(store, [change])
        found.changes += 1


def _ask(site: RunningConsole, stop: threading.Event, found: Lively) -> None:
    """How long the console takes to answer something that costs nothing: what holds it up for everybody."""
    with site.client() as client:
        while not stop.wait(ASK_EVERY_S):
            began = time.perf_counter()
            client.get("/login").raise_for_status()
            found.answers_s.append(time.perf_counter() - began)


def measure(options: argparse.Namespace, bars: Bars) -> None:
    """Everything that was asked for, with its tables and bars."""
    parts, size = set(options.part), SMALL if options.small else FULL
    with tempfile.TemporaryDirectory(prefix="ava-console-") as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        empty: dict[str, float] = {}
        if "paint" in parts:
            with console(Path(folder) / "empty", None) as site:
                tab = site.visitor(browser).new_page()
                tab.goto(site.url)
                tab.wait_for_selector(".page-title")  # the browser's caches are warm for both
                empty = empty_paints(tab, site)
        with console(Path(folder) / "large", size) as site:
            time.sleep(WARM_S)
            if "paint" in parts:
                report_paints(bars, empty, *paints(site.visitor(browser).new_page(), site))
            if "filter" in parts:
                report_filters(bars, filters(site.visitor(browser).new_page(), site))
            if "memory" in parts:
                report_memory(bars, f"{LOADS} page loads", memory_over_loads(site))
            if "live" in parts:
                report_live(bars, lively(browser, site, options.live), options.live)
        browser.close()


def report_paints(
    bars: Bars, empty: dict[str, float], first: dict[str, Paint], later: dict[str, Paint]
) -> None:
    table(
        ["page", "empty, s", "first, s", "first content, s", "paint, s", "content, s"],
        [[p, empty.get(p, "–"), first[p].paint, first[p].content, later[p].paint, later[p].content] for p in later],
    )  # fmt: skip
    figures = {"first": first, "again": later}
    bars.figure("paint_s", {"empty": empty} | {
        name: {path: vars(one) for path, one in found.items()} for name, found in figures.items()
    })  # fmt: skip
    worst = max(one.paint for one in later.values())
    bars.bar("slowest first paint, s", worst, MAX_PAINT_S, holds=worst <= MAX_PAINT_S)


def report_filters(bars: Bars, found: dict[str, list[float]]) -> None:
    """Medians; the slowest single one stands beside them, since a long task of the browser may hold one up."""
    table(["filter", "s", "slowest, s"], [[name, median(times), max(times)] for name, times in found.items()])
    bars.figure("filter_s", found)
    worst = max(median(times) for times in found.values())
    bars.bar("slowest filter, s", worst, MAX_FILTER_S, holds=worst <= MAX_FILTER_S)


def report_memory(bars: Bars, over: str, sizes: list[float]) -> None:
    growth = sizes[1] / sizes[0] - 1
    print(f"memory over {over}: {sizes[0]:.0f} MB, then {sizes[1]:.0f} MB")
    bars.figure(f"memory over {over}, MB", sizes)
    bars.bar(f"memory growth over {over}", growth, MAX_GROWTH, holds=abs(growth) <= MAX_GROWTH)


def report_live(bars: Bars, found: Lively, seconds: float) -> None:
    over = f"{seconds:.0f} s with {len(OPEN)} open pages"
    report_memory(bars, over, found.memory_mb)
    p95 = quantiles(found.answers_s, n=20)[-1]
    answers = {"p50": median(found.answers_s), "p95": p95, "max": max(found.answers_s)}
    table(["meanwhile", "s"], [
        *[[f"answer, {name}", value] for name, value in answers.items()],
        *[[f"one more page: {path}", value] for path, value in found.one_more_s.items()],
        ["longest task in an open page", found.longest_task_s],
    ])  # fmt: skip
    bars.figure("live", {
        "seconds": seconds, "jobs changed": found.changes, "answer_s": answers, "one_more_s": found.one_more_s,
        "longest_task_s": found.longest_task_s, "blocked_share_of_the_busiest_page": found.blocked_share,
    })  # fmt: skip
    more = max(found.one_more_s.values())
    bars.bar("first paint beside open pages, s", more, MAX_PAINT_S, holds=more <= MAX_PAINT_S)
    bars.bar("answer beside open pages, 95 %, s", p95, MAX_ANSWER_S, holds=p95 <= MAX_ANSWER_S)


def main() -> None:
    parser = argument_parser(__doc__)
    every = ("paint", "filter", "memory", "live")
    parser.add_argument("--small", action="store_true", help="a tenth of the size, to try the benchmark")
    parser.add_argument("--part", nargs="+", choices=every, default=list(every), help="measure these alone")
    parser.add_argument("--live", type=float, default=LIVE_S, metavar="SECONDS", help="of live updates")
    options = parser.parse_args()
    bars = Bars("console")
    bars.figure("size", vars(SMALL if options.small else FULL))
    measure(options, bars)
    bars.finish(options.json)


if __name__ == "__main__":
    main()
