"""The audit log as the console shows it: what was done and what was decided, in one table that only grows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

import polars as pl
from sqlalchemy import Text, case, cast, func, select

from ava_core.base.once import Made, Once
from ava_core.store import Store
from ava_core.store.tables import AuditLogEntry, Decision

SCHEMA: Final[dict[str, Any]] = {
    "when": pl.Datetime(time_zone="UTC"), "who": pl.String, "action": pl.String, "subject": pl.String,
    "detail": pl.String,
}  # fmt: skip


@dataclass(frozen=True)
class _Known:
    """Both logs as far as they were read: `SCHEMA`, newest first, and the last line of each."""

    table: pl.DataFrame
    entry: int
    decision: int


NOTHING: Final = _Known(pl.DataFrame(schema=SCHEMA), 0, 0)


class AuditLog:
    """What was done and what was decided; what was read once is kept. Safe in threads."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._once = Once[str, tuple[int, int], _Known]()

    def table(self) -> pl.DataFrame:
        """All of it as `SCHEMA`, newest first."""
        with self.store.session() as session:
            entry = session.scalar(select(func.max(AuditLogEntry.audit_id))) or 0
            decision = session.scalar(select(func.max(Decision.decision_id))) or 0
        return self._once.get("log", (entry, decision), self._read_on).table

    def _read_on(self, before: Made[tuple[int, int], _Known] | None) -> _Known:
        known = NOTHING if before is None else before.value
        done = select(
            AuditLogEntry.audit_id, AuditLogEntry.at, AuditLogEntry.actor, AuditLogEntry.action,
            AuditLogEntry.subject, cast(AuditLogEntry.detail, Text),
        ).where(AuditLogEntry.audit_id > known.entry)  # fmt: skip
        said = case((Decision.comment != "", Decision.comment), else_=cast(Decision.after, Text))
        decided = select(
            Decision.decision_id, Decision.decided_at, Decision.actor, Decision.action,
            Decision.batch + ": " + Decision.subject, said,
        ).where(Decision.decision_id > known.decision)  # fmt: skip
        with self.store.session() as session:
            entries = [tuple(row) for row in session.execute(done)]
            decisions = [tuple(row) for row in session.execute(decided)]
        rows = [row[1:] for row in (*entries, *decisions)]
        new = pl.DataFrame(rows, schema=SCHEMA, orient="row").with_columns(detail=_readable())
        return _Known(
            pl.concat([new, known.table]).sort("when", descending=True, maintain_order=True),
            max([known.entry, *(row[0] for row in entries)]),
            max([known.decision, *(row[0] for row in decisions)]),
        )


def _readable() -> pl.Expr:
    """Details as people read them: nothing for nothing, letters for their escapes."""
    return pl.col("detail").replace({"{}": "", "null": ""}).map_batches(_unescaped, return_dtype=pl.String)


def _unescaped(details: pl.Series) -> pl.Series:
    """JSON with letters in the place of their escapes; only what has any is touched."""
    escaped = details.str.contains("\\u", literal=True) & details.str.starts_with("{")
    if not escaped.any():
        return details
    known = {
        text: json.dumps(json.loads(text), ensure_ascii=False) for text in details.filter(escaped).unique()
    }
    return details.replace(known)
