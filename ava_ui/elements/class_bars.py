"""Labels by class as bars below each other, so that long names have room; a colour per split."""

from __future__ import annotations

from typing import Final

import polars as pl
from nicegui import ui

from ava_core.dataset.formats.ava.names import SPLITS
from ava_ui.elements.charts import COLOURS

INK: Final = "#7d8b9c"
"""Of words on light and dark ground."""


def class_bars(classes: pl.DataFrame) -> None:
    """`classes`: `name`, labels by split, `labels`; the first is drawn on top."""
    names = classes["name"].to_list()
    said = ", ".join(f"{name} {number}" for name, number in classes.select("name", "labels").iter_rows())
    series = [
        {"type": "bar", "stack": "all", "name": split, "data": classes[split].to_list(), "barMaxWidth": 16}
        for split in SPLITS
    ]
    chart = ui.echart({
        "color": COLOURS, "textStyle": {"color": INK}, "tooltip": {"trigger": "axis"}, "animation": False,
        "legend": {"top": 0, "left": 0, "textStyle": {"color": INK}},
        "grid": {"left": 10, "right": 30, "top": 36, "bottom": 10, "containLabel": True},
        "xAxis": {"type": "value", "minInterval": 1, "axisLabel": {"color": INK},
                  "splitLine": {"lineStyle": {"color": "rgba(125, 139, 156, 0.3)"}}},
        "yAxis": {"type": "category", "data": names, "inverse": True,
                  "axisLabel": {"color": INK, "interval": 0, "width": 220, "overflow": "truncate"}},
        "series": series,
    }).classes("w-full").style(f"height: {5 + 1.4 * len(names):.0f}rem")  # fmt: skip
    chart.props["role"], chart.props["aria-label"] = "img", f"Chart of labels by class: {said}"
