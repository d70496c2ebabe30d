"""Who annotates, how many do the same clip, and the plan that follows, before tasks are made."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import polars as pl
from nicegui import ui

from ava_core.annotation.assignment import AssignmentPlan
from ava_core.annotation.staffing import top_up
from ava_core.annotation.tasks import new_clips, plan_batch
from ava_core.base.errors import AvaError, InputError
from ava_core.base.settings import DEALING_OPTIONS
from ava_core.batch import BatchContext
from ava_core.store import annotators, batches, tasks
from ava_core.store.tables import Annotator
from ava_ui.elements.data_table import DataTable
from ava_ui.elements.live_runs import LiveRuns
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit
from ava_ui.pages.annotation.connection import connection


async def content(visit: Visit) -> None:
    """Annotators, connection, plan; what each clip still needs."""
    with ui.element("div").classes("two"):
        with ui.card():
            theme.heading("Annotators")
            _people(visit, await asyncio.to_thread(tasks.load, visit.console.store))
        with ui.card():
            theme.heading("Annotation server")
            connection(visit)
    theme.heading("Deal out")
    names = await asyncio.to_thread(_with_clips, visit)
    if not names:
        theme.empty("No batch has clips yet.", "Add a batch first.", "/batches", "Batches")
        return
    dealt = {row.batch for row in visit.console.counts.rows if row.counts["tasks"]}
    open_batches = [name for name in names if name not in dealt]
    wanted = visit.query.get("batch", "")
    chosen = wanted if wanted in names else (open_batches or names)[-1]
    ui.select(
        names, value=chosen, label="batch", with_input=len(names) > 12,
        on_change=lambda event: ui.navigate.to(f"/tasks?batch={quote(event.value or '')}"),
    ).classes("w-64").mark("plan-batch")  # fmt: skip
    _plan(visit, chosen)
    LiveRuns(visit, chosen)
    theme.later(visit, lambda: _needs(visit, chosen))


def _with_clips(visit: Visit) -> list[str]:
    """Batches whose clips are cut, oldest first."""
    rows = visit.console.counts.refresh()
    return [row.batch for row in rows if row.counts["clips"]]


def _people(visit: Visit, load: dict[str, tuple[int, int]]) -> None:
    everyone = annotators.everyone(visit.console.store)
    if not everyone:
        ui.label("Nobody yet. Test the connection, then add members of the organisation.").classes("soft")
        return
    rows = [
        (person.username, _state(person), *load.get(person.username, (0, 0))[::-1], person.capacity)
        for person in everyone
    ]
    schema = {
        "annotator": pl.String,
        "state": pl.String,
        "done": pl.Int64,
        "jobs": pl.Int64,
        "limit": pl.Int64,
    }
    table = DataTable(
        pl.DataFrame(rows, schema=schema, orient="row"), file="annotators", selectable=visit.may("admin"),
        labels={"annotator": "annotator", "state": "state", "done": "done", "jobs": "jobs", "limit": "clips at most"},
        links={"annotator": "/progress?annotator={annotator}", "jobs": "/progress?annotator={annotator}",
               "done": "/progress?annotator={annotator}&state=completed"},
    )  # fmt: skip
    if not visit.may("admin"):
        return
    with ui.row():
        ui.button("Pause", on_click=_set_state(visit, table, paused=True)).props("flat").mark("pause")
        ui.button("Resume", on_click=_set_state(visit, table, paused=False)).props("flat").mark("resume")
        ui.button("Limit …", on_click=_set_limit(visit, table)).props("flat").mark("limit")


def _state(person: Annotator) -> str:
    return "inactive" if not person.active else "paused" if person.paused else "gets work"


def _ticked(table: DataTable) -> list[str]:
    names: list[str] = table.selected["annotator"].to_list()
    if not names:
        raise InputError("Nobody is ticked.", "Tick annotators in the table.")
    return names


def _set_state(visit: Visit, table: DataTable, *, paused: bool) -> Callable[..., Awaitable[None]]:
    def act() -> None:
        for name in _ticked(table):
            annotators.set_state(visit.console.store, name, paused=paused, active=True)
            visit.note("pause annotator" if paused else "resume annotator", name)
        ui.navigate.reload()

    return visit.action("admin", act)


def _set_limit(visit: Visit, table: DataTable) -> Callable[..., Awaitable[None]]:
    async def act() -> None:
        names = _ticked(table)
        with theme.asking(f"Clips of a batch that {', '.join(names)} get(s) at most", "Keep") as dialog:
            most = ui.number("clips", value=20, min=1, precision=0)
        if await dialog:
            for name in names:
                annotators.set_state(visit.console.store, name, capacity=int(most.value or 1))
                visit.note("limit annotator", name, capacity=int(most.value or 1))
            ui.navigate.reload()

    return visit.action("admin", act)


def _plan(visit: Visit, batch: str) -> None:
    """Choices of one batch, and what follows from them."""
    settings, store = visit.console.batch_settings(batch), visit.console.store
    people = [person.username for person in annotators.available(store)]
    named = [name.strip() for name in settings.annotators.split(",") if name.strip() in people]
    with ui.row().classes("items-center w-full"):
        who = ui.select(people, value=named or people, multiple=True, label="annotators of this batch").props(
            "use-chips"
        ).classes("w-96").mark("plan-people")  # fmt: skip
        floor = ui.number(
            "clips that every two share at least", value=settings.pair_floor, min=0, precision=0
        )
        seed = ui.number("seed", value=settings.seed, min=0, precision=0).classes("w-24")
    with ui.row().classes("items-center w-full"):
        overlap = _slider("clips that several do (%)", 0, 100, 5, round(settings.overlap * 100))
        k = _slider("annotators on each of these", 1, 10, 1, settings.annotators_per_clip)
    place = ui.column().classes("w-full")
    asked = 0

    def options() -> dict[str, Any]:
        chosen = list(who.value or [])
        return {
            "overlap": overlap.value / 100, "annotators_per_clip": int(k.value), "pair_floor": int(floor.value or 0),
            "seed": int(seed.value or 0),
            # Everybody stays everybody, whoever joins later.
            "annotators": "" if set(chosen) == set(people) else ",".join(sorted(chosen)),
        }  # fmt: skip

    def planned() -> tuple[AssignmentPlan, int]:
        if not who.value and people:
            raise InputError("Nobody is chosen.", "Choose annotators of this batch.")
        clips = visit.console.reading.table(batch, "clips")
        assert clips is not None, "only batches that have clips can be chosen"
        at = BatchContext(batch, settings.with_options(options()), store=store)
        return plan_batch(at, clips), len(new_clips(at, clips))

    async def show() -> None:
        nonlocal asked
        asked = mine = asked + 1
        try:
            made: tuple[AssignmentPlan, int] | AvaError = await asyncio.to_thread(planned)
        except AvaError as error:
            made = error
        if mine != asked:
            return  # something was chosen since; what that gives is shown
        place.clear()
        with place:
            if isinstance(made, AvaError):
                theme.problem(made)
            else:
                _show_plan(*made)

    async def create() -> None:
        plan, new = await asyncio.to_thread(planned)
        if not new:
            raise InputError(
                "Every clip has its task already.", "Top clips up, or hand jobs on, below and on Progress."
            )
        with theme.asking(f"Make {new} tasks of {batch}?", "Create") as dialog:
            for name, clips in sorted(plan.load.items()):
                ui.label(f"{name}: {clips} clips")
            ui.label("Tasks that exist stay as they are.")
        if await dialog:
            batches.set_options(store, batch, options(), without=DEALING_OPTIONS)
            visit.note("create tasks", batch, **options())
            await visit.console.dagster.process([batch], ["cvat_tasks"])
            ui.notify("Started; how far it is shows below.")

    for field in (overlap, k, who, floor, seed):
        field.on_value_change(show)
    ui.timer(0.05, visit.action("viewer", show), once=True)
    if visit.may("admin"):
        ui.button("Create tasks …", icon="add_task", on_click=visit.action("admin", create)).mark(
            "create-tasks"
        )


def _slider(name: str, least: int, most: int, step: int, value: int) -> ui.slider:
    with ui.row().classes("items-center no-wrap"):
        ui.label(name)
        slider = ui.slider(min=least, max=most, step=step, value=value).classes("w-56")
    return slider.props(f'label-always markers aria-label="{name}"')


def _show_plan(plan: AssignmentPlan, new: int) -> None:
    shared = sum(len(names) > 1 for names in plan.annotators.values())
    theme.facts({
        "clips": len(plan.annotators), "to make": new, "done by several": shared,
        "jobs": sum(map(len, plan.annotators.values())),
    })  # fmt: skip
    with ui.element("div").classes("two"):
        with ui.card():
            theme.heading("Clips of each annotator")
            DataTable(pl.DataFrame({"annotator": list(plan.load), "clips": list(plan.load.values())},
                                   schema={"annotator": pl.String, "clips": pl.Int64}), file="load",
                      sort_by="clips", descending=True)  # fmt: skip
        with ui.card():
            theme.heading("Clips that two share")
            pairs = [f"{a} and {b}" for a, b in plan.shared]
            DataTable(pl.DataFrame({"pair": pairs, "clips": list(plan.shared.values())},
                                   schema={"pair": pl.String, "clips": pl.Int64}), file="shared",
                      sort_by="clips")  # fmt: skip


async def _needs(visit: Visit, batch: str) -> None:
    """Clips that lack an annotator before their labels can be trusted, and topping them up."""
    needs = await asyncio.to_thread(visit.console.reading.table, batch, "consensus_labels", "needs")
    if needs is None or (wanting := needs.filter(pl.col("need") != "")).is_empty():
        return
    theme.heading("Clips that need somebody more")
    table = DataTable(
        wanting, file=f"{batch}_needs", facets=["need"], selectable=visit.may("admin"),
        labels={"clip_id": "clip", "voters": "trusted annotators", "need": "need", "reason": "why"},
        links={"clip_id": f"/quality/{quote(batch)}/clips/{{clip_id}}",
               "voters": f"/progress?batch={quote(batch)}&clip={{clip_id}}"},
    )  # fmt: skip
    if not visit.may("admin"):
        return

    async def top_up_ticked() -> None:
        clips = table.selected["clip_id"].to_list()
        if not clips:
            raise InputError("No clip is ticked.", "Tick clips in the table.")
        with theme.asking(f"Give {len(clips)} clip(s) one annotator more each?", "Top up") as dialog:
            ui.label("Who has least to do in the batch gets them.")
        if not await dialog:
            return
        at = visit.console.batch(batch)
        for clip in clips:
            who = await asyncio.to_thread(top_up, at, clip, visit.user.username)
            ui.notify(f"{clip}: {who} has a job of it now.")

    ui.button("Top ticked clips up …", icon="group_add", on_click=visit.action("admin", top_up_ticked)).mark(
        "top-up"
    )
