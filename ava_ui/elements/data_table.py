"""A table that sorts, filters and pages on the server, links its cells, and gives itself out as csv."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import polars as pl
from nicegui import ui
from nicegui.events import GenericEventArguments, ValueChangeEventArguments

PAGE_ROWS: Final = 25
KEY: Final = "row number"
PROSE: Final = frozenset({"reason", "reasons", "detail", "missing"})
"""Columns of sentences; they get room."""

CELL: Final = """
<q-td :props="props">
  <a v-if="props.row['href ' + props.col.name]" :href="props.row['href ' + props.col.name]">{{ props.value }}</a>
  <span v-else>{{ props.value }}</span>
</q-td>
"""

TICK: Final = '<q-checkbox dense v-model="props.selected" aria-label="Select {}"></q-checkbox>'


class DataTable:
    """Shows a polars frame; only the rows of the present page travel to the browser.

    `labels` renames columns for people and gives their order (default: all, as they are). `links`: addresses by
    column, in which `{column}` stands for a value of the row (`/batches/{batch}`). `file` names the csv.
    """

    def __init__(
        self,
        frame: pl.DataFrame,
        *,
        labels: Mapping[str, str] | None = None,
        links: Mapping[str, str] | None = None,
        file: str = "table",
        selectable: bool = False,
        sort_by: str = "",
        descending: bool = False,
    ) -> None:
        self.frame, self.links = frame.with_row_index(KEY), dict(links or {})
        self.labels = dict(labels or {name: name.replace("_", " ") for name in frame.columns})
        self.file, self.filter = file, ""
        with ui.row().classes("items-center w-full"):
            ui.input("Filter", on_change=self._filtered).props("dense clearable debounce=200").mark("filter")
            ui.button("csv", icon="download", on_click=self.download).props("flat dense").mark("csv")
        self.table = ui.table(
            rows=[],
            columns=[self._column(name) for name in self.labels],
            row_key=KEY,
            selection="multiple" if selectable else None,
            pagination={
                "rowsPerPage": PAGE_ROWS, "page": 1, "rowsNumber": 0, "sortBy": sort_by, "descending": descending,
            },
        ).classes("data-table").props("flat dense wrap-cells")  # fmt: skip
        self.table.add_slot("body-cell", CELL)
        self.table.add_slot("header-selection", TICK.format("all rows of this page"))
        self.table.add_slot("body-selection", TICK.format("row"))
        self.table.on("request", self._requested)
        self._show()

    def set_frame(self, frame: pl.DataFrame) -> None:
        """Show another frame of the same columns; order, filter and page stay. Nothing is sent where it is equal."""
        numbered = frame.with_row_index(KEY)
        if not numbered.equals(self.frame):
            self.frame = numbered
            self._show()

    @property
    def filtered(self) -> pl.DataFrame:
        """The rows that pass the filter, in the chosen order."""
        pages = self.table.pagination
        return arranged(
            self.frame, list(self.labels), self.filter, pages["sortBy"], bool(pages["descending"])
        )

    @property
    def selected(self) -> pl.DataFrame:
        """The rows that are ticked."""
        return self.frame.filter(pl.col(KEY).is_in([row[KEY] for row in self.table.selected]))

    def download(self) -> None:
        """Give out what the filter lets through as csv."""
        plain = [_text(self.filtered, name).alias(name) for name in self.labels]
        ui.download.content(pl.select(plain).write_csv().encode(), f"{self.file}.csv")

    def _column(self, name: str) -> dict[str, Any]:
        numeric = self.frame.schema[name].is_numeric()
        return {
            "name": name, "label": self.labels[name], "field": name, "sortable": True,
            "align": "right" if numeric else "left", "style": "min-width: 16rem" if name in PROSE else "",
        }  # fmt: skip

    def _filtered(self, event: ValueChangeEventArguments[str | None]) -> None:
        self.filter = (event.value or "").strip()
        self.table.pagination["page"] = 1
        self._show()

    def _requested(self, event: GenericEventArguments) -> None:
        wanted = event.args["pagination"]
        for name in ("page", "rowsPerPage", "sortBy", "descending"):
            self.table.pagination[name] = wanted.get(name)
        self._show()

    def _show(self) -> None:
        found, pages = self.filtered, self.table.pagination
        size = pages["rowsPerPage"] or found.height
        page = found.slice((pages["page"] - 1) * size, size)
        self.table.pagination["rowsNumber"] = found.height
        self.table.rows = [self._row(row) for row in page.iter_rows(named=True)]
        self.table.update()

    def _row(self, row: dict[str, Any]) -> dict[str, Any]:
        cells = {name: shown(row[name]) for name in self.labels}
        quoted = {name: quote(str(value), safe="") for name, value in row.items()}
        links = {f"href {name}": link.format(**quoted) for name, link in self.links.items()}
        return {KEY: row[KEY], **cells, **links}


def arranged(
    frame: pl.DataFrame, columns: list[str], needle: str, by: str | None, descending: bool
) -> pl.DataFrame:
    """The rows of which any of `columns` holds `needle` in any case, ordered by one of them; undefined last."""
    found = frame
    if needle:
        texts = [_text(found, name).str.to_lowercase() for name in columns]
        found = found.filter(
            pl.any_horizontal(text.str.contains(needle.lower(), literal=True) for text in texts)
        )
    if by in columns and not isinstance(found.schema[by], pl.List):
        found = found.sort(by, descending=descending, nulls_last=True, maintain_order=True)
    return found


def shown(value: Any) -> str | int:
    """A value as a person reads it: undefined is a dash, never 0."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{round(value, 3) + 0.0:.3f}".rstrip("0").rstrip(".")
    if isinstance(value, list):
        return "; ".join(map(str, value))
    if hasattr(value, "strftime"):
        return str(value.strftime("%Y-%m-%d %H:%M:%S"))
    return value if isinstance(value, int) else str(value)


def _text(frame: pl.DataFrame, name: str) -> pl.Series:
    column = frame[name]
    if isinstance(column.dtype, pl.List):
        return column.cast(pl.List(pl.String)).list.join("; ").fill_null("")
    return column.cast(pl.String).fill_null("")
