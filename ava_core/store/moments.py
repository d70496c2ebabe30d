"""Moments within questions to the database, in words that SQLite and PostgreSQL both understand."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Float, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class hours_between(FunctionElement[float]):  # noqa: N801 (it is written like a function of the database)
    """Hours from one moment to another, null where either is; a moment before the first is 0 hours after it.

    The moments come from two clocks, the platform's and the annotation server's, which may differ a little.
    """

    type = Float()
    inherit_cache = True


class utc_day(FunctionElement[str]):  # noqa: N801
    """The day of a moment as text, `2026-11-22`, in UTC."""

    type = String()
    inherit_cache = True


@compiles(hours_between, "sqlite")
def _hours_in_sqlite(element: hours_between, compiler: Any, **kw: Any) -> str:
    since, until = (compiler.process(moment, **kw) for moment in element.clauses)
    return f"max(0.0, (julianday({until}) - julianday({since})) * 24.0)"


@compiles(hours_between, "postgresql")
def _hours_in_postgresql(element: hours_between, compiler: Any, **kw: Any) -> str:
    # A comparison with null is not true: unlike greatest(), this leaves null what is unknown.
    since, until = (compiler.process(moment, **kw) for moment in element.clauses)
    seconds = f"CAST(EXTRACT(EPOCH FROM ({until} - {since})) AS DOUBLE PRECISION)"
    return f"CASE WHEN {until} < {since} THEN 0.0 ELSE {seconds} / 3600.0 END"


@compiles(utc_day, "sqlite")
def _day_in_sqlite(element: utc_day, compiler: Any, **kw: Any) -> str:
    return f"date({compiler.process(element.clauses, **kw)})"


@compiles(utc_day, "postgresql")
def _day_in_postgresql(element: utc_day, compiler: Any, **kw: Any) -> str:
    moment = compiler.process(element.clauses, **kw)
    return f"to_char(timezone('UTC', {moment}), 'YYYY-MM-DD')"
