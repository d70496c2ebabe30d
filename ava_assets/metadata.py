"""How assets show themselves in Dagster's UI: owners and tags, links to the console, pictures, tables, places."""

from __future__ import annotations

import base64
from typing import Any, Final, Literal, TypedDict

import polars as pl
from dagster import MetadataValue, TableColumn, TableSchema
from upath import UPath

from ava_core.base.console_pages import on_console
from ava_core.base.schemas import Schema
from ava_core.base.settings import Settings
from ava_core.base.storage import Storage
from ava_core.base.text import figure_text

MADE_OF: Final = "made of"
"""Metadata of an asset that says what it was made of; it is noted once the tables are written."""

CONSOLE: Final = "in the console"
"""Metadata that leads to the page of the console on which a person goes on."""


class Shown(TypedDict):
    """What `@asset` and `AssetSpec` both take."""

    group_name: str
    owners: list[str]
    tags: dict[str, str]
    metadata: dict[str, Any]


def shown_as(
    subject: str, made_by: Literal["machine", "people"] = "machine", columns: Schema | None = None
) -> Shown:
    """Arguments of `@asset` and `AssetSpec`: the group, who answers for it, who makes it, and its table's columns."""
    metadata = {"dagster/column_schema": _columns(columns)} if columns else {}
    return {
        "group_name": subject,
        "owners": [f"team:{subject}"],
        "tags": {"subject": subject, "made_by": made_by},
        "metadata": metadata,
    }


def _columns(schema: Schema) -> TableSchema:
    kinds = {name: kind if isinstance(kind, type) else type(kind) for name, kind in schema.items()}
    return TableSchema([TableColumn(name, kind.__name__) for name, kind in kinds.items()])


def console_link(settings: Settings, page: str, **parts: str | int) -> dict[str, MetadataValue[Any]]:
    """The link to a page of the console, for an asset's metadata."""
    return {CONSOLE: MetadataValue.url(on_console(settings, page, **parts))}


def place(storage: Storage, path: UPath) -> str:
    """Where something lies below the storage root: the same on every machine."""
    return str(path).removeprefix(str(storage.root)).lstrip("/")


def picture(jpeg: bytes) -> MetadataValue[Any]:
    """A small JPEG."""
    return _picture(jpeg, "jpeg")


def drawing(svg: str) -> MetadataValue[Any]:
    """A plot."""
    return _picture(svg.encode(), "svg+xml")


def _picture(content: bytes, kind: str) -> MetadataValue[Any]:
    return MetadataValue.md(f"![preview](data:image/{kind};base64,{base64.b64encode(content).decode()})")


def markdown(table: pl.DataFrame) -> MetadataValue[Any]:
    """A small table; "none" where it has no rows."""
    if table.is_empty():
        return MetadataValue.md("none")
    cells = [[figure_text(value).replace("|", "\\|") for value in row] for row in table.rows()]
    lines = [table.columns, ["---"] * table.width, *cells]
    return MetadataValue.md("\n".join("| " + " | ".join(line) + " |" for line in lines))
