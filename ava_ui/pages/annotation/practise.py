"""The page on which somebody practises on one clip: that of a job, with what was not right once it is finished."""

from __future__ import annotations

import asyncio

from nicegui import ui

from ava_core.annotation.practice.desk import practice_clip, standing
from ava_core.annotation.practice.marking import result
from ava_core.store import Store, practice
from ava_ui import addresses
from ava_ui.elements.labeller import Labelling
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit
from ava_ui.pages.annotation import labelling


async def content(visit: Visit) -> None:
    """The practice clip, or a sentence that says why it is not there."""
    labeller, practice_id = labelling.labeller_here(), visit.number_in_path("practice_id")
    await asyncio.to_thread(practice_clip, visit.console.store, practice_id, labeller.user_name)
    ui.add_css(labelling.STYLE)
    ui.link("All practice clips", addresses.WORK)
    practising = addresses.practising(practice_id)
    labelling.ask_ahead(f"{practising}/sheet")
    Labelling(practising, labeller.user_name, finished=ui.navigate.reload)


async def panel(store: Store, name: str) -> None:
    """An annotator's practice clips on the page of their work; nothing where there are none."""
    clips = await asyncio.to_thread(practice.offered, store, name)
    if not clips:
        return
    tries = await asyncio.to_thread(practice.tries, store, name)
    now, rule = await asyncio.to_thread(standing, store, name), await asyncio.to_thread(practice.rule, store)
    theme.heading("Practice")
    waits = "You get real work once you have passed." if rule.required and not now.passed else ""
    ui.label(
        f"{now.words}; the pass mark is {rule.pass_mark:.0%}. {'You have passed.' if now.passed else waits}"
    ).mark("practice-standing")
    for number, clip in enumerate(clips, start=1):
        own = [one for one in tries if one.practice_id == clip.practice_id]
        with ui.row().classes("items-center"):
            ui.link(f"Practice clip {number}", addresses.practise(clip.practice_id)).mark(
                f"practice-{number}"
            )
            finished = [one for one in own if one.finished_at is not None]
            if finished:
                ui.label(result(finished[-1].asked, finished[-1].correct)).classes("soft")
            elif own:
                ui.label("under way").classes("soft")
