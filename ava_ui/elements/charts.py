"""Charts, drawn by the ECharts that NiceGUI brings along; colours come from the page's theme.

A chart says in words what it shows, for those who do not see it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from nicegui import ui

COLOURS = ["#3d7dd8", "#2f9e6b", "#c7812b", "#9a5fc4", "#c0504d", "#3aa6b9", "#7f8c3f", "#8c6d5a"]
"""Told apart by people with colour-blindness as well; lightness differs too."""

INK: Final = "#7d8b9c"
"""Of words in charts: read on white and on black."""

SAID: Final = 24
"""Values that the words about a chart name; how many more there are is said."""


def bars(
    names: Sequence[str],
    values: Mapping[str, Sequence[float | None]],
    *,
    stacked: bool = False,
    unit: str = "",
) -> None:
    """Bars over `names`, a series per key of `values`; `None` leaves a bar out."""
    series = [
        {"type": "bar", "name": name, "data": list(v), **({"stack": "all"} if stacked else {})}
        for name, v in values.items()
    ]
    words = "; ".join(f"{name}: {_listed(zip(names, v, strict=False))}" for name, v in values.items())
    _draw({
        "xAxis": {
            "type": "category", "data": list(names),
            "axisLabel": {"rotate": 30 if len(names) > 5 else 0, "interval": 0 if len(names) < 10 else "auto"},
        },
        "yAxis": {"type": "value", "name": unit}, "series": series,
        "legend": {
            "show": len(series) > 1, "type": "scroll", "top": 0, "left": 80, "textStyle": {"color": INK},
            "pageTextStyle": {"color": INK},
        },
    }, words, unit)  # fmt: skip


def funnel(names: Sequence[str], values: Sequence[int]) -> None:
    """Stages one below the other, each with its count and its share of the first."""
    first = max(values[0] if values else 0, 1)
    data = [{"value": value, "label": {"formatter": f"{value} ({value / first:.0%})"}} for value in values]
    _draw(
        {
            "grid": {"left": 90, "right": 90, "top": 5, "bottom": 25},
            "xAxis": {"type": "value", "minInterval": 1},
            "yAxis": {"type": "category", "data": list(names), "inverse": True},
            "series": [
                {"type": "bar", "data": data, "label": {"show": True, "position": "right", "color": INK}}
            ],
        },
        _listed(zip(names, values, strict=True)),
        height="14rem",
    )


def boxes(rows: Sequence[tuple[str, Sequence[float]]], *, unit: str = "") -> None:
    """Box plots, one below the other: a name and five values each, from the lower whisker to the upper one."""
    _draw(
        {
            "grid": {"left": 150, "right": 30, "top": 10, "bottom": 40},
            "xAxis": {"type": "value", "name": unit, "nameLocation": "middle", "nameGap": 26, "min": 0},
            "yAxis": {"type": "category", "data": [name for name, _ in rows], "inverse": True},
            "series": [
                {
                    "type": "boxplot",
                    "data": [[round(v, 2) for v in values] for _, values in rows],
                    "itemStyle": {"color": "rgba(61, 125, 216, 0.3)", "borderColor": COLOURS[0]},
                }
            ],
        },
        "medians: " + _listed((name, values[2]) for name, values in rows),
        unit,
        height=_height(len(rows)),
    )


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
        _listed((name, value) for name, value, _, _ in rows),
        height=_height(len(rows)),
    )


def _height(rows: int) -> str:
    return f"{max(8, 1.4 * rows + 4):.0f}rem"


def _listed(values: Iterable[tuple[str, float | None]]) -> str:
    """`mia 3, tom 4 and 2 more`; what has no value is left out."""
    known = [f"{name} {value:.4g}" for name, value in values if value is not None]
    rest = f" and {len(known) - SAID} more" if len(known) > SAID else ""
    return (", ".join(known[:SAID]) or "nothing") + rest


def _draw(options: dict[str, Any], words: str, unit: str = "", *, height: str = "") -> None:
    line = {"lineStyle": {"color": "rgba(125, 139, 156, 0.3)"}}
    for axis in ("xAxis", "yAxis"):
        options[axis] = {"splitLine": line, "axisLabel": {}} | options[axis]
        options[axis]["axisLabel"] = {"color": INK} | options[axis]["axisLabel"]
    common: dict[str, Any] = {
        "color": COLOURS, "textStyle": {"color": INK}, "tooltip": {}, "animation": False,
        "grid": {"left": 55, "right": 20, "top": 30, "bottom": 60},
    }  # fmt: skip
    chart = ui.echart(common | options).classes("chart")
    chart.props["role"], chart.props["aria-label"] = "img", f"Chart{f' in {unit}' if unit else ''}: {words}"
    if height:
        chart.style(f"height: {height}")
