"""Whether a release keeps the rules that its readers enforce: checked on request, beside the page."""

from __future__ import annotations

import asyncio
from typing import Final

import polars as pl
from nicegui import ui

from ava_core.base.text import plural
from ava_core.dataset.export.folders import fetched_folder
from ava_core.dataset.export.releases import release_folder
from ava_core.dataset.formats.ava.checks import Finding, validate_dataset
from ava_core.dataset.formats.ava.names import SPLITS, rows_csv
from ava_ui import addresses
from ava_ui.addresses import cell
from ava_ui.elements.data_table import DataTable
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit

FINDINGS: Final = {
    "severity": pl.String, "file": pl.String, "line": pl.Int64, "rule": pl.String, "consequence": pl.String,
    "row": pl.String,
}  # fmt: skip


def validation(visit: Visit, name: str) -> None:
    theme.heading("Validate against AVA's rules")
    ui.element("a").props("id=rules")
    ui.label(
        "Checks everything that AVA readers enforce, and that no file has changed since the release."
    ).classes("soft")
    button = ui.button("Validate", icon="rule").props("outline").mark("validate")
    place = ui.column().classes("w-full")

    def validated() -> list[Finding]:
        storage = visit.console.storage
        with fetched_folder(storage, release_folder(storage, name)) as folder:
            return validate_dataset(folder)

    async def found() -> None:
        _findings(name, await asyncio.to_thread(validated))

    async def validate() -> None:
        button.disable()
        try:
            await theme.fill(place, found)
        finally:
            button.enable()

    button.on_click(visit.action("viewer", validate))


def _findings(name: str, findings: list[Finding]) -> None:
    if not findings:
        ui.label("No findings: the release follows every rule.").classes("good")
        return
    rows = [
        (one.severity, one.file, one.line or None, one.rule, one.consequence, _row(one)) for one in findings
    ]
    table = pl.DataFrame(rows, schema=FINDINGS, orient="row")
    ui.label(f"{plural(len(findings), 'finding')}.").classes("bad")
    trace = addresses.here({"row": cell("row")}, "trace")
    DataTable(table, file=f"{name}_findings", facets=("severity", "file"), links={"row": trace})


def _row(finding: Finding) -> str | None:
    """The row as the trace knows it, where the finding is on a line of a split's csv."""
    split = next((split for split in SPLITS if finding.file == rows_csv(split)), None)
    return f"{split}:{finding.line}" if split and finding.line else None
