"""Approving many clips at once: thresholds, what passes them, and why the rest stays."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import polars as pl
from nicegui import ui

from ava_core import decisions
from ava_core.base.text import plural
from ava_core.quality.review.bulk import Thresholds
from ava_ui import addresses
from ava_ui.elements.data_table import DataTable
from ava_ui.elements.decided import Seen
from ava_ui.elements.newest import newest_in
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit
from ava_ui.known.console import Console
from ava_ui.known.review_queue import bulk_plan, shown_readings

FIRST = Thresholds()
"""As the sliders stand at first."""


@dataclass(frozen=True)
class BulkEffect:
    """What a bulk approval would do, as it stands when `seen` is the newest that was decided.

    `passing`: clips by batch; `left`: `batch, clip_id, reason` of the rest; `shown`: the readings behind it.
    """

    passing: dict[str, list[str]]
    left: pl.DataFrame
    seen: Seen
    shown: dict[str, decisions.Shown] = field(default_factory=dict)

    @property
    def number(self) -> int:
        """Clips that would be approved."""
        return sum(map(len, self.passing.values()))

    @property
    def sentence(self) -> str:
        """The effect in words."""
        return f"{plural(self.number, 'clip')} would be approved; {self.left.height} would stay pending."


@dataclass
class BulkApproval:
    """The thresholds that somebody chooses, for one batch or, where that is "", for all; each from 0 to 1."""

    console: Console
    batch: str
    actor: str
    alpha: float = FIRST.pooled_alpha
    kappa: float = FIRST.kappa
    iou: float = FIRST.mean_iou
    f1: float = FIRST.f1

    def effect(self) -> BulkEffect:
        """What approving by these thresholds would do now."""
        chosen = Thresholds(pooled_alpha=self.alpha, kappa=self.kappa, mean_iou=self.iou, f1=self.f1)
        seen = Seen(self.console.store, self.batch)
        passing, left = bulk_plan(self.console, self.batch, chosen)
        shown: dict[str, decisions.Shown] = {name: shown_readings(self.console, name) for name in passing}
        return BulkEffect(passing, left, seen, shown)

    @property
    def comment(self) -> str:
        """What is written beside each decision."""
        return f"bulk: alpha ≥ {self.alpha:g}, kappa ≥ {self.kappa:g}, IoU ≥ {self.iou:g}, F1 ≥ {self.f1:g}"

    def approve(self, effect: BulkEffect) -> dict[str, str]:
        """Approve the clips that pass; returns those that moved meanwhile and stay, each with what happened to it."""
        moved: dict[str, str] = {}
        for batch, clips in effect.passing.items():
            done = decisions.approve_unmoved(
                self.console.store, batch, clips, self.actor, self.comment,
                seen=effect.seen.of(batch), shown=effect.shown.get(batch),
            )  # fmt: skip
            moved |= done.moved
        return moved


class BulkPanel:
    """Sliders, their effect, and the button; nothing is counted until somebody opens it."""

    def __init__(self, visit: Visit, batch: str) -> None:
        self.approval = BulkApproval(visit.console, batch, visit.user.username)
        with (
            ui.expansion("Approve in bulk by thresholds", icon="done_all")
            .classes("w-full")
            .mark("bulk") as panel
        ):
            ui.label(
                "An undefined figure passes only a threshold of 0; a clip that breaks a blocking rule never "
                "passes."
            ).classes("soft")
            sliders = self._draw_sliders()
            self.effect = ui.label().mark("bulk-effect")
            self.button = ui.button("Approve these clips", icon="done_all").mark("bulk-approve")
            place = ui.column().classes("w-full")
        self.panel, self.newest = panel, newest_in(place, self.approval.effect, self._draw)
        follow = visit.action("reviewer", self.follow)
        panel.on_value_change(follow)
        for slider in sliders:
            slider.on_value_change(follow)
        self.button.on_click(visit.action("reviewer", self.approve))

    async def follow(self) -> None:
        """Show what the sliders give, where anybody sees it."""
        if self.panel.value:
            await self.newest.ask()

    async def approve(self) -> None:
        """Approve what passes now, once somebody has seen how many that are."""
        effect = await asyncio.to_thread(self.approval.effect)
        with theme.asking(f"Approve {effect.number} clips?", "Approve") as dialog:
            ui.label("You can undo each approval later.")
        if not await dialog:
            return
        moved = await asyncio.to_thread(self.approval.approve, effect)
        if moved:
            with theme.asking(
                f"Changed in the meantime and not approved: {plural(len(moved), 'clip')}", "Reload"
            ) as told:
                for clip, why in moved.items():
                    ui.label(f"{clip}: {why}").mark("moved")
            await told
        ui.navigate.reload()

    def _draw_sliders(self) -> list[ui.slider]:
        names = {"alpha": "alpha", "kappa": "kappa", "iou": "mean IoU", "f1": "box F1"}
        with ui.row().classes("items-center w-full"):
            return [
                _slider(f"{words}, at least", getattr(self.approval, name)).bind_value_to(self.approval, name)
                for name, words in names.items()
            ]

    def _draw(self, effect: BulkEffect) -> None:
        self.effect.set_text(effect.sentence)
        self.button.set_enabled(effect.number > 0)
        if effect.left.height:
            ui.label("Not approved, and why").classes("soft")
            DataTable(effect.left, file="left_pending", links={"clip_id": addresses.REVIEW})


def _slider(name: str, value: float) -> ui.slider:
    ui.label(name)
    return (
        ui.slider(min=0, max=1, step=0.01, value=value)
        .props(f'label-always aria-label="{name}"')
        .classes("w-48")
    )
