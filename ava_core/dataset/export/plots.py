"""Plots of the dataset card, as SVG that is the same whenever the numbers are."""

from __future__ import annotations

from typing import Any

import polars as pl

from ava_core.base.report.drawing import to_svg
from ava_core.dataset.formats.ava.names import SPLITS

COLOURS = {"train": "#2f6f9f", "val": "#e08e45", "test": "#6a994e"}


def plot_counts(counts: pl.DataFrame) -> str:
    """Bars of labels by class, on a logarithmic scale; `counts`: `name, train, val, test`."""
    figure, axes = _figure(counts.height)
    height = 0.8 / len(SPLITS)
    for number, split in enumerate(SPLITS):
        places = [row + (number - 1) * height for row in range(counts.height)]
        axes.barh(places, counts[split].to_list(), height=height, color=COLOURS[split], label=split)
    axes.set_xscale("symlog", linthresh=1)
    axes.set_xlabel("labels")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncol=len(SPLITS), frameon=False)
    return _named(figure, axes, counts["name"].to_list())


def plot_agreement(by_class: pl.DataFrame) -> str:
    """Alpha by class with its interval; `by_class`: `name, alpha, low, high`, undefined ones left out."""
    known = by_class.drop_nulls("alpha")
    figure, axes = _figure(known.height)
    for row, (low, high) in enumerate(known.select("low", "high").rows()):
        if low is not None and high is not None:
            axes.plot([low, high], [row, row], color="#9aa5b1", linewidth=2, solid_capstyle="round")
    axes.plot(known["alpha"].to_list(), range(known.height), "o", color=COLOURS["train"], markersize=4)
    axes.set_xlim(min(-0.1, float(known["low"].min() or 0.0)), 1.05)  # type: ignore[arg-type]
    axes.axvline(0, color="#5b6470", linewidth=0.8)
    axes.set_xlabel("Krippendorff's alpha")
    return _named(figure, axes, known["name"].to_list())


def plot_votes(shares: pl.DataFrame) -> str:
    """Bars of labels by share of votes; `shares`: `votes, voters, labels`."""
    summed = (
        shares.filter(pl.col("voters") > 0)
        .group_by(pl.format("{} of {}", "votes", "voters").alias("share"), pl.col("votes") / pl.col("voters"))
        .agg(pl.sum("labels"))
        .sort("votes", "share")
    )
    figure, axes = _figure(summed.height)
    axes.barh(range(summed.height), summed["labels"].to_list(), color=COLOURS["train"], height=0.6)
    axes.set_xlabel("labels")
    return _named(figure, axes, summed["share"].to_list())


def _figure(rows: int) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 1.0 + 0.22 * max(rows, 1)), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _named(figure: Any, axes: Any, names: list[str]) -> str:
    """Write the names of the rows, first on top, and turn the figure into SVG."""
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_ylim(len(names) - 0.4, -0.6)
    return to_svg(figure)
