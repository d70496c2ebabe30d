"""Who did what, when, to what: actions and decisions in one list."""

from __future__ import annotations

import asyncio

from ava_ui.elements.data_table import DataTable
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit


async def content(visit: Visit) -> None:
    """The list; the filter searches all of it, csv gives out what it lets through."""
    log = await asyncio.to_thread(visit.console.audit_log.table)
    if log.is_empty():
        theme.empty("Nothing has been done yet.", "Every action is recorded here.")
        return
    DataTable(log, file="audit", sort_by="when", descending=True, facets=["who", "action"])
