"""Charts, drawn by the ECharts that NiceGUI brings along; colours come from the page's theme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nicegui import ui

COLOURS = ["#3d7dd8", "#2f9e6b", "#c7812b", "#9a5fc4", "#c0504d", "#3aa6b9", "#7f8c3f", "#8c6d5a"]
"""Told apart by people with colour-blindness as well; lightness differs too."""


def bars(
    names: Sequence[str],
    values: Mapping[str, Sequence[float | None]],
    *,
    stacked: bool = False,
    unit: str = "",
) -> None:
    """Bars over `names`, a series per key of `values`."""
    series = [
        {"type": "bar", "name": name, "data": list(v), **({"stack": "all"} if stacked else {})}
        for name, v in values.items()
    ]
    _draw({
        "xAxis": {"type": "category", "data": list(names), "axisLabel": {"rotate": 30 if len(names) > 6 else 0}},
        "yAxis": {"type": "value", "name": unit}, "series": series,
        "legend": {"show": len(series) > 1},
    })  # fmt: skip


def intervals(
    rows: Sequence[tuple[str, float, float | None, float | None]], *, floor: float | None = None
) -> None:
    """Values with their intervals, one below the other; `floor` draws a line."""
    points = [[value, name] for name, value, _, _ in rows]
    ranges = [
        {"type": "line", "data": [[low, name], [high, name]], "symbol": "none", "silent": True,
         "lineStyle": {"width": 3, "opacity": 0.5, "color": COLOURS[0]}}
        for name, _, low, high in rows if low is not None and high is not None
    ]  # fmt: skip
    mark = {"markLine": {"symbol": "none", "data": [{"xAxis": floor}]}} if floor is not None else {}
    _draw(
        {
            "grid": {"left": 150, "right": 20, "top": 10, "bottom": 30},
            "xAxis": {"type": "value", "max": 1},
            "yAxis": {"type": "category", "data": [name for name, *_ in rows], "inverse": True},
            "series": [{"type": "scatter", "data": points, "symbolSize": 9, **mark}, *ranges],
        },
        height=f"{max(8, 1.4 * len(rows) + 4):.0f}rem",
    )


def _draw(options: dict[str, Any], *, height: str = "") -> None:
    ink, line = "#7d8b9c", {"lineStyle": {"color": "rgba(125, 139, 156, 0.3)"}}
    for axis in ("xAxis", "yAxis"):
        options[axis] = {"splitLine": line, "axisLabel": {}} | options[axis]
        options[axis]["axisLabel"] = {"color": ink} | options[axis]["axisLabel"]
    common: dict[str, Any] = {
        "color": COLOURS, "textStyle": {"color": ink}, "tooltip": {}, "animation": False,
        "grid": {"left": 55, "right": 20, "top": 30, "bottom": 60},
    }  # fmt: skip
    chart = ui.echart(common | options).classes("chart")
    if height:
        chart.style(f"height: {height}")
