"""A scripted person who knows the truth of a clip, at the keyboard of the page for labelling."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import polars as pl
from playwright.sync_api import Page

from ava_core.annotation.forms import form_of
from ava_core.annotation.gateway import CvatGateway
from ava_core.annotation.labelling.sheet import sheet_track
from ava_core.annotation.reading import box_at
from ava_core.base.schemas import BOX_COLUMNS, CLIP_FPS
from ava_core.demo.truth import VISIBLE, ClipTruth
from ava_core.store import tasks
from ava_core.video.tracking.iou import pairwise_iou
from tests.support.annotation_site import AnnotationSite

OVERLAP: Final = 0.3
"""Overlap from which a track's box is on a person."""
STRIDE: Final = 5
"""Seconds that PageUp and PageDown go."""
SECONDS: Final = 15
"""Length of the clips."""

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
    said: dict[str, list[Any]] = field(default_factory=dict)


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
            self.page.get_by_text("Mark all as cannot tell and finish").click()
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


def people_of(site: AnnotationSite, job_id: int, truth: dict[tuple[str, int], Box]) -> list[Person]:
    """The job's tracks in the order in which the page has them."""
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
        people.append(Person(sorted(boxes), owners_of(boxes, truth), boxes, keyframes, sheet["said"]))
    return people
