"""Plots of a quality report, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from ava_core.base.report.drawing import new_figure, to_svg

COLOUR: Final = "#2f6f9f"
BINS: Final = 20
TENTATIVE, RELIABLE = 0.667, 0.800
"""Krippendorff's customary limits (Content Analysis, 2004): they colour the picture, and decide nothing."""


def plot_matrix(pairs: pl.DataFrame, annotators: Sequence[str], figure_name: str) -> str:
    """Annotators by annotators, coloured by a column of `schemas.AGREEMENT_BY_PAIR`; undefined cells stay grey."""
    place = {name: number for number, name in enumerate(annotators)}
    cells = np.full((len(place), len(place)), np.nan)
    for a, b, value in pairs.select("annotator", "annotator_b", figure_name).rows():
        if a in place and b in place and value is not None:
            cells[place[a], place[b]] = cells[place[b], place[a]] = value
    figure, axes = new_figure(3.0 + 0.5 * len(place), 1.5 + 0.4 * len(place))
    axes.set_facecolor("#e6e8eb")
    image = axes.imshow(cells, vmin=0, vmax=1, cmap="viridis")
    for (row, column), value in np.ndenumerate(cells):
        if not np.isnan(value):
            shade = "white" if value < 0.6 else "black"
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", color=shade, fontsize=8)
    axes.set_xticks(range(len(place)), annotators, rotation=35, ha="right", fontsize=8)
    axes.set_yticks(range(len(place)), annotators, fontsize=8)
    figure.colorbar(image, shrink=0.8)
    return to_svg(figure)


def plot_intervals(table: pl.DataFrame, name: str, value: str, low: str, high: str) -> str:
    """Values with their 95 % intervals by name, undefined ones left out, over Krippendorff's limits."""
    known = table.drop_nulls(value)
    figure, axes = new_figure(8.0, 1.0 + 0.22 * max(known.height, 1))
    axes.axvspan(RELIABLE, 1.05, color="#d8ead3", zorder=0)
    axes.axvspan(TENTATIVE, RELIABLE, color="#fdf0d5", zorder=0)
    for row, (middle, least, most) in enumerate(known.select(value, low, high).rows()):
        if least is not None and most is not None:
            axes.plot([least, most], [row, row], color="#9aa5b1", linewidth=2)
        axes.plot([middle], [row], "o", color=COLOUR, markersize=4)
    axes.set_yticks(range(known.height), known[name].to_list(), fontsize=8)
    axes.set_ylim(known.height - 0.4, -0.6)
    axes.set_xlim(-0.25, 1.05)
    axes.set_xlabel(value.replace("_", " "))
    return to_svg(figure)


def plot_histogram(values: pl.Series, name: str) -> str:
    """How often which value occurs, from 0 to 1."""
    figure, axes = new_figure(6.0, 2.4)
    axes.hist(values.drop_nulls().to_numpy(), bins=BINS, range=(0, 1), color=COLOUR)
    axes.set_xlabel(name)
    axes.set_ylabel("clips")
    return to_svg(figure)


def plot_confusion(confusion: pl.DataFrame, names: dict[int, str]) -> str:
    """What one annotator said by what another said of the same person and second; shares of each row."""
    ids = sorted(set(confusion["action_id"]) | set(confusion["action_id_b"]))
    place = {action: number for number, action in enumerate(ids)}
    counts = np.zeros((len(ids), len(ids)))
    for a, b, count in confusion.select("action_id", "action_id_b", "count").rows():
        counts[place[a], place[b]] = count
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, axes = new_figure(3.2 + 0.35 * len(ids), 1.8 + 0.3 * len(ids))
    axes.imshow(shares, vmin=0, vmax=1, cmap="Blues")
    for (row, column), count in np.ndenumerate(counts):
        if count:
            shade = "white" if shares[row, column] > 0.6 else "black"
            axes.text(column, row, f"{count:.0f}", ha="center", va="center", color=shade, fontsize=7)
    labels = [names.get(action, str(action)) for action in ids]
    axes.set_xticks(range(len(ids)), labels, rotation=35, ha="right", fontsize=8)
    axes.set_yticks(range(len(ids)), labels, fontsize=8)
    return to_svg(figure)
