"""How well the annotators of a batch agree: overall, by class, by clip, by pair; what they confuse."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import lru_cache
from html import escape
from itertools import pairwise, product
from typing import Final

import polars as pl
from nicegui import ui

from ava_core.base.errors import InputError
from ava_core.base.text import plural
from ava_core.quality.agreement.conflicts import between
from ava_core.quality.agreement.stretches import stretches
from ava_core.quality.review.plots import RELIABLE, TENTATIVE
from ava_ui import addresses
from ava_ui.addresses import Cell, cell
from ava_ui.elements import charts
from ava_ui.elements.data_table import DataTable, shown
from ava_ui.elements.figures import ALPHAS, MEANINGS, trust
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit
from ava_ui.known.player import named

BINS: Final = 10
STATISTICS: Final = ("pooled_alpha", "kappa", "mean_iou", "f1", "tube_iou", "shared_clips")
"""Figures of pairs that the matrix can show."""
OVERALL: Final = {
    "statistic": "figure", "value": "value", "low": "low", "high": "high", "n": "n", "detail": "text",
    "reason": "note",
}  # fmt: skip


async def content(visit: Visit) -> None:
    """All figures of one batch; a cell of the matrix opens what the two say differently."""
    batch = visit.params["batch"]
    overall = await asyncio.to_thread(_table, visit, "overall")
    with ui.row():
        ui.link("scorecards", addresses.annotators(batch))
        ui.link("clips to review", addresses.quality(batch))
        ui.link("adjudication", addresses.adjudication(batch))
    theme.heading("Overall")
    ui.label(
        "95 % intervals from resampling clips. A dash marks an undefined figure, with its reason."
    ).classes("soft")
    meaning = pl.col("statistic").replace_strict(MEANINGS, default="", return_dtype=pl.String)
    DataTable(overall.with_columns(detail=meaning), file=f"{batch}_overall", labels=OVERALL)
    with ui.element("div").classes("two"):
        with ui.card():
            theme.heading("Clips by alpha")
            _histogram(_table(visit, "clips"))
        with ui.card():
            theme.heading("Agreement between annotators")
            _matrix(visit, _table(visit, "pairs"))
    theme.later(visit, lambda: _details(visit, batch))


async def _details(visit: Visit, batch: str) -> None:
    """What stands below the overall figures: classes, what is confused, every difference."""
    differing = await asyncio.to_thread(_differing, visit, batch)
    _classes(visit, batch)
    _confusions(visit, batch)
    _diverging(visit, batch, differing)


def _table(visit: Visit, name: str) -> pl.DataFrame:
    found = visit.console.tables.table(visit.params["batch"], "agreement", name)
    if found is None:
        raise InputError(
            f"Agreement of {visit.params['batch']} has not been measured yet.",
            "It is measured automatically once completed jobs have been read.",
        )
    return found


def _classes(visit: Visit, batch: str) -> None:
    theme.heading("By class")
    classes = _table(visit, "per_class")
    defined = classes.filter(pl.col("alpha").is_not_null()).sort("alpha")
    if defined.height:
        with ui.card().classes("w-full"):
            charts.intervals(list(defined.select("name", "alpha", "low", "high").iter_rows()))
    DataTable(
        classes, file=f"{batch}_classes", sort_by="alpha",
        links={"name": _of_kind(batch, Cell(f"label:{cell('group')}")),
               "group": addresses.agreement(batch, {"group": cell("group")}, "confusion")},
    )  # fmt: skip


def _of_kind(batch: str, kind: addresses.Part) -> str:
    """Where annotators differ in one way."""
    return addresses.agreement(batch, {f"{batch}_conflicts.kind": kind}, "diverging")


def _histogram(clips: pl.DataFrame) -> None:
    values = clips["pooled_alpha"].drop_nulls()
    undefined = clips.height - len(values)
    edges = [round(-0.2 + 1.2 * n / BINS, 2) for n in range(BINS + 1)]
    clipped = values.clip(edges[0], 1 - 1e-9)
    bins = list(pairwise(edges))
    counts = [int(((clipped >= low) & (clipped < high)).sum()) for low, high in bins]
    charts.bars([f"{low:g} to {high:g}" for low, high in bins], {"clips": counts})
    if undefined:
        ui.label(
            f"No alpha for {plural(undefined, 'clip')}: fewer than two annotators labelled the same person."
        ).classes("soft")


def _matrix(visit: Visit, pairs: pl.DataFrame) -> None:
    known = [s for s in STATISTICS if s in pairs.columns]
    statistic = visit.query.get("statistic", known[0])
    statistic = statistic if statistic in known else known[0]
    batch = visit.params["batch"]
    with ui.row():
        for name in known:
            style = "text-weight-bold" if name == statistic else ""
            ui.link(name.replace("_", " "), addresses.agreement(batch, {"statistic": name})).classes(style)
    value = {(a, b): v for a, b, v in pairs.select("annotator", "annotator_b", statistic).iter_rows()}
    names = sorted({name for pair in value for name in pair})
    cells = {}
    for a, b in product(names, names):
        if a != b:
            found = value.get((a, b), value.get((b, a)))
            asked = {"statistic": statistic, "a": a, "b": b}
            target = addresses.agreement(batch, asked, "diverging")
            cells[a, b] = str(shown(found)), target, trust(statistic, found)
    _square(names, cells)
    ui.label(MEANINGS.get(statistic, "Clips that both annotators have completed.")).classes("soft")
    if statistic in ALPHAS:
        ui.label(
            f"Green from {RELIABLE:g}, yellow from {TENTATIVE:g} (Krippendorff's thresholds; they block "
            f"nothing). Select a cell to see where the two disagree."
        ).classes("soft")


def _square(names: list[str], cells: Mapping[tuple[str, str], tuple[str, str, str]]) -> None:
    """A matrix: text, address and style of each cell by row and column. One element, however many cells it has."""
    head = "".join(f'<th scope="col">{_plain(name)}</th>' for name in ["", *names])
    rows = []
    for a in names:
        row = [f'<th scope="row">{_plain(a)}</th>']
        for b in names:
            text, target, style = cells.get((a, b), ("", "", ""))
            inside = f'<a href="{escape(target)}">{escape(text)}</a>' if target else escape(text)
            row.append(f'<td class="{style}">{inside}</td>')
        rows.append(f"<tr>{''.join(row)}</tr>")
    # Every word is escaped above.
    ui.html(f'<table class="matrix"><tr>{head}</tr>{"".join(rows)}</table>', sanitize=False).classes("scroll")


def _plain(name: str) -> str:
    return escape(name.replace("_", " "))


def _confusions(visit: Visit, batch: str) -> None:
    """Of one exclusive group at a time, how often one annotator says the row and another one the column."""
    confusion = visit.console.tables.table(batch, "agreement", "confusion")
    if confusion is None or confusion.is_empty():
        return
    ui.element("a").props("id=confusion")
    theme.heading("Confused classes")
    ontology = visit.console.ontology(batch)
    groups = confusion["group"].unique(maintain_order=True).to_list()
    group = visit.query.get("group", "")
    group = group if group in groups else groups[0]
    with ui.row():
        for name in groups:
            style = "text-weight-bold" if name == group else ""
            target = addresses.agreement(batch, {"group": name}, "confusion")
            ui.link(name.replace("_", " "), target).classes(style)
    own = confusion.filter(pl.col("group") == group)
    names = {action.id: action.name for action in ontology.group(group).actions}
    most = max(own.filter(pl.col("action_id") != pl.col("action_id_b"))["count"].to_list(), default=1)
    target = _of_kind(batch, f"label:{group}")
    cells = {}
    for a, b, count in own.select("action_id", "action_id_b", "count").iter_rows():
        if a in names and b in names:
            style = "cell-same" if a == b else f"cell-heat-{min(4, 5 * count // (most + 1))}"
            cells[names[a], names[b]] = str(count), "" if a == b else target, style
    _square(list(names.values()), cells)


def _differing(visit: Visit, batch: str) -> pl.DataFrame:
    """Where annotators differ, all of them or the two that the address names; actions by name."""
    conflicts = _table(visit, "conflicts")
    a, b = visit.query.get("a", ""), visit.query.get("b", "")
    if a and b:
        conflicts = between(conflicts, a, b)
    names = tuple((action.id, action.name) for action in visit.console.ontology(batch).actions)
    named_details = {detail: _with_names(detail, names) for detail in conflicts["detail"].unique()}
    detail = pl.col("detail").replace_strict(named_details, default=pl.col("detail"), return_dtype=pl.String)
    return stretches(conflicts).with_columns(detail.alias("detail"))


@lru_cache(maxsize=50_000)
def _with_names(detail: str, names: tuple[tuple[int, str], ...]) -> str:
    return named(detail, dict(names))


def _diverging(visit: Visit, batch: str, differing: pl.DataFrame) -> None:
    ui.element("a").props("id=diverging")
    a, b = visit.query.get("a", ""), visit.query.get("b", "")
    theme.heading(f"Where {a} and {b} disagree" if a and b else "Where annotators disagree")
    if a and b:
        ui.link("everybody", addresses.agreement(batch, mark="diverging"))
    review = addresses.review(batch, cell("clip_id"), cell("frame"))
    DataTable(
        differing, file=f"{batch}_conflicts", facets=["kind"],
        labels={"clip_id": "clip", "second": "from second", "until": "to second", "person_id": "person",
                "kind": "kind", "detail": "detail"},
        links={"clip_id": review, "second": review},
    )  # fmt: skip
