"""Figures that are drawn without a screen, as SVG that is the same whenever the numbers are."""

from __future__ import annotations

import io
from typing import Any


def new_figure(width: float, height: float) -> tuple[Any, Any]:
    """A matplotlib figure of that size in inches, and its axes without the upper and right lines."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def to_svg(figure: Any) -> str:
    """The figure as SVG, without its date."""
    import matplotlib as mpl

    out = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "ava", "svg.fonttype": "none"}):
        figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()
