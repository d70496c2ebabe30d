"""Somebody more for a clip: as a further annotator, or as the expert who corrects the consensus."""

from __future__ import annotations

import asyncio

from nicegui import ui

from ava_core.annotation import staffing
from ava_core.annotation.adjudication import send_to_expert
from ava_core.base.errors import InputError
from ava_core.store import annotators
from ava_ui.frame.visit import Visit
from ava_ui.known.drafts import preview_consensus


class MoreWorkPanel:
    """A choice of annotators, and what the chosen one gets."""

    def __init__(self, visit: Visit, batch: str, clip_id: str) -> None:
        self.visit, self.batch, self.clip_id = visit, batch, clip_id
        names = [person.username for person in annotators.available(visit.console.store)]
        self.who = ui.select(names, label="annotator").classes("w-48").mark("more")
        for words, act, mark in (
            ("Add as annotator", self.top_up, "top-up"),
            ("Ask an expert to correct it", self.send, "expert"),
        ):
            button = ui.button(words, on_click=visit.action("admin", act))
            button.props("flat no-caps").mark(mark)

    @property
    def chosen(self) -> str:
        """Who is chosen. Raises `InputError` where nobody is."""
        if not self.who.value:
            raise InputError("No annotator is chosen.", "Choose an annotator next to the button.")
        return str(self.who.value)

    async def top_up(self) -> None:
        """One job more of the clip."""
        name, at, actor = self.chosen, self.visit.console.batch(self.batch), self.visit.user.username
        await asyncio.to_thread(staffing.top_up, at, self.clip_id, actor, name)
        ui.notify(f"{name} now has a job for this clip.")

    async def send(self) -> None:
        """The consensus, for the expert to correct."""
        name, console, actor = self.chosen, self.visit.console, self.visit.user.username
        formed = await asyncio.to_thread(preview_consensus, console, self.batch, self.clip_id)
        at = console.batch(self.batch)
        await asyncio.to_thread(send_to_expert, at, self.clip_id, name, formed, actor=actor)
        ui.notify(f"{name} now has a job to correct the consensus.")
