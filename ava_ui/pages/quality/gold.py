"""Gold: clips whose expert answers measure everybody else, dealt out hidden among the other work."""

from __future__ import annotations

import asyncio

import polars as pl
from nicegui import ui

from ava_core import decisions
from ava_core.annotation.gold import deal_gold, plan_gold
from ava_core.base.errors import DecisionError, InputError
from ava_core.base.text import plural
from ava_ui import addresses
from ava_ui.addresses import cell
from ava_ui.elements.ask_button import AskButton
from ava_ui.elements.data_table import DataTable
from ava_ui.elements.decided import Decided, Seen
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit

MEASURED = (
    "annotator",
    "gold_accuracy",
    "gold_accuracy_low",
    "gold_accuracy_high",
    "gold_answers",
    "gold_iou",
)


async def content(visit: Visit) -> None:
    """The gold clips, who is measured by them, dealing them out."""
    batch, store = visit.params["batch"], visit.console.store
    seen = Seen(store, batch)
    gold = decisions.decision_state(store, batch).gold
    jobs = (await asyncio.to_thread(visit.console.jobs.table)).filter(pl.col("batch") == batch)
    Decided(seen, lambda decision: decision.action == "gold")
    theme.heading("Gold clips")
    if gold:
        _gold_clips(batch, gold, jobs)
    else:
        ui.label("No gold clips yet. Choose a clip that an expert has completed.").classes("soft")
    if visit.may("reviewer"):
        done = jobs.filter(pl.col("status") == "completed").select("clip_id", "annotator").sort(pl.all())
        _choose(visit, seen, gold, done.rows())
    if visit.may("admin") and gold:
        _deal(visit)
    _measured(visit, batch)


def _gold_clips(batch: str, gold: dict[str, str], jobs: pl.DataFrame) -> None:
    """Each gold clip, its expert, and how many others have it."""
    others = {
        clip: jobs.filter(pl.col("clip_id") == clip, pl.col("annotator") != who).height
        for clip, who in gold.items()
    }
    rows = [(clip, who, others[clip]) for clip, who in sorted(gold.items())]
    columns = {"clip_id": pl.String, "expert": pl.String, "others": pl.Int64}
    DataTable(
        pl.DataFrame(rows, schema=columns, orient="row"), file=f"{batch}_gold",
        labels={"clip_id": "clip", "expert": "reference: work of", "others": "others who have the clip"},
        links={"clip_id": addresses.review(batch, cell("clip_id")),
               "others": addresses.progress(batch, clip=cell("clip_id"))},
    )  # fmt: skip


def _measured(visit: Visit, batch: str) -> None:
    """What gold says of the annotators, as it was measured last."""
    cards = visit.console.tables.table(batch, "agreement", "annotators")
    if cards is not None:
        theme.heading("Accuracy on gold clips")
        known = [name for name in MEASURED if name in cards.columns]
        DataTable(
            cards.select(known), file=f"{batch}_gold_accuracy", sort_by="gold_accuracy",
            links={"annotator": addresses.annotators(batch)},
        )  # fmt: skip
        ui.label("Figures appear after the next agreement run.").classes("soft")
    if not visit.may("admin"):
        return

    button = AskButton(visit, "Measure agreement again", icon="refresh").props("flat")

    async def again() -> None:
        await button.process([batch], ("agreement",))
        ui.notify("Started; the overview shows its progress.")

    button.wire(again)


def _choose(visit: Visit, seen: Seen, gold: dict[str, str], done: list[tuple[str, str]]) -> None:
    """Make clips gold, or ordinary ones again."""
    batch, store, name = visit.params["batch"], visit.console.store, visit.user.username
    rows = [(clip, who) for clip, who in done if clip not in gold]
    with ui.expansion("Make a clip gold", icon="star").classes("w-full").mark("gold-choice"):
        table = DataTable(
            pl.DataFrame(rows, schema={"clip_id": pl.String, "annotator": pl.String}, orient="row"),
            file=f"{batch}_completed", facets=["annotator"], selectable=True,
            labels={"clip_id": "clip", "annotator": "completed by"},
            links={"clip_id": addresses.review(batch, cell("clip_id"))},
        )  # fmt: skip

        async def make() -> None:
            chosen = table.selected.select("clip_id", "annotator").rows()
            if not chosen:
                raise InputError("No clip is selected.", "Select a clip whose answers you trust.")

            def mark() -> list[str]:
                problems = []
                for clip, who in chosen:
                    try:
                        decisions.mark_gold(store, batch, clip, who, name, seen=seen.of(batch))
                    except DecisionError as error:
                        problems.append(str(error))
                return problems

            problems = await asyncio.to_thread(mark)
            if problems:
                raise DecisionError(problems[0], f"Not made gold: {len(problems)} of {len(chosen)}.")
            ui.navigate.reload()

        ui.button("Make selected clips gold", icon="star", on_click=visit.action("reviewer", make)).mark(
            "make-gold"
        )
    with ui.row().classes("items-center"):
        taken = ui.select(sorted(gold), label="gold clip").classes("w-64").mark("gold-taken")

        async def unmake() -> None:
            if not taken.value:
                raise InputError("No gold clip is chosen.", "Choose one next to the button.")
            await asyncio.to_thread(
                decisions.unmark_gold, store, batch, taken.value, name, seen=seen.of(batch)
            )
            ui.navigate.reload()

        ui.button("Remove from gold", on_click=visit.action("reviewer", unmake)).props("flat").mark(
            "unmake-gold"
        )


def _deal(visit: Visit) -> None:
    """Deal gold clips out; who would get which is shown before."""
    batch = visit.params["batch"]
    theme.heading("Deal out")
    ui.label(
        "Annotators get them among their other jobs; nothing shows that an expert has done them."
    ).classes("soft")
    with ui.row().classes("items-center"):
        each = ui.number("gold clips per annotator", value=1, min=1, precision=0).mark("gold-each")

        async def deal() -> None:
            at, count = visit.console.batch(batch), int(each.value or 1)
            plan = plan_gold(at, each=count)
            if not plan:
                ui.notify("Everyone already has that many.")
                return
            with theme.asking(f"Create {plural(len(plan), 'job')}?", "Deal out") as dialog:
                for clip, person in plan:
                    ui.label(f"{person} gets {clip}")
            if not await dialog:
                return
            button.props(add="loading")
            try:
                dealt = await asyncio.to_thread(deal_gold, at, visit.user.username, each=count)
                ui.notify(f"{plural(len(dealt), 'gold clip')} dealt out.")
            finally:
                button.props(remove="loading")

        button = ui.button("Deal out …", icon="forward_to_inbox", on_click=visit.action("admin", deal)).mark(
            "deal-gold"
        )
