"""How well the annotators of a batch agree: overall, by class, by clip, by pair; what they confuse."""

from __future__ import annotations

from itertools import pairwise
from typing import Final
from urllib.parse import quote

import polars as pl
from nicegui import ui

from ava_core.errors import InputError
from ava_ui import theme
from ava_ui.elements import charts
from ava_ui.elements.data_table import DataTable, shown
from ava_ui.visit import Visit

BINS: Final = 10
STATISTICS: Final = ("pooled_alpha", "kappa", "mean_iou", "f1", "tube_iou", "shared_clips")
"""Figures of pairs that the matrix can show."""


async def content(visit: Visit) -> None:
    """All figures of one batch; a cell of the matrix opens what the two say differently."""
    batch = visit.params["batch"]
    overall = _table(visit, "overall")
    ui.link("scorecards", f"/quality/{quote(batch)}/annotators")
    theme.heading("Overall")
    ui.label(
        "Intervals are of 95 %, from resampling clips. An undefined figure is a dash, with its reason."
    ).classes("soft")
    DataTable(overall, file=f"{batch}_overall")
    _classes(visit, batch)
    with ui.element("div").classes("two"):
        with ui.card():
            theme.heading("Clips by alpha")
            _histogram(_table(visit, "clips"))
        with ui.card():
            theme.heading("Annotator by annotator")
            _matrix(visit, _table(visit, "pairs"))
    _confusions(visit, batch)
    _diverging(visit, batch)


def _table(visit: Visit, name: str) -> pl.DataFrame:
    found = visit.console.reading.table(visit.params["batch"], "agreement", name)
    if found is None:
        raise InputError(
            f"Agreement of {visit.params['batch']} was not measured yet.",
            "It follows by itself once completed jobs were read.",
        )
    return found


def _classes(visit: Visit, batch: str) -> None:
    theme.heading("By class")
    classes = _table(visit, "per_class")
    defined = classes.filter(pl.col("alpha").is_not_null()).sort("alpha")
    if defined.height:
        with ui.card().classes("w-full"):
            charts.intervals(list(defined.select("name", "alpha", "low", "high").iter_rows()))
    DataTable(classes, file=f"{batch}_classes", sort_by="alpha")


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
            f"{undefined} clip(s) have no alpha: fewer than two people labelled the same person."
        ).classes("soft")


def _matrix(visit: Visit, pairs: pl.DataFrame) -> None:
    known = [s for s in STATISTICS if s in pairs.columns]
    statistic = visit.query.get("statistic", known[0])
    statistic = statistic if statistic in known else known[0]
    batch = quote(visit.params["batch"])
    with ui.row():
        for name in known:
            style = "text-weight-bold" if name == statistic else ""
            ui.link(name.replace("_", " "), f"/quality/{batch}/agreement?statistic={name}").classes(style)
    value = {(a, b): v for a, b, v in pairs.select("annotator", "annotator_b", statistic).iter_rows()}
    names = sorted({name for pair in value for name in pair})
    with ui.element("table").classes("matrix"):
        with ui.element("tr"):
            for name in ["", *names]:
                with ui.element("th"):
                    ui.label(name)
        for a in names:
            with ui.element("tr"):
                with ui.element("th"):
                    ui.label(a)
                for b in names:
                    with ui.element("td"):
                        if a != b:
                            found = value.get((a, b), value.get((b, a)))
                            ui.link(
                                str(shown(found)),
                                f"/quality/{batch}/agreement?a={quote(a)}&b={quote(b)}#diverging",
                            )


def _confusions(visit: Visit, batch: str) -> None:
    confusion = visit.console.reading.table(batch, "agreement", "confusion")
    if confusion is None or confusion.is_empty():
        return
    names = {action.id: action.name for action in visit.console.ontology(batch).actions}
    theme.heading("What is confused with what")
    differing = confusion.filter(pl.col("action_id") < pl.col("action_id_b")).with_columns(
        pl.col("action_id", "action_id_b").replace_strict(names, default="?", return_dtype=pl.String)
    )
    DataTable(
        differing,
        labels={"group": "group", "action_id": "one says", "action_id_b": "other says", "count": "times"},
        sort_by="count", descending=True, file=f"{batch}_confusion",
    )  # fmt: skip


def _diverging(visit: Visit, batch: str) -> None:
    ui.element("a").props("id=diverging")
    conflicts = _table(visit, "conflicts")
    a, b = visit.query.get("a", ""), visit.query.get("b", "")
    if a and b:
        theme.heading(f"Where {a} and {b} differ")
        said = pl.col("detail")
        both = said.str.contains(a, literal=True) & said.str.contains(b, literal=True)
        conflicts = conflicts.filter(
            both
            | (
                (pl.col("kind") == "missed")
                & (said.str.contains(a, literal=True) | said.str.contains(b, literal=True))
            )
        )
    else:
        theme.heading("Where annotators differ")
    frame = pl.col("frame") if "frame" in conflicts.columns else pl.col("second") * 30
    DataTable(
        conflicts.with_columns(frame=frame, batch=pl.lit(batch)), file=f"{batch}_conflicts",
        labels={"clip_id": "clip", "second": "second", "person_id": "person", "kind": "kind", "detail": "detail"},
        links={"clip_id": "/quality/{batch}/clips/{clip_id}?frame={frame}",
               "second": "/quality/{batch}/clips/{clip_id}?frame={frame}"},
    )  # fmt: skip
