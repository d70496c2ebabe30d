"""Notebooks as their readers run them: the cells of code, one after another, in one namespace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def run_notebook(path: Path) -> dict[str, Any]:
    """Run all cells of code; gives the names that they leave behind. A cell that fails is named by file and number."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for number, cell in enumerate(json.loads(path.read_text("utf-8"))["cells"]):
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), f"{path.name}, cell {number}", "exec"), names)
    return names
