"""One item of a blind audit: somebody says what the marked person does, and sees nothing of what was decided."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from nicegui import ui
from nicegui.events import GenericEventArguments

from ava_core.ontology import Ontology
from ava_core.ontology.model import Group
from ava_core.quality.review import audits
from ava_core.store import Store
from ava_ui import addresses
from ava_ui.elements.clip_player import ClipPlayer
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit


@dataclass(frozen=True)
class BlindAnswer:
    """An item that waits for an answer. `answered`, `total`: items of its audit that have one, and all."""

    store: Store
    item: audits.BlindItem
    group: Group
    actor: str
    answered: int
    total: int

    @classmethod
    def of(cls, store: Store, item: audits.BlindItem, ontology: Ontology, actor: str) -> BlindAnswer:
        """The item among the others of its audit."""
        everything = audits.blind_items(store, item.audit_id)
        answered = sum(one.answered for one in everything)
        return cls(store, item, ontology.group(item.group), actor, answered, len(everything))

    @property
    def progress(self) -> str:
        """Where the audit stands, in words."""
        return f"Item {self.item.position} of {self.total}, {self.answered} answered"

    @property
    def question(self) -> str:
        """What is asked."""
        return f"{self.group.name.replace('_', ' ')} of the marked person at second {self.item.second}?"

    @property
    def of_several(self) -> bool:
        """Whether several actions of the group may hold at once."""
        return self.group.kind == "multi"

    def give(self, *action_ids: int, present: bool = True) -> None:
        """Keep what is seen: the actions that hold, or that nobody is there."""
        audits.answer_item(
            self.store, self.item.item_id, group=self.group, action_ids=action_ids, present=present,
            actor=self.actor,
        )  # fmt: skip


class BlindAnswerPanel:
    """The question, the player, and for reviewers a button an action, which its digit presses."""

    def __init__(self, visit: Visit, batch: str, answer: BlindAnswer) -> None:
        self.visit, self.answer = visit, answer
        self.acts: list[Callable[..., Awaitable[None]]] = []
        may = visit.may("reviewer")
        ui.label(answer.progress).mark("audit-at")
        ui.linear_progress(answer.answered / answer.total, show_value=False).props('aria-label="answered"')
        theme.heading(answer.question)
        above = ui.row().classes("items-center")
        shown = addresses.audit_shown(batch, answer.item.item_id)
        player = ClipPlayer(shown, frame=answer.item.frame, choosing=may)
        if may:
            with above:
                if answer.of_several:
                    self._draw_several()
                else:
                    self._draw_one()
                nobody = ui.button("No one is there, or the box shows someone else").mark("audit-nobody")
                nobody.props("flat no-caps").on_click(self._gives(present=False))
            player.on("choose", self.by_key)

    async def by_key(self, event: GenericEventArguments) -> None:
        """Answer by digit, from 1."""
        if 1 <= int(event.args) <= len(self.acts):
            await self.acts[int(event.args) - 1]()

    def _gives(self, *action_ids: int, present: bool = True) -> Callable[..., Awaitable[None]]:
        async def act() -> None:
            await asyncio.to_thread(self.answer.give, *action_ids, present=present)
            ui.navigate.reload()

        return self.visit.action("reviewer", act)

    def _draw_several(self) -> None:
        actions = {a.id: a.name for a in self.answer.group.actions}
        chosen = ui.select(actions, multiple=True, value=[], label="all correct actions")
        chosen.classes("w-64").mark("audit-answers")

        async def save() -> None:
            await self._gives(*chosen.value)()

        ui.button("Save without actions", on_click=save).mark("audit-save")

    def _draw_one(self) -> None:
        for number, action in enumerate(self.answer.group.actions, start=1):
            key = f"{number} · " if number < 10 else ""
            act = self._gives(action.id)
            self.acts.append(act)
            button = ui.button(f"{key}{action.name}", on_click=act)
            button.props("outline no-caps").mark(f"audit-{action.name}")
