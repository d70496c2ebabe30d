"""The decision on one clip: approved, rejected with a comment, or taken back; then on to the next that waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import polars as pl
from nicegui import background_tasks, ui

from ava_core import decisions
from ava_core.base.text import plural
from ava_core.store import Store
from ava_ui import addresses
from ava_ui.elements.clip_player import ClipPlayer
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit
from ava_ui.pages.quality.queue import handed_back


@dataclass
class Judgement:
    """What somebody is about to decide on a clip.

    `seen`: the newest decision of the batch that the page shows. `shown`: names of the readings of the clip that it
    shows. `status`: what holds by it. `blocked`: the rule it
    breaks and must not, in words, or "". `following`: the next clip that waits, or "". `comment`: what has
    been typed so far.
    """

    store: Store
    batch: str
    clip_id: str
    actor: str
    seen: int | None = None
    shown: Collection[str] = ()
    status: str = "pending"
    blocked: str = ""
    following: str = ""
    comment: str = ""

    @property
    def may_reject(self) -> bool:
        """Whether it is said what the annotators should mend."""
        return bool(self.comment.strip())

    @property
    def may_reopen(self) -> bool:
        """Whether there is a decision to take back."""
        return self.status != "pending"

    @property
    def next_address(self) -> str:
        """The next clip that waits; the queue where none does."""
        if self.following:
            return addresses.review(self.batch, self.following)
        return addresses.quality(self.batch)

    def approve(self) -> None:
        """Approve it; a rule that it breaks stands in the comment."""
        said = f"{self.comment} (although {self.blocked})".strip() if self.blocked else self.comment
        decisions.approve(
            self.store, self.batch, [self.clip_id], self.actor, said, seen=self.seen,
            shown={self.clip_id: self.shown} if self.shown else None,
        )  # fmt: skip

    def reject(self) -> None:
        """Reject it. Raises `DecisionError` without a comment."""
        said = self.comment.strip()
        decisions.reject(self.store, self.batch, [self.clip_id], self.actor, said, seen=self.seen)

    def reopen(self) -> None:
        """Take the decision back."""
        decisions.reopen(self.store, self.batch, [self.clip_id], self.actor, self.comment, seen=self.seen)


def next_after(found: pl.DataFrame, clip_id: str) -> str:
    """The next clip of the batch that waits, after this one and then from the start; "" where none does.

    `found`: `review_queue.REVIEW_QUEUE` of the batch.
    """
    waits = (pl.col("status") == "pending") & (pl.col("clip_id") != clip_id)
    waiting = found.filter(waits)["clip_id"].to_list()
    later = [clip for clip in waiting if clip > clip_id]
    return str((later or waiting or [""])[0])


def place_among_waiting(found: pl.DataFrame, clip_id: str) -> str:
    """A clip's place among those of the batch that wait, in the order in which they come: "3 of 302 that wait".

    Of one that is judged it is how many wait. `found`: `review_queue.REVIEW_QUEUE` of the batch.
    """
    waiting = found.filter(pl.col("status") == "pending")["clip_id"].sort()
    if clip_id in waiting:
        return f"{(waiting < clip_id).sum() + 1:,} of {len(waiting):,} waiting"
    return f"{plural(len(waiting), 'clip')} of {found.height:,} wait"


class JudgementPanel:
    """Comment and buttons; the player's keys do the same as the buttons."""

    def __init__(self, visit: Visit, player: ClipPlayer, judgement: Judgement) -> None:
        self.visit, self.player, self.judgement = visit, player, judgement
        judgement.comment = visit.draft
        self.comment = (
            ui.input("Comment (required to reject)", value=judgement.comment)
            .classes("grow comment")
            .mark("comment")
            .bind_value_to(judgement, "comment", lambda value: value or "")
        )
        self.comment.on_value_change(lambda: visit.keep_draft(judgement.comment))
        approve = ui.button("Approve (A)", icon="check", color="positive").mark("approve")
        reject = ui.button("Reject (R)", icon="close", color="negative").mark("reject")
        self.hand_back = ui.switch("return to annotators", value=True).mark("hand-back")
        with self.hand_back:
            ui.tooltip("A rejected clip returns to its annotators with your comment at the current second.")
        reopen = ui.button("Undo (U)", icon="undo").props("flat").mark("reopen")
        reopen.set_enabled(judgement.may_reopen)
        ui.button("Skip (S)", icon="skip_next", on_click=self.go_on).props("flat").mark("skip")
        self._does("approve", approve, self.approve)
        self._does("reject", reject, self.reject)
        self._does("undo", reopen, self.reopen)
        self.comment.on("keydown.enter", visit.action("reviewer", self.reject))

    async def approve(self) -> None:
        """Approve; where that breaks a rule, ask first."""
        blocked = self.judgement.blocked
        if blocked:
            with theme.asking("Approve it even though it breaks a rule?", "Approve anyway") as dialog:
                ui.label(f"{blocked}.")
            if not await dialog:
                return
        await asyncio.to_thread(self.judgement.approve)
        self.visit.keep_draft("")
        self.go_on()

    async def reject(self) -> None:
        """Reject, and give it back to its annotators where that is wished."""
        judgement = self.judgement
        if not judgement.may_reject:
            self.comment.run_method("focus")
            ui.notify("Write in the comment what the annotators should fix, then press Enter.")
            return
        await asyncio.to_thread(judgement.reject)
        self.visit.keep_draft("")
        if self.hand_back.value:
            # Nobody waits for the annotation server: what it does not take shows among the rejected clips.
            back = handed_back(self.visit, judgement.batch, {judgement.clip_id: self.player.second})
            background_tasks.create(back, name=f"hand back {judgement.clip_id}")
        self.go_on()

    async def reopen(self) -> None:
        """Take the decision back."""
        await asyncio.to_thread(self.judgement.reopen)
        self.visit.keep_draft("")
        ui.navigate.reload()

    def go_on(self) -> None:
        """To the next clip that waits."""
        ui.navigate.to(self.judgement.next_address)

    def _does(self, key: str, button: ui.button, act: Callable[[], Any]) -> None:
        acting = self.visit.action("reviewer", act)
        button.on_click(acting)
        self.player.on(key, acting, [])
