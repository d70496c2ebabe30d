"""Settling one doubtful answer: who says what, and an expert's choice of what holds, by key or by click."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from nicegui import ui
from nicegui.events import GenericEventArguments

from ava_core import decisions
from ava_core.decisions import PRESENCE
from ava_core.ontology import Ontology
from ava_core.store import Store
from ava_core.store.tables import Decision
from ava_ui.elements.clip_player import ClipPlayer
from ava_ui.frame.visit import Visit
from ava_ui.known.console import Console
from ava_ui.known.drafts import Work, draft, raw_tables

Row = dict[str, Any]
"""An answer that is asked for: `clip_id, second, person_id, group, frame`."""

Answers = dict[str, list[int] | bool]
"""What each annotator said, and `consensus`: actions, or whether somebody is there."""


@dataclass(frozen=True)
class Choice:
    """An answer that can be given: whose it is (names, `consensus`), and the actions or whether somebody is there."""

    words: str
    who: tuple[str, ...]
    action_ids: tuple[int, ...] = ()
    present: bool = True


@dataclass
class Settling:
    """One answer that is asked for, and the choices there are.

    `alike`: seconds on end, this one among them, at which everybody says the same; `seen`: the newest
    decision of the batch that the page shows. `whole`: whether the choice holds for all of them.
    """

    store: Store
    batch: str
    actor: str
    row: Row
    choices: list[Choice]
    alike: list[int]
    seen: int | None = None
    whole: bool = True

    @property
    def of_presence(self) -> bool:
        """Whether it is asked if somebody is there at all."""
        return bool(self.row["group"] == PRESENCE)

    @property
    def has_stretch(self) -> bool:
        """Whether there are more seconds than the one that is looked at."""
        return len(self.alike) > 1

    @property
    def seconds(self) -> list[int]:
        """The seconds that a choice settles."""
        return self.alike if self.has_stretch and self.whole else [self.row["second"]]

    def settle(self, choice: Choice) -> None:
        """Decide that this choice holds."""
        at = {
            "clip_id": self.row["clip_id"], "second": self.seconds[0], "until": self.seconds[-1],
            "person_id": self.row["person_id"], "actor": self.actor, "seen": self.seen,
        }  # fmt: skip
        if self.of_presence:
            decisions.settle_presence(self.store, self.batch, present=choice.present, **at)
        else:
            group, ids = self.row["group"], choice.action_ids
            decisions.adjudicate(self.store, self.batch, group=group, action_ids=ids, **at)

    def concerns(self, decision: Decision) -> bool:
        """Whether a decision is on this answer, or on whose answers count."""
        if decision.action != "adjudicate":
            return decision.action in ("exclude", "include")
        here = all(decision.after[name] == self.row[name] for name in ("clip_id", "person_id", "group"))
        return here and decision.after["second"] in self.alike


class SettlingPanel:
    """A button a choice, with the digit that presses it, and any other answer of the group."""

    def __init__(
        self, visit: Visit, player: ClipPlayer, settling: Settling, ontology: Ontology, following: str
    ) -> None:
        self.visit, self.settling, self.following = visit, settling, following
        if settling.has_stretch:
            first, last = settling.alike[0], settling.alike[-1]
            ui.switch(f"seconds {first} to {last}, where everyone agrees", value=settling.whole).mark(
                "whole-stretch"
            ).bind_value_to(settling, "whole")
        self.acts = [self._chooses(choice) for choice in settling.choices]
        for number, (choice, act) in enumerate(zip(settling.choices, self.acts, strict=True), start=1):
            who = f" ({', '.join(choice.who)})" if choice.who else ""
            ui.button(f"{number} · {choice.words}{who}", on_click=act).props("outline no-caps").mark(
                " ".join(f"choose-{one}" for one in choice.who) or f"choose-{number}"
            )
        player.on("choose", self.by_key)
        if not settling.of_presence:
            self._draw_other(ontology)

    async def by_key(self, event: GenericEventArguments) -> None:
        """Choose by digit, from 1."""
        if 1 <= int(event.args) <= len(self.acts):
            await self.acts[int(event.args) - 1]()

    def _chooses(self, choice: Choice) -> Callable[..., Awaitable[None]]:
        async def act() -> None:
            await asyncio.to_thread(self.settling.settle, choice)
            ui.navigate.to(self.following)

        return self.visit.action("reviewer", act)

    def _draw_other(self, ontology: Ontology) -> None:
        group = ontology.group(self.settling.row["group"])
        other = ui.select(
            {a.id: a.name for a in group.actions}, multiple=group.kind == "multi", label="other"
        ).classes("w-48")

        async def choose() -> None:
            await self._chooses(other_choice(other.value))()

        ui.button("Other", on_click=choose).props("outline no-caps").mark("choose-other")


def other_choice(value: int | Sequence[int] | None) -> Choice:
    """What nobody said: no action, one, or several."""
    ids = () if value is None else (value,) if isinstance(value, int) else tuple(value)
    return Choice("other", (), ids)


def work_of_clip(console: Console, batch: str, clip_id: str) -> Work:
    """What annotators drew and said in a clip, by person, and the consensus that they alone come to."""
    mine, of_person = pl.col("clip_id") == clip_id, ["clip_id", "annotator", "track_key"]
    raw = {name: table.filter(mine) for name, table in raw_tables(console, batch).items()}
    formed = draft(console, batch).tables(approved=[clip_id])
    return {
        "boxes": raw["raw_boxes"].join(formed["persons"], on=of_person),
        "labels": raw["raw_labels"].join(formed["persons"], on=of_person),
        "crew": raw["completed_jobs"].select("annotator").unique().sort("annotator"),
        "consensus": formed["consensus_labels"],
    }


def said(work: Work, row: Row) -> Answers:
    """What each annotator said, and the consensus: actions, or whether somebody is there."""
    here = (pl.col("second") == row["second"]) & (pl.col("person_id") == row["person_id"])
    if row["group"] == PRESENCE:
        drawn = set(work["boxes"].filter(here)["annotator"])
        return {name: name in drawn for name in work["crew"]["annotator"]}
    own = here & (pl.col("group") == row["group"])
    given = work["labels"].filter(own).sort("annotator").select("annotator", "action_ids").iter_rows()
    answers: Answers = {name: sorted(ids) for name, ids in given}
    return answers | {"consensus": work["consensus"].filter(own)["action_id"].drop_nulls().sort().to_list()}


def alike(work: Work, row: Row, waiting: pl.DataFrame) -> list[int]:
    """Seconds on end around this one that wait as well, and at which everybody says the same."""
    same = (pl.col("clip_id") == row["clip_id"]) & (pl.col("person_id") == row["person_id"])
    open_at = set(waiting.filter(same & (pl.col("group") == row["group"]))["second"])
    here, found = said(work, row), [int(row["second"])]
    for step in (-1, 1):
        second = row["second"] + step
        while second in open_at and said(work, row | {"second": second}) == here:
            found.append(second)
            second += step
    return sorted(found)


def choices(
    answers: Answers, ontology: Ontology, group: str, called: Mapping[str, str] | None = None
) -> list[Choice]:
    """Each different answer once, with everybody who gives it, as they are `called`; the one most give first."""
    by_answer: dict[tuple[int, ...] | bool, list[str]] = {}
    for name, answer in answers.items():
        who = (called or {}).get(name, name)
        by_answer.setdefault(answer if isinstance(answer, bool) else tuple(answer), []).append(who)
    if group == PRESENCE:
        words = {True: "the person is there", False: "no one is there"}
        return [
            Choice(words[is_there], tuple(by_answer.get(is_there, ())), present=is_there)
            for is_there in words
        ]
    ordered = sorted(by_answer.items(), key=lambda item: (-len(item[1]), str(item[0])))
    return [
        Choice(", ".join(ontology.action(i).name for i in ids) or "none", tuple(who), ids)
        for ids, who in ordered
        if not isinstance(ids, bool)
    ]
