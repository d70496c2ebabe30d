"""The entry points for other programs: signature and docstring of each, its example as the tests run it."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import Any

from reference.markdown import cell

ROOT = Path(__file__).resolve().parents[3]
ENTRY_POINT = re.compile(r"^\| `(ava_core[\w.]+)` \|([^|]+)\|[^|]*\|$", re.MULTILINE)
PROMPT = ">>>"

HEAD = """# Python API

These are the functions that other programs call. The page is generated from their docstrings, and the tests run the
examples. [How it works](../how-it-works.md) lists the functions in the order in which a batch passes through them.

"""


def entry_points() -> dict[str, str]:
    """Dotted names of the entry points and what each does, as "How it works" lists them."""
    text = (ROOT / "docs" / "how-it-works.md").read_text("utf-8")
    return {name: cell(does) for name, does in ENTRY_POINT.findall(text)}


def api_page() -> str:
    """One section an entry point."""
    return HEAD + "\n\n".join(_section(name, does) for name, does in entry_points().items()) + "\n"


def _section(name: str, does: str) -> str:
    module, _, own = name.rpartition(".")
    found = getattr(importlib.import_module(module), own)
    said = _with_examples(inspect.getdoc(found) or "")
    return f"## {own}\n\n*{does}*\n\n```python\nfrom {module} import {own}\n\n{_signature(own, found)}\n```\n\n{said}"


def _signature(name: str, found: Any) -> str:
    if inspect.isclass(found) and getattr(found, "_is_protocol", False):
        return inspect.getsource(found).rstrip()
    signature = _unquoted(inspect.signature(found))
    one = f"{name}{signature}"
    if len(one) <= 88:
        return one
    words = "".join(f"    {parameter},\n" for parameter in signature.parameters.values())
    gives = signature.return_annotation
    arrow = "" if gives is inspect.Signature.empty else f" -> {gives}"
    return f"{name}(\n{words}){arrow}"


class _Bare:
    """An annotation as it stands in the source: a text of its own would be shown in quotes."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _unquoted(signature: inspect.Signature) -> inspect.Signature:
    def bare(annotation: Any) -> Any:
        return _Bare(annotation) if isinstance(annotation, str) else annotation

    parameters = [each.replace(annotation=bare(each.annotation)) for each in signature.parameters.values()]
    return signature.replace(parameters=parameters, return_annotation=bare(signature.return_annotation))


def _with_examples(text: str) -> str:
    """A docstring whose examples are blocks of code."""
    lines: list[str] = []
    within = False
    for line in text.splitlines():
        if not within and line.startswith(PROMPT):
            within = True
            lines.append("```pycon")
        elif within and not line.strip():
            within = False
            lines.append("```")
        lines.append(line)
    return "\n".join([*lines, "```"] if within else lines)
