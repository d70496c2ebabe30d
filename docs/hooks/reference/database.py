"""The tables of the operational database, from the models."""

from __future__ import annotations

import inspect

from sqlalchemy import Column

from ava_core.store.tables import Base
from reference.markdown import code, table

HEAD = """# Database

Generated from `ava_core/store/tables.py`. The operational database is SQLite in `AVA_HOME`, or PostgreSQL if
you set `AVA_DATABASE_URL`. `ava` migrates it when it opens it. Read it freely, but let only the
platform write to it.

"""


def database_page() -> str:
    """One section a table."""
    models = sorted((mapper.class_ for mapper in Base.registry.mappers), key=lambda each: each.__tablename__)
    sections = [
        "\n\n".join(
            [f"## {model.__tablename__}", inspect.getdoc(model) or "",
             table(("column", "type", "", ""), map(_row, model.__table__.columns))]
        )
        for model in models
    ]  # fmt: skip
    return HEAD + "\n\n".join(sections) + "\n"


def _row(column: Column[object]) -> tuple[str, str, str, str]:
    marks = ["key"] if column.primary_key else ["nullable"] if column.nullable else []
    refers = ", ".join(f"of {code(str(key.target_fullname))}" for key in column.foreign_keys)
    return code(column.name), _kind(column), ", ".join(marks), refers


def _kind(column: Column[object]) -> str:
    kind = column.type
    name = type(getattr(kind, "impl_instance", kind)).__name__
    return {"UtcDateTime": "moment, UTC", "JSON": "JSON"}.get(name, str(kind).lower())
