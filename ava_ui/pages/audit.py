"""Who did what, when, to what: actions and decisions in one list."""

from __future__ import annotations

import asyncio
import json
from typing import Final

import polars as pl
from sqlalchemy import select

from ava_core.store import audit
from ava_core.store.tables import Decision
from ava_ui import theme
from ava_ui.console import Console
from ava_ui.elements.data_table import DataTable
from ava_ui.visit import Visit

NEWEST: Final = 20_000
"""Lines that the page looks through."""


async def content(visit: Visit) -> None:
    """The list; the filter searches all of it, csv gives out what it lets through."""
    log = await asyncio.to_thread(log_table, visit.console)
    if log.is_empty():
        theme.empty("Nothing was done yet.", "What anybody does is written here.")
        return
    DataTable(log, file="audit", sort_by="when", descending=True, facets=["who", "action"])


def log_table(console: Console) -> pl.DataFrame:
    """`when, who, action, subject, detail`, newest first."""
    rows = [
        (entry.at, entry.actor, entry.action, entry.subject, _short(entry.detail))
        for entry in audit.newest(console.store, NEWEST)
    ]
    with console.store.session() as session:
        wanted = select(Decision).order_by(Decision.decision_id.desc()).limit(NEWEST)
        rows += [
            (d.decided_at, d.actor, d.action, f"{d.batch}: {d.subject}", d.comment or _short(d.after))
            for d in session.scalars(wanted)
        ]
    schema = {
        "when": pl.Datetime(time_zone="UTC"), "who": pl.String, "action": pl.String, "subject": pl.String,
        "detail": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row").sort("when", descending=True)


def _short(detail: dict[str, object]) -> str:
    return json.dumps(detail, ensure_ascii=False, default=str) if detail else ""
