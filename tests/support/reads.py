"""How much is read of a database: rows and bytes, whatever reads them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event

from ava_core.store import Store


@dataclass
class Reads:
    """Rows that questions were answered with, and the bytes of their values."""

    rows: int = 0
    size: int = 0


@contextmanager
def reading(store: Store) -> Iterator[Reads]:
    """Count what is read in the block: each question is asked once more after it."""
    asked: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, ___: Any, many: bool) -> None:
        if not many and statement.lstrip().upper().startswith(("SELECT", "WITH")):
            asked.append((statement, parameters))

    found = Reads()
    event.listen(store.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(store.engine, "before_cursor_execute", note)
    with store.engine.connect() as connection:
        for statement, parameters in asked:
            rows = connection.exec_driver_sql(statement, parameters).all()
            found.rows += len(rows)
            found.size += sum(len(str(value)) for row in rows for value in row)
