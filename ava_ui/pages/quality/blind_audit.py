"""A blind audit: somebody answers a random sample of what was approved anew, and sees only pictures."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import quote

import polars as pl
from nicegui import ui
from nicegui.events import GenericEventArguments

from ava_core.base.errors import InputError
from ava_core.base.schemas import CLIP_FPS
from ava_core.quality.review import audits
from ava_core.quality.review.audit_bound import audit_bound, audit_size
from ava_core.store.tables import Audit
from ava_ui.elements.clip_player import ClipPlayer
from ava_ui.elements.data_table import DataTable
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit

USUAL_RATE = 0.05


async def content(visit: Visit) -> None:
    """The next item of the audit that is under way; else a new one. Below, what earlier audits found."""
    batch, store = visit.params["batch"], visit.console.store
    open_audit = await asyncio.to_thread(audits.open_audit, store, batch)
    item = audits.next_item(store, open_audit.audit_id) if open_audit else None
    if item is not None:
        _item(visit, item)
    else:
        _start(visit)
    done = [
        a for a in audits.audits_of(store, batch) if open_audit is None or a.audit_id != open_audit.audit_id
    ]
    if done:
        # The bound is counted by scipy, which takes seconds to load the first time.
        _results(visit, done, await asyncio.to_thread(_complete, visit, done))


def _start(visit: Visit) -> None:
    batch = visit.params["batch"]
    ui.label(
        "A simple random sample of approved answers is answered anew by somebody who does not see what was decided. "
        "What it finds holds for all approved answers of the batch."
    )
    if not visit.may("reviewer"):
        return
    with ui.row().classes("items-center"):
        size = ui.number("answers to check", value=audit_size(USUAL_RATE) + 1, min=1, precision=0).mark(
            "audit-size"
        )
        seed = ui.number("seed", value=0, min=0, precision=0).classes("w-24")
        meaning = ui.label().classes("soft")

    def explain() -> None:
        bound = audit_bound(0, max(1, int(size.value or 1))).bound
        meaning.set_text(f"If none is wrong, at most {bound:.1%} of all are, with 95 % confidence.")

    def start() -> None:
        tables = {
            name: table
            for name in ("consensus_boxes", "consensus_labels", "disputed")
            if (table := visit.console.reading.table(batch, "consensus_labels", name)) is not None
        }
        if "consensus_boxes" not in tables:
            raise InputError(f"Batch {batch} has no consensus yet.", "Approve clips; it follows by itself.")
        audits.start_audit(
            visit.console.batch(batch), tables, size=int(size.value or 0),
            seed=int(seed.value or 0), actor=visit.user.username,
        )  # fmt: skip
        ui.navigate.reload()

    size.on_value_change(explain)
    explain()
    ui.button("Start a blind audit", icon="casino", on_click=visit.action("reviewer", start)).mark(
        "start-audit"
    )


def _item(visit: Visit, item: audits.BlindItem) -> None:
    batch, store = visit.params["batch"], visit.console.store
    ontology, everything = visit.console.ontology(batch), audits.blind_items(store, item.audit_id)
    group = ontology.group(item.group)
    done = sum(one.answered for one in everything)
    ui.label(f"Item {item.position} of {len(everything)}, {done} answered").mark("audit-at")
    ui.linear_progress(done / len(everything), show_value=False).props('aria-label="answered"')
    theme.heading(f"{group.name.replace('_', ' ')} of the marked person at second {item.second}?")
    above = ui.row().classes("items-center")
    player = ClipPlayer(
        f"/media/audit/{quote(batch)}/{item.item_id}", frame=item.second * CLIP_FPS,
        choosing=visit.may("reviewer"),
    )  # fmt: skip
    if not visit.may("reviewer"):
        return

    def answer(*action_ids: int, present: bool = True) -> Callable[..., Awaitable[None]]:
        def act() -> None:
            audits.answer_item(
                store,
                item.item_id,
                group=group,
                action_ids=action_ids,
                present=present,
                actor=visit.user.username,
            )
            ui.navigate.reload()

        return visit.action("reviewer", act)

    with above:
        if group.kind == "multi":
            chosen = ui.select(
                {a.id: a.name for a in group.actions}, multiple=True, value=[], label="all that hold"
            ).classes("w-64").mark("audit-answers")  # fmt: skip

            async def save() -> None:
                await answer(*chosen.value)()

            ui.button("Save (none: none holds)", on_click=save).mark("audit-save")
            acts: list[Callable[..., Awaitable[None]]] = []
        else:
            acts = [answer(action.id) for action in group.actions]
            for number, (action, act) in enumerate(zip(group.actions, acts, strict=True), start=1):
                key = f"{number} · " if number < 10 else ""
                ui.button(f"{key}{action.name}", on_click=act).props("outline no-caps").mark(
                    f"audit-{action.name}"
                )
        ui.button("Nobody is there, or the box shows somebody else", on_click=answer(present=False)).props(
            "flat no-caps"
        ).mark("audit-nobody")

    async def by_key(event: GenericEventArguments) -> None:
        if 1 <= int(event.args) <= len(acts):
            await acts[int(event.args) - 1]()

    player.on("choose", by_key)


def _complete(visit: Visit, done: list[Audit]) -> pl.DataFrame:
    """A row per audit that is complete."""
    rows = []
    for one in done:
        bound, _ = audits.audit_result(visit.console.store, one.audit_id)
        rows.append((one.audit_id, one.started_at, one.started_by, bound.checked, bound.wrong, bound.bound))
    columns = ["audit", "started", "by", "checked", "wrong", "at most wrong of all"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def _results(visit: Visit, done: list[Audit], complete: pl.DataFrame) -> None:
    batch, store = visit.params["batch"], visit.console.store
    chosen = visit.number("audit")
    shown = next((one.audit_id for one in done if one.audit_id == chosen), done[0].audit_id)
    bound, by_group = audits.audit_result(store, shown)
    theme.heading(f"What audit {shown} found")
    ui.label(bound.sentence).mark("audit-sentence")
    here = f"/quality/{quote(batch)}/audit?audit={{audit}}"
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
         words(item.answer) if item.present else "nobody is there", item.answered_by, item.second * CLIP_FPS)
        for item in audits.items_of(store, shown) if item.wrong
    ]  # fmt: skip
    theme.heading("Where the audit says otherwise")
    if not rows:
        ui.label("Nowhere.").classes("good")
        return
    columns = ["clip_id", "second", "person", "group", "consensus", "audit", "answered by", "frame"]
    review = f"/quality/{quote(batch)}/clips/{{clip_id}}?frame={{frame}}"
    DataTable(
        pl.DataFrame(rows, schema=columns, orient="row"), file=f"{batch}_audit_{shown}",
        labels={name: name.replace("_id", "") for name in columns[:-1]},
        links={"clip_id": review, "second": review},
    )  # fmt: skip
