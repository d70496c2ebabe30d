"""A blind audit: somebody answers a random sample of what was approved anew, and sees only pictures."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

import polars as pl
from nicegui import ui

from ava_core.base.errors import InputError
from ava_core.base.schemas import CLIP_FPS
from ava_core.quality.review import audits
from ava_core.quality.review.audit_bound import audit_bound, audit_size
from ava_core.store.tables import Audit
from ava_ui import addresses
from ava_ui.addresses import cell
from ava_ui.elements.data_table import DataTable
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit
from ava_ui.known.console import Console
from ava_ui.pages.quality.blind_answer import BlindAnswer, BlindAnswerPanel

USUAL_RATE: Final = 0.05
"""At most this share of all answers is wrong where a sample of the usual size has none."""

DRAWN_FROM: Final = ("consensus_boxes", "consensus_labels", "disputed")


async def content(visit: Visit) -> None:
    """The next item of the audit that is under way; else a new one. Below, what earlier audits found."""
    batch, store = visit.params["batch"], visit.console.store
    open_audit = await asyncio.to_thread(audits.open_audit, store, batch)
    item = audits.next_item(store, open_audit.audit_id) if open_audit else None
    if item is not None:
        answer = BlindAnswer.of(store, item, visit.console.ontology(batch), visit.user.username)
        BlindAnswerPanel(visit, batch, answer)
    else:
        _start(visit)
    done = [
        a for a in audits.audits_of(store, batch) if open_audit is None or a.audit_id != open_audit.audit_id
    ]
    if done:
        # The bound is counted by scipy, which takes seconds to load the first time.
        _results(visit, done, await asyncio.to_thread(_complete, visit, done))


@dataclass
class NewAudit:
    """A sample that is about to be drawn: how many answers, and the seed."""

    console: Console
    batch: str
    actor: str
    size: int = audit_size(USUAL_RATE) + 1
    seed: int = 0

    @property
    def meaning(self) -> str:
        """What a sample of this size can show."""
        bound = audit_bound(0, max(1, self.size)).bound
        return f"If you find no errors, at most {bound:.1%} of all answers are wrong, with 95 % confidence."

    def start(self) -> None:
        """Draw the sample. Raises `InputError` where there is no consensus to draw from."""
        tables = {
            name: table
            for name in DRAWN_FROM
            if (table := self.console.tables.table(self.batch, "consensus_labels", name)) is not None
        }
        if "consensus_boxes" not in tables:
            raise InputError(
                f"Batch {self.batch} has no consensus yet.",
                "Approve clips; the consensus then forms automatically.",
            )
        audits.start_audit(
            self.console.batch(self.batch), tables, size=self.size, seed=self.seed, actor=self.actor,
        )  # fmt: skip


def _start(visit: Visit) -> None:
    """What an audit is, and for reviewers the start of one."""
    ui.label(
        "An auditor answers a simple random sample of approved answers again without seeing the decisions. "
        "The result estimates the error rate of all approved answers in the batch."
    )
    if not visit.may("reviewer"):
        return
    new = NewAudit(visit.console, visit.params["batch"], visit.user.username)
    with ui.row().classes("items-center"):
        size = ui.number("answers to check", value=new.size, min=1, precision=0).mark("audit-size")
        seed = ui.number("seed", value=new.seed, min=0, precision=0).classes("w-24")
        meaning = ui.label(new.meaning).classes("soft")
    size.bind_value_to(new, "size", lambda value: int(value or 0))
    seed.bind_value_to(new, "seed", lambda value: int(value or 0))
    size.on_value_change(lambda: meaning.set_text(new.meaning))

    async def start() -> None:
        await asyncio.to_thread(new.start)
        ui.navigate.reload()

    ui.button("Start a blind audit", icon="casino", on_click=visit.action("reviewer", start)).mark(
        "start-audit"
    )


def _complete(visit: Visit, done: list[Audit]) -> pl.DataFrame:
    """A row per audit that is complete."""
    rows = []
    for one in done:
        bound, _ = audits.audit_result(visit.console.store, one.audit_id)
        rows.append((one.audit_id, one.started_at, one.started_by, bound.checked, bound.wrong, bound.bound))
    columns = ["audit", "started", "by", "checked", "wrong", "error rate, upper bound"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def _results(visit: Visit, done: list[Audit], complete: pl.DataFrame) -> None:
    batch, store = visit.params["batch"], visit.console.store
    chosen = visit.number("audit")
    shown = next((one.audit_id for one in done if one.audit_id == chosen), done[0].audit_id)
    bound, by_group = audits.audit_result(store, shown)
    theme.heading(f"Result of audit {shown}")
    ui.label(bound.sentence).mark("audit-sentence")
    here = addresses.blind_audit(batch, cell("audit"))
    with ui.element("div").classes("two"):
        with ui.card():
            theme.heading("By group")
            DataTable(by_group, file=f"{batch}_audit_{shown}_groups", sort_by="wrong", descending=True)
        with ui.card():
            theme.heading("All audits")
            DataTable(complete, file=f"{batch}_audits", links={"audit": here, "wrong": here})
    names = {action.id: action.name for action in visit.console.ontology(batch).actions}

    def words(ids: list[int] | None) -> str:
        return ", ".join(names.get(i, str(i)) for i in ids or []) or "none"

    rows = [
        (item.clip_id, item.second, item.person_id, item.group, words(item.expected),
         words(item.answer) if item.present else "no one is there", item.answered_by, item.second * CLIP_FPS)
        for item in audits.items_of(store, shown) if item.wrong
    ]  # fmt: skip
    theme.heading("Where the audit disagrees")
    if not rows:
        ui.label("No disagreements.").classes("good")
        return
    columns = ["clip_id", "second", "person", "group", "consensus", "audit", "answered by", "frame"]
    review = addresses.review(batch, cell("clip_id"), cell("frame"))
    DataTable(
        pl.DataFrame(rows, schema=columns, orient="row"), file=f"{batch}_audit_{shown}",
        labels={name: name.replace("_id", "") for name in columns[:-1]},
        links={"clip_id": review, "second": review},
    )  # fmt: skip
