"""Practice as admins see it: the set of clips and the rule on the page People, and a clip's choice on its review."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from nicegui import ui

from ava_core.annotation.practice.choosing import choose_practice
from ava_core.base.text import plural
from ava_core.store import practice
from ava_core.store.tables import CONSENSUS, PracticeClip
from ava_ui import addresses
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit

PER_CENT: Final = 100


def panel(visit: Visit) -> None:
    """The practice set and what follows from it."""
    store = visit.console.store
    clips, rule = practice.clips(store), practice.rule(store)
    theme.heading("Practice")
    ui.label(
        "New annotators label these clips first and see the correct answers after each. Practice work never "
        "enters a dataset."
    ).classes("soft")
    if not clips:
        ui.label("No practice clips yet. Open a clip's review under Quality to choose one.")
    for clip in clips:
        _clip(visit, clip)
    with ui.row().classes("items-center"):
        mark = ui.number(
            "pass mark, %", value=round(rule.pass_mark * PER_CENT), min=1, max=PER_CENT, precision=0
        )
        mark.classes("w-32").mark("pass-mark")
        required = ui.switch("require a pass before real work", value=rule.required).mark("practice-required")

        async def keep() -> None:
            await asyncio.to_thread(
                practice.set_rule, store, visit.user.username,
                pass_mark=(mark.value or 0) / PER_CENT, required=required.value,
            )  # fmt: skip
            ui.navigate.reload()

        ui.button("Save", on_click=visit.action("admin", keep)).mark("keep-practice")
    ui.label("Annotators who have already completed a job need not pass.").classes("soft")


def _clip(visit: Visit, clip: PracticeClip) -> None:
    async def end() -> None:
        await asyncio.to_thread(practice.end, visit.console.store, clip.practice_id, visit.user.username)
        ui.navigate.reload()

    answers = sum(len(right) for *_, right in clip.truth)
    right = "its consensus" if clip.measure == CONSENSUS else clip.measure
    with ui.row().classes("items-center"):
        ui.link(clip.clip_id, addresses.review(clip.batch, clip.clip_id))
        ui.label(f"correct answers from {right}: {plural(answers, 'answer')}")
        ui.button("Remove", on_click=visit.action("admin", end)).props("flat dense no-caps").mark(
            f"end-practice-{clip.practice_id}"
        )


def let_in(visit: Visit, name: str) -> Callable[..., Awaitable[None]]:
    """Let an annotator have real work without practice."""

    async def act() -> None:
        await asyncio.to_thread(practice.qualify, visit.console.store, name)
        await visit.note("qualify annotator", name)
        ui.navigate.reload()

    return visit.action("admin", act)


def choose(visit: Visit, batch: str, clip_id: str, workers: Sequence[str]) -> None:
    """On a clip's review: make it a practice clip, with whose answers are right."""
    options = {"": "not a practice clip", CONSENSUS: "practice: the approved consensus"}
    options |= {name: f"practice: the work of {name}" for name in workers}
    now = [one for one in practice.clips(visit.console.store) if (one.batch, one.clip_id) == (batch, clip_id)]

    async def put(measure: str) -> None:
        store, actor = visit.console.store, visit.user.username
        if measure:
            await asyncio.to_thread(choose_practice, visit.console.batch(batch), clip_id, measure, actor)
        else:
            for one in now:
                await asyncio.to_thread(practice.end, store, one.practice_id, actor)
        ui.notify("New annotators now practise on it." if measure else "No longer a practice clip.")

    act = visit.action("admin", put)
    ui.select(
        options, value=now[0].measure if now else "", label="practice of new annotators",
        on_change=lambda e: act(e.value),
    ).classes("w-64").mark("practice")  # fmt: skip
