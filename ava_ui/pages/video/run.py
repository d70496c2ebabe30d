"""One run of Dagster, live: its state and its log."""

from __future__ import annotations

from typing import Final

from nicegui import ui

from ava_ui import addresses
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit

LIVE_SECONDS: Final = 2.0
LINES_KEPT: Final = 300


async def content(visit: Visit) -> None:
    """State, log, and what may be done about it."""
    dagster, run_id = visit.console.dagster, visit.params["run_id"]
    run = await dagster.run(run_id)
    with ui.row().classes("items-center"):
        state = ui.label(run.status.lower()).classes("part-title").mark("run-status")
        ui.label(
            f"{', '.join(run.assets)} · {run.batch or 'no batch'} · began {run.created_at:%Y-%m-%d %H:%M:%S}"
        )
        if run.batch:
            ui.link("batch", addresses.batch(run.batch))

    async def end() -> None:
        with theme.asking("End this run? What it has written so far is kept.", "End it") as dialog:
            pass
        if await dialog:
            visit.note("end run", run_id)
            await dagster.end(run_id)

    async def retry() -> None:
        visit.note("retry run", run_id)
        ui.navigate.to(addresses.run(await dagster.retry(run_id)))

    if visit.may("admin"):
        with ui.row():
            ending = ui.button("End", on_click=visit.action("admin", end)).props("flat")
            again = ui.button("Retry", on_click=visit.action("admin", retry)).props("flat")
            ending.set_visibility(not run.is_over)
            again.set_visibility(run.status == "FAILURE")
    if run.status == "FAILURE":
        ui.label(await dagster.failure(run_id)).classes("bad")
    log = ui.log(max_lines=LINES_KEPT).classes("w-full").style("height: 55vh")
    cursor: str | None = None

    async def follow() -> None:
        nonlocal cursor
        lines, cursor = await dagster.logs(run_id, cursor)
        for line in lines[-LINES_KEPT:]:
            log.push(f"{line.at:%H:%M:%S} {line.step} {line.message}")
        now = await dagster.run(run_id)
        state.set_text(now.status.lower())
        if now.is_over:
            timer.deactivate()

    timer = ui.timer(LIVE_SECONDS, visit.action("viewer", follow))
    await follow()
