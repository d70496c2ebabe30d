"""Labelling: what it costs a person to enter the planted truth of the demonstration's clips on the page for labelling.

Scenes are rendered, cut, and tracked by the motion detector, so tracks jump between people, follow nobody, or miss
somebody. A scripted person in a real browser mends that and says what everybody does, by keyboard; what the platform
then reads is held to the truth. A decision is one answer of one group of one person that differs from the one before.

Beside it stands what the same decisions cost in CVAT's attribute annotation mode, counted from its documented keys: an
arrow to the attribute and a digit for the value, Tab to the next object, V (ten frames) three times a second; and,
since CVAT's page writes into the keyframe that is shown alone, each decision again at every later keyframe of the
track up to the next change (one key to get there, one digit). Neither counts what boxes cost.

Latency is from a key to what is drawn after it, over 60 people, 15 seconds and 80 actions.

    python -m benchmarks.labelling [--json FILE] [--scenes N]
"""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from playwright.sync_api import Browser, Page, sync_playwright

from ava_core.annotation.gateway import CvatGateway
from ava_core.annotation.labelling.sheet import sheet_track
from ava_core.annotation.reading import box_at
from ava_core.base.schemas import BOX_COLUMNS, CLIP_FPS, CLIPS, TRACKS
from ava_core.demo.scenes import render_scenes
from ava_core.demo.truth import VISIBLE, ClipTruth, truth_in_clips
from ava_core.video.cutting import cut_clips
from ava_core.video.intake.source_videos import take_in_sources
from ava_core.video.tracking.batch import track_clips
from ava_core.video.tracking.iou import pairwise_iou
from benchmarks._bench import Bars, argument_parser, table
from tests.support.annotation_server import serving, write_small_clip
from tests.support.annotation_site import AnnotationSite
from tests.support.browser import CHROMIUM, Visitor
from tests.support.labelling_site import LabellingSite, labelling, signed_in

OVERLAP: Final = 0.3
STRIDE: Final = 5
"""Seconds that PageUp and PageDown go."""
PEOPLE, SECONDS, WIDTH, HEIGHT = 60, 15, 1280, 720
STORED: Final = "document.querySelector('.label-state')?.textContent === 'All stored'"
TIMED: Final = """
window.drawn = [];
window.addEventListener('keydown', () => {
  const begun = performance.now(), channel = new MessageChannel();
  channel.port1.onmessage = () => window.drawn.push(performance.now() - begun);
  requestAnimationFrame(() => channel.port2.postMessage(0));
}, true);
"""
KEYS_A_DECISION, TIMES_FEWER, LATENCY_MS, OPEN_SECONDS = 1.3, 2.5, 50.0, 1.0

Box = tuple[float, float, float, float]


@dataclass
class Cost:
    """What was pressed and decided, and what CVAT's attribute mode takes for the same."""

    keys: int = 0
    clicks: int = 0
    mending: int = 0
    decisions: int = 0
    cvat: int = 0
    cvat_trap: int = 0


@dataclass
class Person:
    """A track as the scripted person sees it: where it is, whom it follows when, and its keyframes."""

    seconds: list[int]
    owners: dict[int, str]
    boxes: dict[int, Box]
    keyframes: list[int] = field(default_factory=list)


class Script:
    """Somebody at the keyboard who knows the truth of one clip."""

    def __init__(self, page: Page, truth: ClipTruth, clip: str, ontology: Any, cost: Cost) -> None:
        self.page, self.cost, self.ontology = page, cost, ontology
        mine = pl.col("clip_id") == clip
        self.boxes: dict[tuple[str, int], Box] = {
            (walker, second): tuple(box)
            for walker, second, visible, *box in truth.boxes.filter(mine)
            .select("walker", "second", "visible", *BOX_COLUMNS).rows() if visible >= VISIBLE
        }  # fmt: skip
        self.labels: dict[tuple[str, int], dict[str, int]] = {}
        for walker, second, group, ids in (
            truth.labels.filter(mine).select("walker", "second", "group", "action_ids").rows()
        ):
            if (walker, second) in self.boxes and len(ids) == 1:
                self.labels.setdefault((walker, second), {})[group] = ids[0]
        self.second: int = 0
        self.held: dict[str, int] = {}
        self.meant: list[tuple[int, Box, dict[int, dict[str, int]]]] = []

    def press(self, key: str, *, mending: bool = False) -> None:
        """One key, or one chord."""
        self.page.keyboard.press(key)
        if mending:
            self.cost.mending += 1
        else:
            self.cost.keys += 1

    def go(self, second: int) -> None:
        """To a second: five at a time while that is shorter, then one by one."""
        while self.second != second:
            gap = second - self.second
            step = STRIDE if abs(gap) >= STRIDE - 1 else 1
            if not 0 <= self.second + int(np.sign(gap)) * step < SECONDS:
                step = 1
            names = ("ArrowLeft", "ArrowRight") if step == 1 else ("PageUp", "PageDown")
            self.press(names[gap > 0])
            self.second += step if gap > 0 else -step

    def label(self, person: Person, seconds: list[int]) -> None:
        """Say what changes at these seconds."""
        meant: dict[int, dict[str, int]] = {}
        self.meant.append((seconds[0], person.boxes[seconds[0]], meant))
        for second in seconds:
            said = self.labels.get((person.owners[second], second), {})
            for group, action in said.items():
                if self.held.get(group) == action:
                    continue
                self.cost.cvat += 3 * abs(second - self.second)
                self.go(second)
                hotkey = self.ontology.action(action).hotkey
                self.press(f"Shift+{hotkey}" if hotkey.isupper() else hotkey)
                self.held[group] = action
                self.cost.decisions += 1
                self.cost.cvat += 2
                self.cost.cvat_trap += 2 * self._keyframes_until_change(person, group, second)
            meant[second] = dict(self.held)

    def _keyframes_until_change(self, person: Person, group: str, second: int) -> int:
        now = self.labels[person.owners[second], second][group]
        later = (s for s in person.seconds if s > second)
        end = next(
            (s for s in later if self.labels.get((person.owners[s], s), {}).get(group, now) != now), SECONDS
        )
        return sum(second * CLIP_FPS < frame < end * CLIP_FPS for frame in person.keyframes)

    def do(self, people: list[Person]) -> None:
        """The whole job, to its end."""
        for person in people:
            self.held, self.second = {}, person.seconds[0] if person.seconds else 0
            if not person.seconds:
                continue  # never there at a whole second: nothing is asked, and the page passes by
            if not any(person.owners.values()):
                self.press("Delete", mending=True)
                continue
            for part in _parts(person):
                if part[0] != person.seconds[0]:
                    self.go(part[0])
                    self.press("\\", mending=True)
                self.label(person, part)
            if person is not people[-1]:
                self.press("Enter")
                self.cost.cvat += 1
        followed = {owner for person in people for owner in person.owners.values()}
        for walker in sorted({walker for walker, _ in self.boxes} - followed):
            self.draw(walker)
        self.finish()

    def draw(self, walker: str) -> None:
        """Somebody whom the tracker missed: a box where they are first seen, and where they leave."""
        seconds = sorted(second for who, second in self.boxes if who == walker)
        self.held = {}
        place = int(self.page.locator(".player-bar span").inner_text().split()[1])
        while place != seconds[0]:
            self.press("ArrowRight" if place < seconds[0] else "ArrowLeft", mending=True)
            place += 1 if place < seconds[0] else -1
        self.second = place
        area = self.page.locator(".label-stage svg").bounding_box()
        assert area is not None
        width = float(str(self.page.locator(".label-stage svg").get_attribute("viewBox")).split()[2])
        x1, y1, x2, y2 = (side * area["width"] / width for side in self.boxes[walker, seconds[0]])
        self.press("Insert", mending=True)
        self.page.mouse.move(area["x"] + x1, area["y"] + y1)
        self.page.mouse.down()
        self.page.mouse.move(area["x"] + x2, area["y"] + y2, steps=2)
        self.page.mouse.up()
        self.cost.mending += 1
        person = Person(seconds, dict.fromkeys(seconds, walker), {s: self.boxes[walker, s] for s in seconds})
        self.label(person, seconds)
        if seconds[-1] + 1 < SECONDS:
            while self.second != seconds[-1] + 1:
                self.press("ArrowRight", mending=True)
                self.second += 1
            self.press("End", mending=True)

    def finish(self) -> None:
        """Done; who cannot be told at the seconds before anybody could see them is said to be so."""
        self.press("Control+Enter")
        if self.page.locator(".label-card").count():
            self.page.get_by_text("I cannot tell any of these").click()
            self.cost.clicks += 1
        self.page.wait_for_url("**/work")


def owners_of(boxes: dict[int, Box], truth: dict[tuple[str, int], Box]) -> dict[int, str]:
    """Whom a track follows at its seconds; the same person as long as the box is on them."""
    found: dict[int, str] = {}
    now = ""
    for second, box in sorted(boxes.items()):
        near = {who: _iou(box, other) for (who, s), other in truth.items() if s == second}
        if near.get(now, 0.0) < OVERLAP:
            best = max(near, key=lambda who: near[who], default="")
            now = best if best and near[best] >= OVERLAP else now
        found[second] = now
    first = next((who for who in found.values() if who), "")
    return {second: who or first for second, who in found.items()}


def _parts(person: Person) -> list[list[int]]:
    parts: list[list[int]] = []
    for second in person.seconds:
        if parts and person.owners[second] == person.owners[parts[-1][-1]]:
            parts[-1].append(second)
        else:
            parts.append([second])
    return parts


def _iou(a: Box, b: Box) -> float:
    return float(pairwise_iou(np.array([a]), np.array([b]))[0, 0])


def main() -> None:
    """Measure, print, judge."""
    parser = argument_parser(__doc__ or "")
    parser.add_argument("--scenes", type=int, default=2, help="scenes that are rendered and labelled")
    options = parser.parse_args()
    bars = Bars("labelling")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory(prefix="ava-bench-") as folder:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        planted_truth(bars, browser, Path(folder) / "truth", options.scenes)
        latency(bars, browser, Path(folder) / "many")
        browser.close()
    bars.finish(options.json)


def planted_truth(bars: Bars, browser: Browser, folder: Path, scenes: int) -> None:
    """Enter the truth of rendered scenes, and read it back."""
    folder.mkdir()
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
                script.do(_people(site, job_id, script.boxes))
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


def latency(bars: Bars, browser: Browser, folder: Path) -> None:
    """Key to drawn, and opening, with many people and actions."""
    import av

    folder.mkdir()
    clip = folder / "clip.mp4"
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("libx264", rate=CLIP_FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(SECONDS * CLIP_FPS):
            picture = np.full((HEIGHT, WIDTH, 3), 40 + number % 150, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    draw = np.random.default_rng(1)
    with serving(folder / "cvat") as server:
        site = AnnotationSite(server, folder / "home", clip, clips=1, ontology="ava80")
        shape = {"frames": SECONDS * CLIP_FPS, "width": WIDTH, "height": HEIGHT}
        site.clips = site.clips.with_columns(**{name: pl.lit(v, CLIPS[name]) for name, v in shape.items()})
        rows = []
        for person in range(1, PEOPLE + 1):
            x, y = draw.uniform(0, WIDTH - 60), draw.uniform(0, HEIGHT - 120)
            for frame in range(0, SECONDS * CLIP_FPS, 3):
                x, y = np.clip([x + draw.normal(), y + draw.normal()], 0, [WIDTH - 60, HEIGHT - 120])
                rows.append(("c0", frame, person, x, y, x + 50, y + 110, 0.9, False))
        site.tracks = pl.DataFrame(rows, schema=dict(TRACKS), orient="row")
        with labelling(site) as place:
            visitor = signed_in(browser, place)
            page = visitor.page
            page.add_init_script(TIMED)
            _open(visitor, place, place.job_id)
            opened = min(_open(visitor, place, place.job_id) for _ in range(3))
            page.evaluate("window.drawn.length = 0")
            for number in range(60):
                for key in ("a", "ArrowRight", "s", "Enter" if number % 3 else "ArrowRight"):
                    page.keyboard.press(key)
            drawn = page.evaluate("window.drawn")
            page.wait_for_function(STORED, timeout=60_000)
    p95 = float(np.percentile(drawn, 95))
    middle, load = float(np.median(drawn)), os.getloadavg()[0]
    print(
        f"{len(drawn)} keys over {PEOPLE} people: median {middle:.1f} ms, p95 {p95:.1f} ms, at load {load:.1f}"
    )
    bars.figure("latency", {"median_ms": middle, "p95_ms": p95, "load": load})
    bars.bar("key to drawn, p95, ms", p95, LATENCY_MS, holds=p95 <= LATENCY_MS)
    bars.bar("page open to first key, s", opened, OPEN_SECONDS, holds=opened <= OPEN_SECONDS)


def _open(visitor: Visitor, place: LabellingSite, job_id: int) -> float:
    begun = time.perf_counter()
    visitor.page.goto(f"{place.url}/work/{job_id}")
    visitor.page.wait_for_selector("[data-ready=yes]", timeout=60_000)
    return time.perf_counter() - begun


def _jobs(site: AnnotationSite, name: str) -> list[tuple[int, str]]:
    from ava_core.store import tasks

    return sorted(
        (job.job_id, job.clip_id) for job in tasks.jobs_of(site.store, "b") if job.annotator == name
    )


def _people(site: AnnotationSite, job_id: int, truth: dict[tuple[str, int], Box]) -> list[Person]:
    """The job's tracks in the order in which the page has them."""
    from ava_core.annotation.forms import form_of
    from ava_core.store import tasks

    job = tasks.find_job(site.store, job_id)
    assert job is not None
    with CvatGateway(site.settings) as gateway:
        form = form_of(site.store, gateway, tasks.project_of(site.store, job.task_id))
        content = gateway.annotations(job_id)["tracks"]
    names = {number: name for name, number in form.specs.items()}
    people = []
    for track in sorted(content, key=lambda one: (one["shapes"][0]["frame"], one["id"])):
        sheet = sheet_track(track, site.ontology, names, form.label_id)
        fields = ("frame", "xtl", "ytl", "xbr", "ybr", "outside")
        shapes = [dict(zip(fields, key, strict=True)) for key in sheet["keys"]]
        boxes = {s: box for s in range(-(-job.frames // CLIP_FPS)) if (box := box_at(shapes, s * CLIP_FPS))}
        keyframes = [shape["frame"] for shape in track["shapes"]]
        people.append(Person(sorted(boxes), owners_of(boxes, truth), boxes, keyframes))
    return people


if __name__ == "__main__":
    main()
