"""The columns of every table that passes from one asset to the next, from the schemas and their comments."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Mapping

from ava_core.base import schemas
from reference.markdown import code, table

HEAD = """# Tables

Generated from `ava_core/base/schemas.py`. These are the Parquet files of a batch
(`batches/BATCH/ASSET/TABLE.parquet` below the storage root), and the arguments and results of `ava_core`'s functions.

"""
COMMENT = re.compile(r"#\s(.*)$")
COLUMN = re.compile(r'^\s*(?:"(\w+)":|\*\*_with_interval\("(\w+)"\))')


def tables_page() -> str:
    """What holds of all tables, then one section a table."""
    sections = [_section(name, schema) for name, schema in tables().items()]
    return HEAD + (inspect.getdoc(schemas) or "") + "\n\n" + "\n\n".join(sections) + "\n"


def tables() -> dict[str, schemas.Schema]:
    """Schemas by the names of their constants, in the order of the file."""
    found = {}
    for name, value in vars(schemas).items():
        if name.isupper() and not name.startswith(("_", "ADDED_TO")) and isinstance(value, Mapping):
            found[name] = value
    return found


def _section(name: str, schema: schemas.Schema) -> str:
    said, comments = _comments(name)
    rows = [(code(column), _kind(kind), comments.get(column, "")) for column, kind in schema.items()]
    parts = [f"## {name.lower()}", f"{said[:1].upper()}{said[1:]}." if said else ""]
    return "\n\n".join(part for part in [*parts, table(("column", "type", ""), rows)] if part)


def _comments(name: str) -> tuple[str, dict[str, str]]:
    """What is said of a table, and of its columns, in the lines that define it."""
    source = inspect.getsource(schemas)
    (node,) = [
        each for each in ast.parse(source).body
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name) and each.target.id == name
    ]  # fmt: skip
    first, *lines = source.splitlines()[node.lineno - 1 : node.end_lineno]
    comments = {}
    for line in lines:
        column, comment = COLUMN.match(line), COMMENT.search(line)
        if column and comment:
            comments[column[1] or column[2]] = comment[1]
    said = COMMENT.search(first)
    return said[1] if said else "", comments


def _kind(kind: object) -> str:
    return getattr(kind, "__name__", "") or str(kind)
