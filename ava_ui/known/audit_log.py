"""The audit log as the console shows it: what was done and what was decided, in one table that only grows."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final

import polars as pl
from sqlalchemy import Text, case, cast, select

from ava_core.store import Store
from ava_core.store.tables import AuditLogEntry, Decision

SCHEMA: Final[dict[str, Any]] = {
    "when": pl.Datetime(time_zone="UTC"), "who": pl.String, "action": pl.String, "subject": pl.String,
    "detail": pl.String,
}  # fmt: skip


@dataclass
class Log:
    """Both logs as far as they were read; what was read once is kept. Safe in threads."""

    store: Store
    _table: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SCHEMA))
    _entry: int = 0
    _decision: int = 0
    _lock: Lock = field(default_factory=Lock)

    def table(self) -> pl.DataFrame:
        """All of it as `SCHEMA`, newest first."""
        done = select(
            AuditLogEntry.audit_id, AuditLogEntry.at, AuditLogEntry.actor, AuditLogEntry.action, AuditLogEntry.subject,
            cast(AuditLogEntry.detail, Text),
        ).where(AuditLogEntry.audit_id > self._entry)  # fmt: skip
        said = case((Decision.comment != "", Decision.comment), else_=cast(Decision.after, Text))
        decided = select(
            Decision.decision_id, Decision.decided_at, Decision.actor, Decision.action,
            Decision.batch + ": " + Decision.subject, said,
        ).where(Decision.decision_id > self._decision)  # fmt: skip
        with self._lock:
            with self.store.session() as session:
                entries = [tuple(row) for row in session.execute(done)]
                decisions = [tuple(row) for row in session.execute(decided)]
            if entries or decisions:
                rows = [row[1:] for row in (*entries, *decisions)]
                new = pl.DataFrame(rows, schema=SCHEMA, orient="row").with_columns(detail=_readable())
                self._table = pl.concat([new, self._table]).sort("when", descending=True, maintain_order=True)
                self._entry = max([self._entry, *(row[0] for row in entries)])
                self._decision = max([self._decision, *(row[0] for row in decisions)])
            return self._table


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
