"""Dealing a batch out: annotators and overlap are chosen, the plan that follows is shown, then tasks are made."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import polars as pl
from nicegui import ui

from ava_core.annotation.assignment import AssignmentPlan
from ava_core.annotation.tasks import new_clips, plan_batch
from ava_core.base.errors import InputError
from ava_core.base.settings import DEALING_OPTIONS
from ava_core.base.text import plural
from ava_core.batch import BatchContext
from ava_core.store import annotators, batches
from ava_ui.elements.ask_button import AskButton
from ava_ui.elements.data_table import DataTable
from ava_ui.elements.newest import newest_in
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit
from ava_ui.known.console import Console


@dataclass(frozen=True)
class Dealt:
    """A plan, and how many tasks of it are still to make."""

    plan: AssignmentPlan
    to_make: int


@dataclass
class Dealing:
    """What is chosen about dealing a batch out, and what follows from it.

    `people`: everybody who gets work; `chosen`: those of them who annotate this batch. `overlap`: clips that several
    do, in percent; `per_clip`: how many annotate each of these. `pair_floor`: clips that every two share at least.
    """

    console: Console
    batch: str
    people: list[str]
    chosen: list[str]
    overlap: int
    per_clip: int
    pair_floor: int
    seed: int

    @classmethod
    def of(cls, console: Console, batch: str) -> Dealing:
        """As the batch's own options have it; everybody where they name nobody who gets work."""
        settings = console.batch_settings(batch)
        people = [person.username for person in annotators.available(console.store)]
        named = [name.strip() for name in settings.annotators.split(",") if name.strip() in people]
        return cls(
            console, batch, people, named or list(people), round(settings.overlap * 100),
            settings.annotators_per_clip, settings.pair_floor, settings.seed,
        )  # fmt: skip

    def options(self) -> dict[str, Any]:
        """The choices as options of the batch (`DEALING_OPTIONS`)."""
        # Everybody stays everybody, whoever joins later; one person alone is meant alone.
        everybody = len(self.people) > 1 and set(self.chosen) == set(self.people)
        return {
            "overlap": self.overlap / 100, "annotators_per_clip": self.per_clip, "pair_floor": self.pair_floor,
            "seed": self.seed, "annotators": "" if everybody else ",".join(sorted(self.chosen)),
        }  # fmt: skip

    def plan(self) -> Dealt:
        """What the choices give. Raises `InputError` where nobody is chosen, or the choices do not go together."""
        if not self.chosen and self.people:
            raise InputError("No annotator is chosen.", "Choose annotators for this batch.")
        clips = self.console.tables.table(self.batch, "clips")
        assert clips is not None, "only batches with clips are listed"
        settings = self.console.batch_settings(self.batch).with_options(self.options())
        at = BatchContext(self.batch, settings, store=self.console.store)
        return Dealt(plan_batch(at, clips), len(new_clips(at, clips)))

    def plan_to_make(self) -> Dealt:
        """The plan, where anything of it is still to make. Raises `InputError` as `plan` does, and where nothing is."""
        dealt = self.plan()
        if not dealt.to_make:
            raise InputError(
                "Every clip already has a task.", "Top up clips below, or reassign jobs on Progress."
            )
        return dealt

    def keep(self) -> None:
        """Keep the choices as options of the batch; its other options stay."""
        batches.set_options(self.console.store, self.batch, self.options(), without=DEALING_OPTIONS)


class DealingPanel:
    """The choices of one batch, what follows from them, and the button that makes its tasks."""

    def __init__(self, visit: Visit, batch: str) -> None:
        self.visit, self.dealing = visit, Dealing.of(visit.console, batch)
        fields = [*self._draw_people(), *self._draw_overlap()]
        self.newest = newest_in(ui.column().classes("w-full"), self.dealing.plan, _draw_plan)
        ask = visit.action("viewer", self.newest.ask)
        for field in fields:
            field.on_value_change(ask)
        ui.timer(0.05, ask, once=True)
        if visit.may("admin"):
            self.button = AskButton(visit, "Create tasks …", icon="add_task").mark("create-tasks")
            self.button.wire(self.create)

    async def create(self) -> None:
        """Make the tasks, once somebody has seen who gets how many."""
        dealing = self.dealing
        dealt = await asyncio.to_thread(dealing.plan_to_make)
        with theme.asking(f"Create {plural(dealt.to_make, 'task')} for {dealing.batch}?", "Create") as dialog:
            for name, clips in sorted(dealt.plan.load.items()):
                ui.label(f"{name}: {clips} clips")
            ui.label("Existing tasks do not change.")
        if await dialog:
            await asyncio.to_thread(dealing.keep)
            await self.visit.note("create tasks", dealing.batch, **dealing.options())
            await self.button.process([dealing.batch], ["cvat_tasks"])
            ui.notify("Started; progress appears below.")

    def _draw_people(self) -> list[Any]:
        dealing = self.dealing
        with ui.row().classes("items-center w-full"):
            people = ui.select(
                dealing.people, value=dealing.chosen, multiple=True, label="annotators of this batch"
            ).props("use-chips").classes("w-96").mark("plan-people")  # fmt: skip
            floor = ui.number(
                "clips shared by each pair (minimum)", value=dealing.pair_floor, min=0, precision=0
            )
            seed = ui.number("seed", value=dealing.seed, min=0, precision=0).classes("w-24")
        people.bind_value_to(dealing, "chosen", lambda value: list(value or []))
        floor.bind_value_to(dealing, "pair_floor", _whole)
        seed.bind_value_to(dealing, "seed", _whole)
        return [people, floor, seed]

    def _draw_overlap(self) -> list[Any]:
        dealing = self.dealing
        with ui.row().classes("items-center w-full"):
            overlap = _slider("clips with several annotators (%)", 0, 100, 5, dealing.overlap)
            per_clip = _slider("annotators per shared clip", 1, 10, 1, dealing.per_clip)
        overlap.bind_value_to(dealing, "overlap", _whole)
        per_clip.bind_value_to(dealing, "per_clip", _whole)
        return [overlap, per_clip]


def _whole(value: float | None) -> int:
    return int(value or 0)


def _slider(name: str, least: int, most: int, step: int, value: int) -> ui.slider:
    with ui.row().classes("items-center no-wrap"):
        ui.label(name)
        slider = ui.slider(min=least, max=most, step=step, value=value).classes("w-56")
    return slider.props(f'label-always markers aria-label="{name}"')


def _draw_plan(dealt: Dealt) -> None:
    plan = dealt.plan
    shared = sum(len(names) > 1 for names in plan.annotators.values())
    theme.facts({
        "clips": len(plan.annotators), "to create": dealt.to_make, "with several annotators": shared,
        "jobs": sum(map(len, plan.annotators.values())),
    })  # fmt: skip
    pairs = {f"{a} and {b}": clips for (a, b), clips in plan.shared.items()}
    with ui.element("div").classes("two"):
        with ui.card():
            theme.heading("Clips per annotator")
            DataTable(_clips_by("annotator", plan.load), file="load", sort_by="clips", descending=True)
        with ui.card():
            theme.heading("Clips shared by two annotators")
            DataTable(_clips_by("pair", pairs), file="shared", sort_by="clips")


def _clips_by(column: str, clips: dict[str, int]) -> pl.DataFrame:
    columns = {column: list(clips), "clips": list(clips.values())}
    return pl.DataFrame(columns, schema={column: pl.String, "clips": pl.Int64})
