"""What the packages tell people, as it stands in their source: all texts, and of errors and findings the cures."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.commands import LEFT_OPEN

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("ava_core", "ava_assets", "ava_ui")
CURE_OF_FINDING = 3
"""Where a finding's cure stands among its arguments; an error's is the second."""


@dataclass(frozen=True)
class Text:
    """A sentence and where it stands; what is filled in when it is said is `…`."""

    place: str
    said: str


def every_text() -> list[Text]:
    """All texts of all files, docstrings too; a text with parts that are filled in is one."""
    return [
        Text(place, said)
        for place, node in _every_node()
        if isinstance(node, ast.Constant | ast.JoinedStr)
        for said in _texts(node)
        if said != LEFT_OPEN
    ]


def every_cure() -> list[Text]:
    """Cures of errors and findings; a choice between two sentences is two cures."""
    return [Text(place, said) for place, node in _every_node() for said in _cures_of(node)]


def _every_node() -> Iterator[tuple[str, ast.AST]]:
    for path in [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            yield f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}", node


def _cures_of(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call):
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        at = 1 if name.endswith("Error") else CURE_OF_FINDING if name == "Finding" else len(node.args)
        given = [*node.args[at : at + 1], *(word.value for word in node.keywords if word.arg == "cure")]
        for argument in given:
            yield from _texts(argument)


def _texts(node: ast.expr) -> list[str]:
    """What an expression may say; a name that was given a text elsewhere is left open."""
    match node:
        case ast.Constant(value=str(said)):
            return [said]
        case ast.JoinedStr(values=parts):
            return ["".join(_texts(part)[0] for part in parts)]
        case ast.IfExp(body=one, orelse=other):
            return [*_texts(one), *_texts(other)]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return [a + b for a in _texts(left) for b in _texts(right)]
    return [LEFT_OPEN]
