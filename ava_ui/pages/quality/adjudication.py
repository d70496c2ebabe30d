"""Answers that are most likely wrong, one after the other: an expert says what holds, by key or by click."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl
from nicegui import ui
from nicegui.events import GenericEventArguments

from ava_core import decisions
from ava_core.base.schemas import CLIP_FPS
from ava_core.decisions import PRESENCE
from ava_core.ontology import Ontology
from ava_ui import addresses
from ava_ui.addresses import cell
from ava_ui.elements.clip_player import ClipPlayer
from ava_ui.elements.data_table import DataTable
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit
from ava_ui.known import drafts


@dataclass(frozen=True)
class Choice:
    """An answer that can be given: whose it is (names, `consensus`), and the actions or whether somebody is there."""

    words: str
    who: tuple[str, ...]
    action_ids: tuple[int, ...] = ()
    present: bool = True


async def content(visit: Visit) -> None:
    """The answer that is looked at, and the queue."""
    batch, clip_id = visit.params["batch"], visit.query.get("clip", "")
    waiting = await asyncio.to_thread(drafts.doubtful_answers, visit.console, batch)
    if clip_id:
        waiting = waiting.filter(pl.col("clip_id") == clip_id)
    ui.link("back to the queue of clips", addresses.quality(batch))
    number = visit.number("at")
    row = _asked_for(visit) or (
        waiting.row(min(number, waiting.height - 1), named=True) if waiting.height else None
    )
    following = addresses.adjudication(batch, at=number, clip=clip_id)
    if row is not None:
        await _item(visit, batch, row, waiting, following)
    theme.later(visit, lambda: _queue(batch, clip_id, waiting))
    theme.later(visit, lambda: _settled(visit, batch))


def _queue(batch: str, clip_id: str, waiting: pl.DataFrame) -> None:
    """All answers that wait."""
    if waiting.is_empty():
        theme.empty(
            "Nothing is left to adjudicate.", "Answers come here when annotators differ.",
            addresses.quality(batch), "Clips to review",
        )  # fmt: skip
        return
    theme.heading(f"{waiting.height} answers wait, the most doubtful first")
    here = addresses.adjudication(batch, at=cell("at"), clip=clip_id)
    DataTable(
        waiting.with_row_index("at"), file=f"{batch}_adjudication", facets=["group"],
        labels={"clip_id": "clip", "second": "second", "person_id": "person", "group": "group",
                "expected_error": "expected wrong labels", "reason": "why"},
        links={"clip_id": here, "second": here, "group": here},
    )  # fmt: skip


def _asked_for(visit: Visit) -> dict[str, Any] | None:
    """The answer that the address names, settled or not."""
    if "group" not in visit.query:
        return None
    second = visit.number("second")
    return {
        "clip_id": visit.query.get("clip", ""), "second": second, "person_id": visit.number("person"),
        "group": visit.query["group"], "frame": second * CLIP_FPS,
    }  # fmt: skip


async def _item(visit: Visit, batch: str, row: dict[str, Any], waiting: pl.DataFrame, following: str) -> None:
    clip_id, group = row["clip_id"], row["group"]
    visit.console.tables.clip(batch, clip_id)
    ontology = visit.console.ontology(batch)
    work = await asyncio.to_thread(_work, visit, batch, clip_id)
    said, alike = _said(work, row), _alike(work, row, waiting)
    asked = "is somebody there at all?" if group == PRESENCE else group
    ui.label(f"{clip_id} · second {row['second']} · person {row['person_id']} · {asked}").classes(
        "part-title"
    )
    choices = _choices(said, ontology, group)
    if visit.may("reviewer"):
        above = ui.row().classes("items-center")
    else:
        for choice in choices:
            ui.label(f"{choice.words}: {', '.join(choice.who)}")
    player = ClipPlayer(
        addresses.review_shown(batch, clip_id),
        frame=row["frame"],
        choosing=visit.may("reviewer"),
        person=row["person_id"],
    )
    if visit.may("reviewer"):
        with above:
            _buttons(visit, player, batch, row, choices, alike, ontology, following)


def _work(visit: Visit, batch: str, clip_id: str) -> drafts.Work:
    """What annotators drew and said in a clip, by person, and the consensus that they alone come to."""
    mine, of_person = pl.col("clip_id") == clip_id, ["clip_id", "annotator", "track_key"]
    raw = {name: table.filter(mine) for name, table in drafts.raw_tables(visit.console, batch).items()}
    formed = drafts.draft(visit.console, batch).tables(approved=[clip_id])
    return {
        "boxes": raw["raw_boxes"].join(formed["persons"], on=of_person),
        "labels": raw["raw_labels"].join(formed["persons"], on=of_person),
        "crew": raw["completed_jobs"].select("annotator").unique().sort("annotator"),
        "consensus": formed["consensus_labels"],
    }


def _said(work: drafts.Work, row: dict[str, Any]) -> dict[str, list[int] | bool]:
    """What each annotator said, and the consensus: actions, or whether somebody is there."""
    here = (pl.col("second") == row["second"]) & (pl.col("person_id") == row["person_id"])
    if row["group"] == PRESENCE:
        drawn = set(work["boxes"].filter(here)["annotator"])
        return {name: name in drawn for name in work["crew"]["annotator"]}
    own = here & (pl.col("group") == row["group"])
    given = work["labels"].filter(own).sort("annotator").select("annotator", "action_ids").iter_rows()
    said: dict[str, list[int] | bool] = {name: sorted(ids) for name, ids in given}
    return said | {"consensus": work["consensus"].filter(own)["action_id"].drop_nulls().sort().to_list()}


def _alike(work: drafts.Work, row: dict[str, Any], waiting: pl.DataFrame) -> list[int]:
    """Seconds on end around this one that wait as well, and at which everybody says the same."""
    same = (pl.col("clip_id") == row["clip_id"]) & (pl.col("person_id") == row["person_id"])
    open_at = set(waiting.filter(same & (pl.col("group") == row["group"]))["second"])
    said, found = _said(work, row), [int(row["second"])]
    for step in (-1, 1):
        second = row["second"] + step
        while second in open_at and _said(work, row | {"second": second}) == said:
            found.append(second)
            second += step
    return sorted(found)


def _choices(said: dict[str, list[int] | bool], ontology: Ontology, group: str) -> list[Choice]:
    """Each different answer once, with everybody who gives it; the one most give first."""
    by_answer: dict[tuple[int, ...] | bool, list[str]] = {}
    for who, answer in said.items():
        by_answer.setdefault(answer if isinstance(answer, bool) else tuple(answer), []).append(who)
    if group == PRESENCE:
        words = {True: "somebody is there", False: "nobody is there"}
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


def _buttons(
    visit: Visit,
    player: ClipPlayer,
    batch: str,
    row: dict[str, Any],
    choices: list[Choice],
    alike: list[int],
    ontology: Ontology,
    following: str,
) -> None:
    store, name = visit.console.store, visit.user.username
    whole = None
    if len(alike) > 1:
        # Made after the buttons, read when one is pressed.
        whole = ui.switch(f"seconds {alike[0]} to {alike[-1]}, at which everybody says the same", value=True)
        whole.mark("whole-stretch")

    def choose(choice: Choice) -> Callable[..., Any]:
        def act() -> None:
            for second in alike if whole is not None and whole.value else [row["second"]]:
                at = {
                    "clip_id": row["clip_id"],
                    "second": second,
                    "person_id": row["person_id"],
                    "actor": name,
                }
                if row["group"] == PRESENCE:
                    decisions.settle_presence(store, batch, present=choice.present, **at)
                else:
                    decisions.adjudicate(store, batch, group=row["group"], action_ids=choice.action_ids, **at)
            ui.navigate.to(following)

        return visit.action("reviewer", act)

    for number, choice in enumerate(choices, start=1):
        who = f" ({', '.join(choice.who)})" if choice.who else ""
        ui.button(f"{number} · {choice.words}{who}", on_click=choose(choice)).props("outline no-caps").mark(
            " ".join(f"choose-{one}" for one in choice.who) or f"choose-{number}"
        )

    async def by_key(event: GenericEventArguments) -> None:
        if 1 <= int(event.args) <= len(choices):
            await choose(choices[int(event.args) - 1])()

    player.on("choose", by_key)
    if row["group"] == PRESENCE:
        return
    group = ontology.group(row["group"])
    other = ui.select(
        {a.id: a.name for a in group.actions}, multiple=group.kind == "multi", label="other"
    ).classes("w-48")

    async def choose_other() -> None:
        value = other.value
        ids = value if isinstance(value, list) else [] if value is None else [value]
        await choose(Choice("other", (), tuple(ids)))()

    ui.button("Other", on_click=choose_other).props("outline no-caps").mark("choose-other")


def _settled(visit: Visit, batch: str) -> None:
    """Answers that were settled; each can be settled anew."""
    names = {action.id: action.name for action in visit.console.ontology(batch).actions}
    made = [d for d in decisions.decisions_of(visit.console.store, batch) if d.action == "adjudicate"]
    if not made:
        return
    rows = [
        {"when": d.decided_at, "who": d.actor, "clip_id": d.after["clip_id"], "second": d.after["second"],
         "person": d.after["person_id"], "group": d.after["group"], "answer": _answer(d.after, names)}
        for d in reversed(made)
    ]  # fmt: skip
    theme.heading(f"{len(made)} answer(s) settled")
    again = addresses.answer(batch, *map(cell, ("clip_id", "second", "person", "group")))
    DataTable(pl.DataFrame(rows), file=f"{batch}_settled", links={"clip_id": again, "answer": again})


def _answer(after: dict[str, Any], names: dict[int, str]) -> str:
    ids = after["action_ids"]
    if after["group"] == PRESENCE:
        return "somebody is there" if ids else "nobody is there"
    return ", ".join(names.get(i, str(i)) for i in ids) or "none"
