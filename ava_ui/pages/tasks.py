"""Who annotates, how many do the same clip, and the plan that follows, before tasks are made."""

from __future__ import annotations

import asyncio

import polars as pl
from nicegui import ui

from ava_core.assignment import AssignmentPlan
from ava_core.cvat.gateway import CvatGateway
from ava_core.cvat.tasks import plan_batch
from ava_core.errors import AssignmentError
from ava_core.store import annotators, batches, tasks
from ava_ui import theme
from ava_ui.elements.data_table import DataTable
from ava_ui.visit import Visit


async def content(visit: Visit) -> None:
    """Annotators, connection, plan."""
    with ui.element("div").classes("two"):
        with ui.card():
            theme.heading("Annotators")
            _people(visit)
        with ui.card():
            theme.heading("Annotation server")
            _connection(visit)
    theme.heading("Deal out")
    _plan(visit)


def _people(visit: Visit) -> None:
    load = tasks.load(visit.console.store)
    everyone = annotators.everyone(visit.console.store)
    if not everyone:
        ui.label("Nobody yet. Test the connection, then add members of the organisation.").classes("soft")
    for person in everyone:
        jobs, done = load.get(person.username, (0, 0))
        state = "inactive" if not person.active else "paused" if person.paused else "gets work"
        with ui.row().classes("items-center w-full no-wrap"):
            ui.link(person.username, f"/progress?annotator={person.username}").classes("grow")
            ui.label(f"{done} of {jobs} jobs done · {state}").classes("soft")
            if visit.may("admin"):
                words = "Resume" if person.paused or not person.active else "Pause"
                act = _set_state(visit, person.username, paused=words == "Pause")
                ui.button(words, on_click=act).props("flat dense").mark(f"pause-{person.username}")


def _set_state(visit: Visit, name: str, *, paused: bool):  # type: ignore[no-untyped-def]
    def act() -> None:
        annotators.set_state(visit.console.store, name, paused=paused, active=True)
        visit.note("pause annotator" if paused else "resume annotator", name)
        ui.navigate.reload()

    return visit.action("admin", act)


def _connection(visit: Visit) -> None:
    settings = visit.console.settings
    kind = "embedded" if settings.cvat_is_embedded else "CVAT"
    ui.label(f"{kind} at {settings.resolved_cvat_url}, organisation {settings.cvat_organisation}, "
             f"account {settings.cvat_username}. AVA_CVAT_URL and its neighbours set them.")  # fmt: skip
    result = ui.column().classes("w-full")

    def look() -> tuple[str, dict[str, int]]:
        with CvatGateway(settings) as gateway:
            gateway.ensure_organisation()
            return gateway.about(), gateway.members()

    async def test() -> None:
        version, members = await asyncio.to_thread(look)
        known = {a.username for a in annotators.everyone(visit.console.store)}
        result.clear()
        with result:
            ui.label(f"Connected: version {version}, {len(members)} member(s).").classes("good")
            new = sorted(set(members) - known - {settings.cvat_username})
            chosen = ui.select(new, multiple=True, label="members to add as annotators").classes("w-full")

            def add() -> None:
                for name in chosen.value or []:
                    annotators.put(visit.console.store, name, cvat_user_id=members[name])
                    visit.note("add annotator", name)
                ui.navigate.reload()

            ui.button("Add", on_click=visit.action("admin", add)).set_enabled(bool(new))

    if visit.may("admin"):
        ui.button("Test connection", icon="lan", on_click=visit.action("admin", test)).mark("test-connection")


def _plan(visit: Visit) -> None:
    console = visit.console
    names = [n for n in batches.names(console.store) if console.reading.table(n, "clips") is not None]
    open_batches = [n for n in names if not tasks.tasks_of(console.store, n)]
    if not names:
        theme.empty("No batch has clips yet.", "Add a batch first.", "/batches", "Batches")
        return
    settings = console.settings
    with ui.row().classes("items-center w-full"):
        batch = (
            ui.select(names, value=(open_batches or names)[-1], label="batch")
            .classes("w-48")
            .mark("plan-batch")
        )
        ui.label("clips that several do (%)")
        overlap = (
            ui.slider(min=0, max=100, step=5, value=settings.overlap * 100)
            .props('label-always aria-label="clips that several do, in percent"')
            .classes("w-56")
        )
        ui.label("annotators on each of these")
        k = (
            ui.slider(min=1, max=10, step=1, value=settings.annotators_per_clip)
            .props('label-always markers aria-label="annotators on each of these"')
            .classes("w-56")
        )
    place = ui.column().classes("w-full")

    def show() -> None:
        place.clear()
        with place:
            try:
                _show_plan(_make_plan(visit, batch.value, overlap.value / 100, int(k.value)))
            except AssignmentError as error:
                theme.problem(error)

    async def create() -> None:
        plan = _make_plan(visit, batch.value, overlap.value / 100, int(k.value))
        with theme.asking(f"Make {len(plan.annotators)} tasks of {batch.value}?", "Create") as dialog:
            ui.label("Tasks that exist stay as they are.")
        if await dialog:
            options = {"overlap": overlap.value / 100, "annotators_per_clip": int(k.value)}
            batches.set_options(console.store, batch.value, options)
            visit.note("create tasks", batch.value, **options)
            await console.dagster.process([batch.value], ["cvat_tasks"])
            ui.navigate.to(f"/batches/{batch.value}")

    for field in (batch, overlap, k):
        field.on_value_change(show)
    show()
    if visit.may("admin"):
        ui.button("Create tasks …", icon="add_task", on_click=visit.action("admin", create)).mark(
            "create-tasks"
        )


def _make_plan(visit: Visit, batch: str, overlap: float, k: int) -> AssignmentPlan:
    clips = visit.console.reading.table(batch, "clips")
    assert clips is not None, "only batches that have clips can be chosen"
    options = {"overlap": overlap, "annotators_per_clip": k}
    return plan_batch(clips, visit.console.batch_settings(batch).with_options(options), visit.console.store)


def _show_plan(plan: AssignmentPlan) -> None:
    with ui.element("div").classes("two"):
        with ui.card():
            theme.heading("Clips of each annotator")
            DataTable(pl.DataFrame({"annotator": list(plan.load), "clips": list(plan.load.values())},
                                   schema={"annotator": pl.String, "clips": pl.Int64}), file="load")  # fmt: skip
        with ui.card():
            theme.heading("Clips that two share")
            pairs = [f"{a} and {b}" for a, b in plan.shared]
            DataTable(pl.DataFrame({"pair": pairs, "clips": list(plan.shared.values())},
                                   schema={"pair": pl.String, "clips": pl.Int64}), file="shared")  # fmt: skip
