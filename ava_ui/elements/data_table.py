"""A table that sorts, filters and pages on the server, links its cells, and gives itself out as csv.

What somebody chose in it (filter, order, page) stands in the page's address: a reload or a link sent on shows the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

import polars as pl
from nicegui import ui
from nicegui.events import GenericEventArguments, ValueChangeEventArguments

from ava_core.base.spreadsheet import spreadsheet_csv
from ava_ui.elements.figures import MEANINGS, figure_of, trust

PAGE_ROWS: Final = 25
KEY: Final = "row number"
PROSE: Final = frozenset({"reason", "reasons", "detail", "cure", "description", "missing", "say"})
"""Columns of sentences; they get room."""
PAUSE_MS: Final = 100
"""How long somebody stops typing before the filter is applied."""
FACET_VALUES: Final = 300
"""Values that a column's own choice offers at most."""

ROW: Final = """
<q-tr :props="props">
  <q-td v-if="TICKED" auto-width>
    <q-checkbox dense v-model="props.selected" aria-label="Select row"></q-checkbox>
  </q-td>
  <q-td v-for="col in props.cols" :key="col.name" :props="props" :class="props.row['class ' + col.name]">
    <a v-if="props.row['href ' + col.name]" :href="props.row['href ' + col.name]"
       :target="/^https?:/.test(props.row['href ' + col.name]) ? '_blank' : null" rel="noopener">{{ col.value }}</a>
    <template v-else>{{ col.value }}</template>
  </q-td>
</q-tr>
"""
"""One slot a row: one a cell would make a component of every cell at every change. What leads to another server opens
beside this page."""

HEAD: Final = """
<q-th :props="props">
  <span v-if="props.col.meaning" class="explained" tabindex="0" :aria-description="props.col.meaning">
    {{ props.col.label }}<q-tooltip max-width="22rem" class="meaning">{{ props.col.meaning }}</q-tooltip></span>
  <template v-else>{{ props.col.label }}</template>
</q-th>
"""
"""A column whose figure has a meaning (`elements.figures`) says it to whoever points at it or comes by keyboard."""

TICK_ALL: Final = (
    '<q-checkbox dense v-model="props.selected" aria-label="Select all rows of this page"></q-checkbox>'
)

REMEMBER: Final = """
const address = new URL(location);
for (const [name, value] of Object.entries(%s))
  value === "" ? address.searchParams.delete(name) : address.searchParams.set(name, value);
history.replaceState(history.state, "", address);
"""


class DataTable:
    """Shows a polars frame; only the rows of the present page travel to the browser.

    `labels` renames columns for people and gives their order (default: all, as they are). `links`: addresses by
    column, in which `{column}` stands for a value of the row (`addresses.cell`); "" links nothing. `facets`:
    columns that get a choice of their values beside the filter. `file` names the csv, and the table in the address.
    `nothing` is said where no row is left.
    """

    def __init__(
        self,
        frame: pl.DataFrame,
        *,
        labels: Mapping[str, str] | None = None,
        links: Mapping[str, str] | None = None,
        facets: Sequence[str] = (),
        file: str = "table",
        selectable: bool = False,
        sort_by: str = "",
        descending: bool = False,
        nothing: str = "Nothing here.",
    ) -> None:
        self.frame, self.links = frame.with_row_index(KEY), dict(links or {})
        self.labels = dict(labels or {name: name.replace("_", " ") for name in frame.columns})
        self.file = file
        self._first = {
            "sort": sort_by,
            "order": "down" if descending else "",
            "page": "1",
            "rows": str(PAGE_ROWS),
        }
        asked = self._first | self._asked()
        self.filter = asked.get("filter", "")
        self.chosen = {name: asked[name] for name in facets if asked.get(name)}
        with ui.row().classes("items-center w-full table-tools"):
            ui.input("Filter", value=self.filter, on_change=self._filtered).props(
                f"dense clearable debounce={PAUSE_MS}"
            ).mark("filter")
            self.facets = {name: self._facet(name) for name in facets}
            ui.button("csv", icon="download", on_click=self.download).props("flat dense").mark("csv")
        self.table = ui.table(
            rows=[],
            columns=[self._column(name) for name in self.labels],
            row_key=KEY,
            selection="multiple" if selectable else None,
            pagination={
                "rowsPerPage": _number(asked["rows"], PAGE_ROWS), "page": _number(asked["page"], 1), "rowsNumber": 0,
                "sortBy": asked["sort"], "descending": asked["order"] == "down",
            },
        ).classes("data-table").props("flat dense wrap-cells")  # fmt: skip
        self.table.props["no-data-label"] = self.table.props["no-results-label"] = nothing
        self.table.add_slot("body", ROW.replace("TICKED", "true" if selectable else "false"))
        self.table.add_slot("header-cell", HEAD)
        self.table.add_slot("header-selection", TICK_ALL)
        self.table.on("request", self._requested)
        self._show()

    def set_frame(self, frame: pl.DataFrame) -> None:
        """Show another frame of the same columns; order, filter and page stay. Nothing is sent where it is equal."""
        numbered = frame.with_row_index(KEY)
        if not numbered.equals(self.frame):
            self.frame = numbered
            for name, choice in self.facets.items():
                choice.set_options(self._values(name), value=choice.value)
            self._show()

    @property
    def filtered(self) -> pl.DataFrame:
        """The rows that pass filter and choices, in the chosen order."""
        found = self.frame
        if self.filter:
            wanted = f"(?i){pl.escape_regex(self.filter)}"
            found = found.filter(
                pl.any_horizontal(_words(found, name).str.contains(wanted) for name in self.labels)
            )
        for name, value in self.chosen.items():
            found = found.filter(_words(found, name) == value)
        pages = self.table.pagination
        return arranged(found, list(self.labels), pages["sortBy"], descending=bool(pages["descending"]))

    @property
    def selected(self) -> pl.DataFrame:
        """The rows that are ticked."""
        return self.frame.filter(pl.col(KEY).is_in([row[KEY] for row in self.table.selected]))

    def download(self) -> None:
        """Give out what the filter lets through as csv."""
        found = self.filtered
        plain = found.select(_words(found, name) for name in self.labels)
        ui.download.content(spreadsheet_csv(plain), f"{self.file}.csv")

    def _asked(self) -> dict[str, str]:
        """What the page's address says about this table."""
        request, mark = ui.context.client.request, f"{self.file}."
        return {n.removeprefix(mark): v for n, v in request.query_params.items() if n.startswith(mark)}

    def _remember(self) -> None:
        pages = self.table.pagination
        now = {
            "filter": self.filter, "sort": pages["sortBy"] or "", "order": "down" if pages["descending"] else "",
            "page": str(pages["page"]), "rows": str(pages["rowsPerPage"]),
        }  # fmt: skip
        now |= {name: self.chosen.get(name, "") for name in self.facets}
        # What is as at first need not stand there; a first order that was undone must.
        plain = {n: "" if v == self._first.get(n, "") else v or "-" for n, v in now.items()}
        told = {f"{self.file}.{name}": value for name, value in plain.items()}
        self.table.client.run_javascript(REMEMBER % json.dumps(told))

    def _values(self, name: str) -> list[str]:
        found = self.frame.select(_words(self.frame, name)).to_series().unique().sort().to_list()
        return [value for value in found if value][:FACET_VALUES]

    def _facet(self, name: str) -> ui.select:
        values = self._values(name)
        if self.chosen.get(name) not in values:
            self.chosen.pop(name, None)

        def choose(event: ValueChangeEventArguments[str | None]) -> None:
            if event.value:
                self.chosen[name] = event.value
            else:
                self.chosen.pop(name, None)
            self._from_the_start()

        choice = ui.select(
            values, value=self.chosen.get(name), label=self.labels.get(name, name), clearable=True, on_change=choose,
            with_input=len(values) > 12,
        )  # fmt: skip
        return choice.props("dense").classes("w-44").mark(f"facet-{name}")

    def _column(self, name: str) -> dict[str, Any]:
        numeric = self.frame.schema[name].is_numeric()
        return {
            "name": name, "label": self.labels[name], "field": name, "sortable": True,
            "align": "right" if numeric else "left", "meaning": MEANINGS.get(name, ""),
            "style": "min-width: 16rem" if name in PROSE else "",
        }  # fmt: skip

    def _filtered(self, event: ValueChangeEventArguments[str | None]) -> None:
        self.filter = (event.value or "").strip()
        self._from_the_start()

    def _from_the_start(self) -> None:
        self.table.pagination["page"] = 1
        self._show()
        self._remember()

    def _requested(self, event: GenericEventArguments) -> None:
        wanted = event.args["pagination"]
        for name in ("page", "rowsPerPage", "sortBy", "descending"):
            self.table.pagination[name] = wanted.get(name)
        self._show()
        self._remember()

    def _show(self) -> None:
        found, pages = self.filtered, self.table.pagination
        size = pages["rowsPerPage"] or max(found.height, 1)
        pages["page"] = min(pages["page"], -(-found.height // size) or 1)
        page = found.slice((pages["page"] - 1) * size, size)
        pages["rowsNumber"] = found.height
        self.table.rows = [self._row(row) for row in page.iter_rows(named=True)]
        self.table.update()

    def _row(self, row: dict[str, Any]) -> dict[str, Any]:
        cells = {name: shown(row[name]) for name in self.labels}
        quoted = {name: quote(str(value), safe="") for name, value in row.items()}
        links = {
            f"href {n}": link.format(**quoted) for n, link in self.links.items() if row.get(n) is not None
        }
        marks = {f"class {n}": mark for n in self.labels if (mark := trust(figure_of(n, row), row[n]))}
        return {KEY: row[KEY], **cells, **links, **marks}


def arranged(frame: pl.DataFrame, columns: list[str], by: str | None, *, descending: bool) -> pl.DataFrame:
    """The rows ordered by one of `columns`; undefined values come last either way."""
    if by not in columns or isinstance(frame.schema[by], pl.List):
        return frame
    return frame.sort(by, descending=descending, nulls_last=True, maintain_order=True)


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


def _number(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else otherwise


def _words(frame: pl.DataFrame, name: str) -> pl.Expr:
    """A column's values as they are searched and given out; undefined ones are ""."""
    column = pl.col(name)
    if isinstance(frame.schema[name], pl.List):
        column = column.cast(pl.List(pl.String)).list.join("; ")
    return column.cast(pl.String).fill_null("")
