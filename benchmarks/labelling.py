"""Labelling: what it costs a person to enter the planted truth of the demonstration's clips on the page for labelling.

Scenes are rendered, cut, and tracked by the motion detector, so tracks jump between people, follow nobody, or miss
somebody. A scripted person in a real browser mends that and says what everybody does, by keyboard; what the platform
then reads is held to the truth. A decision is one answer of one group of one person that differs from the one before.

Beside it stands what the same decisions cost in CVAT's attribute annotation mode, counted from its documented keys: an
arrow to the attribute and a digit for the value, Tab to the next object, V (ten frames) three times a second; and,
since CVAT's page writes into the keyframe that is shown alone, each decision again at every later keyframe of the
track up to the next change (one key to get there, one digit). Neither counts what boxes cost.

Then a clip of 13 people and 8 groups, of which one in ten changes once: keys and clicks. Latency is from a key to the
frame that shows what came of it, over 60 people, 15 seconds and 80 actions, as the browser itself tells it (Event
Timing, in steps of 8 ms); keys follow each other as fast as the page takes them. Beside it stands the time that the
page's own thread worked on a key, which other programs of the machine do not lengthen. Then a job is finished and the
next one, whose clip was fetched ahead, comes in its place. Last, the annotation server is away for a minute
and the tab is killed meanwhile: what was said is counted.

    python -m benchmarks.labelling [--json FILE] [--scenes N] [--only PART]
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from playwright.sync_api import Browser, Page, sync_playwright

from ava_core.annotation.labelling.desk import Json
from ava_core.base.schemas import BOX_COLUMNS, CLIP_FPS
from ava_core.demo.scenes import render_scenes
from ava_core.demo.truth import truth_in_clips
from ava_core.store import tasks
from ava_core.video.cutting import cut_clips
from ava_core.video.intake.source_videos import take_in_sources
from ava_core.video.tracking.batch import track_clips
from benchmarks._bench import Bars, argument_parser, table
from benchmarks._labelling_crowd import crowd_site
from benchmarks._labelling_person import SECONDS, Cost, Script, people_of
from tests.support.annotation_server import serving, write_small_clip
from tests.support.annotation_site import AnnotationSite, desk_as
from tests.support.browser import CHROMIUM, Visitor
from tests.support.labelling_site import LabellingSite, labelling, signed_in

STORED: Final = "document.querySelector('.label-state')?.textContent === 'All saved'"
READY: Final = "document.querySelector('[data-ready=yes]')"
TIMED: Final = """
window.drawn = [];
const pressed = new Map();
window.addEventListener('keydown', event => pressed.set(event.timeStamp, event.key), true);
const presented = list => {
  for (const one of list.getEntries()) {
    if (one.name === 'keydown') window.drawn.push([pressed.get(one.startTime) || '', one.duration]);
  }
};
new PerformanceObserver(presented).observe({ type: 'event', durationThreshold: 16 });
"""
"""Keys and milliseconds until the frame after them was presented; those below 16 are not told."""
TOLD_FROM_MS: Final = 16.0
BURST: Final = 60
"""Rounds of four keys each."""
KINDS: Final = {"a": "a label", "s": "a label", "ArrowRight": "a second on", "Enter": "the next person"}
KEYS_A_DECISION, TIMES_FEWER, LATENCY_MS, OPEN_SECONDS = 1.3, 2.5, 50.0, 1.0
KEYS_OF_THIRTEEN: Final = 150
NEXT_SECONDS, NEXT_JOBS = 0.3, 3
AWAY_SECONDS: Final = 60.0


def main() -> None:
    """Measure, print, judge."""
    parser = argument_parser(__doc__ or "")
    parser.add_argument("--scenes", type=int, default=2, help="scenes that are rendered and labelled")
    parser.add_argument(
        "--only", choices=["truth", "thirteen", "latency", "next", "faults"], help="one part alone"
    )
    options = parser.parse_args()
    bars = Bars("labelling")
    parts: dict[str, Callable[[Bars, Browser, Path], None]] = {
        "truth": partial(planted_truth, scenes=options.scenes),
        "thirteen": thirteen, "latency": latency, "next": following, "faults": faults,
    }  # fmt: skip
    with sync_playwright() as playwright, tempfile.TemporaryDirectory(prefix="ava-bench-") as folder:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        for name, part in parts.items():
            if options.only in (None, name):
                (Path(folder) / name).mkdir()
                part(bars, browser, Path(folder) / name)
        browser.close()
    bars.finish(options.json)


def planted_truth(bars: Bars, browser: Browser, folder: Path, scenes: int) -> None:
    """Enter the truth of rendered scenes, and read it back."""
    with serving(folder / "cvat") as server:
        site = AnnotationSite(
            server,
            folder / "home",
            write_small_clip(folder / "small.mp4"),
            overlap=1.0,
            annotators_per_clip=3,
        )
        videos = folder / "videos"
        videos.mkdir()
        scene_truth = render_scenes(videos, seed=3, scenes=scenes, seconds=float(SECONDS))
        sources = take_in_sources(site.context, videos)
        site.clips = cut_clips(site.context, sources)
        site.tracks = track_clips(site.context, site.clips)
        truth = truth_in_clips(scene_truth, site.clips, sources, site.ontology)
        cost, rows = Cost(), []
        scripts: dict[int, Script] = {}
        with labelling(site) as place:
            own = _jobs(site, place.name)
            for job_id, clip_id in own:
                visitor = signed_in(browser, place)
                _open(visitor, place, job_id)
                script = Script(visitor.page, truth, clip_id, site.ontology, cost)
                scripts[job_id] = script
                script.do(people_of(site, job_id, script.boxes))
                visitor.page.context.close()
        site.look()
        read = site.read()
        right = asked = 0
        for job_id, script in scripts.items():
            equal, meant = _read_back(read, job_id, script)
            right, asked = right + equal, asked + meant
        rows.append(["this page", cost.decisions, cost.keys, cost.keys / cost.decisions])
        rows.append(
            [
                "CVAT, attribute mode, were values to hold",
                cost.decisions,
                cost.cvat,
                cost.cvat / cost.decisions,
            ]
        )
        whole = cost.cvat + cost.cvat_trap
        rows.append(
            ["CVAT, attribute mode, over its keyframes", cost.decisions, whole, whole / cost.decisions]
        )
        table(["", "decisions", "keys", "keys a decision"], rows)
        print(f"mending tracks: {cost.mending} keys and drags; {len(own)} clips")
        bars.figure("cost", cost.__dict__)
        keys = (cost.keys + cost.clicks) / cost.decisions
        bars.bar(
            "keys and clicks a decision, mending apart", keys, KEYS_A_DECISION, holds=keys <= KEYS_A_DECISION
        )
        fewer = whole / (cost.keys + cost.clicks)
        bars.bar("times fewer than in CVAT", fewer, TIMES_FEWER, holds=fewer >= TIMES_FEWER)
        bars.bar("read back as meant", right / asked, 1.0, holds=right == asked)
        answered = [share for job_id, _ in own for share in _answered(site, job_id, place.name)]
        whole_share = sum(answered) / len(answered)
        bars.bar("answered where somebody is seen, once done", whole_share, 1.0, holds=whole_share == 1.0)


def _read_back(read: dict[str, pl.DataFrame], job_id: int, script: Script) -> tuple[int, int]:
    """How many answers of a job read as they were meant, and how many were meant, at all seconds."""
    boxes, labels = (read[name].filter(pl.col("job_id") == job_id) for name in ("raw_boxes", "raw_labels"))
    found = labels.select("track_key", "second", "group", "action_ids").rows()
    said = {(key, second, group): ids for key, second, group, ids in found}
    right = asked = 0
    for first, box, meant in script.meant:
        there = boxes.filter(pl.col("second") == first)
        apart = np.abs(there.select(BOX_COLUMNS).to_numpy() - np.array(box)).max(axis=1)
        key = there["track_key"][int(apart.argmin())]
        for second, answers in meant.items():
            asked += len(answers)
            right += sum(said.get((key, second, group)) == [action] for group, action in answers.items())
    return right, asked


def thirteen(bars: Bars, browser: Browser, folder: Path) -> None:
    """13 people, all 8 groups of each, and one group in ten changes once: keys, clicks, and what was stored."""
    draw = np.random.default_rng(5)
    with serving(folder / "cvat") as server:
        site = crowd_site(server, folder, 13, "street")
        with labelling(site) as place:
            visitor = signed_in(browser, place)
            page = visitor.page
            _open(visitor, place, place.job_id)
            keys = clicks = changes = 0
            meant: dict[str, dict[str, list[Any]]] = {}
            for person in range(1, 14):
                said = meant[str(person)] = {}
                later: list[tuple[int, str, Any]] = []
                for group in site.ontology.groups:
                    first, second = draw.choice(len(group.actions), 2, replace=False)
                    said[group.name] = [[0, [group.actions[first].id]]]
                    keys += _say(page, group.actions[first])
                    if draw.random() < 0.1 and group.kind == "exclusive":
                        later.append((int(draw.integers(1, SECONDS)), group.name, group.actions[second]))
                for second, name, action in sorted(later, key=lambda one: one[0]):
                    page.get_by_role("button", name=f"Go to second {second}", exact=True).click()
                    said[name].append([second * CLIP_FPS, [action.id]])
                    keys, clicks, changes = keys + _say(page, action), clicks + 1, changes + 1
                page.keyboard.press("Enter" if person < 13 else "Control+Enter")
                keys += 1
            page.wait_for_url("**/work")
        with desk_as(site, place.job_id, place.name) as desk:
            found = {track["seed"]: track["said"] for track in desk.open()["tracks"]}
    print(
        f"13 people, 8 groups, {changes} changes: {keys} keys and {clicks} clicks; stored as meant: {found == meant}"
    )
    bars.figure("thirteen", {"keys": keys, "clicks": clicks, "changes": changes})
    holds = keys + clicks <= KEYS_OF_THIRTEEN and found == meant
    bars.bar("keys and clicks, 13 people and 8 groups", keys + clicks, KEYS_OF_THIRTEEN, holds=holds)


def latency(bars: Bars, browser: Browser, folder: Path) -> None:
    """Key to drawn, and opening, with many people and actions."""
    with serving(folder / "cvat") as server:
        site = crowd_site(server, folder, 60, "ava80")
        with labelling(site) as place:
            visitor = signed_in(browser, place)
            page = visitor.page
            page.add_init_script(TIMED)
            _open(visitor, place, place.job_id)
            opened = min(_open(visitor, place, place.job_id) for _ in range(3))
            probe = page.context.new_cdp_session(page)
            probe.send("Performance.enable", {"timeDomain": "threadTicks"})
            before = _worked(probe)
            page.evaluate("window.drawn.length = 0")
            keys = [
                key
                for number in range(BURST)
                for key in ("a", "ArrowRight", "s", "Enter" if number % 3 else "ArrowRight")
            ]
            for key in keys:
                page.keyboard.press(key)
            worked = (_worked(probe) - before) / len(keys) * 1000
            page.wait_for_function(STORED, timeout=60_000)
            told = page.evaluate("window.drawn")
    drawn = {kind: _drawn(told, keys, kind) for kind in KINDS.values()}
    table(
        ["key", "keys", "median ms", "p95 ms"],
        [[kind, len(ms), np.median(ms), np.percentile(ms, 95)] for kind, ms in drawn.items()],
    )
    everything = np.concatenate(list(drawn.values()))
    middle, p95 = float(np.median(everything)), float(np.percentile(everything, 95))
    load = os.getloadavg()[0]
    print(
        f"{len(keys)} keys over 60 people: median {middle:.1f} ms, p95 {p95:.1f} ms, at load {load:.1f}; "
        f"the page's thread worked {worked:.1f} ms a key"
    )
    bars.figure("latency", {"median_ms": middle, "p95_ms": p95, "load": load, "worked_ms": worked})
    bars.bar("key to drawn, p95, ms", p95, LATENCY_MS, holds=p95 <= LATENCY_MS)
    bars.bar("page open to first key, s", opened, OPEN_SECONDS, holds=opened <= OPEN_SECONDS)


def following(bars: Bars, browser: Browser, folder: Path) -> None:
    """From the key that finishes a job to the first key of the next one, whose clip was fetched ahead."""
    with serving(folder / "cvat") as server:
        site = crowd_site(server, folder, 13, "street", clips=NEXT_JOBS + 1)
        with labelling(site) as place:
            visitor = signed_in(browser, place)
            page = visitor.page
            _open(visitor, place, place.job_id)
            seconds, shown = [], []
            for _ in range(NEXT_JOBS):
                for _ in range(13):
                    page.keyboard.press("!")
                    page.keyboard.press("Enter")
                page.wait_for_function(STORED, timeout=60_000)
                page.wait_for_load_state("networkidle")
                here, begun = page.url, time.perf_counter()
                page.keyboard.press("Control+Shift+Enter")
                page.wait_for_function(f"location.href !== '{here}' && {READY}")
                seconds.append(time.perf_counter() - begun)
                page.wait_for_function("document.querySelector('.label-stage video').readyState >= 2")
                shown.append(time.perf_counter() - begun)
    middle = float(np.median(seconds))
    print(f"the next job: {', '.join(f'{s:.2f}' for s in seconds)} s to the first key; "
          f"its picture after {float(np.median(shown)):.2f} s")  # fmt: skip
    bars.figure("next", {"to_first_key_s": seconds, "to_picture_s": shown})
    bars.bar("next job, to the first key, s", middle, NEXT_SECONDS, holds=middle <= NEXT_SECONDS)


def faults(bars: Bars, browser: Browser, folder: Path) -> None:
    """The annotation server is away for a minute, and the tab is killed meanwhile: nothing is lost or doubled."""
    with ExitStack() as first:
        server = first.enter_context(serving(folder / "cvat"))
        site = crowd_site(server, folder, 6, "street")
        with labelling(site) as place:
            visitor = signed_in(browser, place)
            page = visitor.page
            _open(visitor, place, place.job_id)
            actions = [group.actions[0] for group in site.ontology.groups]
            meant = {str(person): {} for person in range(1, 7)}
            first.close()
            gone = time.monotonic()
            for person in meant:
                for group, action in zip(site.ontology.groups, actions, strict=True):
                    _say(page, action)
                    meant[person][group.name] = [[0, [action.id]]]
                page.keyboard.press("Enter")
            page.wait_for_selector(".label-state.away", timeout=60_000)
            context = page.context
            page.close(run_before_unload=False)
            time.sleep(max(0.0, AWAY_SECONDS - (time.monotonic() - gone)))
            with serving(folder / "cvat", port=int(server.url.rpartition(":")[2])):
                page = context.new_page()
                page.goto(f"{place.url}/work/{place.job_id}")
                page.wait_for_selector("[data-ready=yes]", timeout=60_000)
                page.wait_for_function(STORED, timeout=60_000)
                with desk_as(site, place.job_id, place.name) as desk:
                    found: list[Json] = desk.open()["tracks"]
    right = sum(
        {"seed": one["seed"], "said": one["said"]} == {"seed": one["seed"], "said": meant.get(one["seed"])}
        for one in found
    )
    holds = right == len(found) == len(meant)
    bars.bar("stored after a minute without server and a killed tab", right / len(meant), 1.0, holds=holds)


def _say(page: Page, action: Any) -> int:
    page.keyboard.press(f"Shift+{action.hotkey}" if action.hotkey.isupper() else action.hotkey)
    return 1


def _drawn(told: list[tuple[str, float]], keys: list[str], kind: str) -> list[float]:
    """Milliseconds of all keys of a kind; those that are not told took less than are told."""
    slow = [ms for key, ms in told if KINDS.get(key) == kind]
    return slow + [TOLD_FROM_MS] * (sum(KINDS[key] == kind for key in keys) - len(slow))


def _worked(probe: Any) -> float:
    """Seconds that the page's main thread has worked since it began."""
    metrics = probe.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))


def _answered(site: AnnotationSite, job_id: int, name: str) -> list[bool]:
    """Of each person, group and second at which they are seen: whether something is said."""
    return [
        any(
            frame <= max(second * CLIP_FPS, person.keyframes[0])
            for frame, _ in person.said.get(group.name, [])
        )
        for person in people_of(site, job_id, {})
        for group in site.ontology.groups
        for second in person.seconds
    ]


def _open(visitor: Visitor, place: LabellingSite, job_id: int) -> float:
    begun = time.perf_counter()
    visitor.page.goto(f"{place.url}/work/{job_id}")
    visitor.page.wait_for_selector("[data-ready=yes]", timeout=60_000)
    return time.perf_counter() - begun


def _jobs(site: AnnotationSite, name: str) -> list[tuple[int, str]]:
    return sorted(
        (job.job_id, job.clip_id) for job in tasks.jobs_of(site.store, "b") if job.annotator == name
    )


if __name__ == "__main__":
    main()
