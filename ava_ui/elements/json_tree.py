"""JSON that opens and closes, branch by branch."""

from __future__ import annotations

from typing import Any, Final

from nicegui import ui

LEAVES: Final = 200
"""Entries of one branch that are shown."""


def json_tree(content: dict[str, Any]) -> ui.tree:
    """A tree of the content, closed but for its first level."""
    return ui.tree(_nodes(content, "")).classes("json-tree")


def _nodes(content: Any, path: str) -> list[dict[str, Any]]:
    pairs = content.items() if isinstance(content, dict) else enumerate(content)
    nodes = [_node(str(key), value, f"{path}/{key}") for key, value in list(pairs)[:LEAVES]]
    if len(content) > LEAVES:
        nodes.append({"id": f"{path}/…", "label": f"… and {len(content) - LEAVES} more"})
    return nodes


def _node(key: str, value: Any, path: str) -> dict[str, Any]:
    if isinstance(value, (dict, list)) and value:
        return {"id": path, "label": f"{key} ({len(value)})", "children": _nodes(value, path)}
    empty = {} if isinstance(value, dict) else [] if isinstance(value, list) else value
    return {"id": path, "label": f"{key}: {'–' if value is None or value == '' else empty}"}
