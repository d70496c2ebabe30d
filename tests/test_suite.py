"""What holds for the tests themselves: whom they may import, and what a process pays for that needs little."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
SHARED = "tests.support"


def imported(file: Path) -> Iterator[str]:
    """Modules that a file imports anywhere, names taken from a package included."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from (f"{module}.{alias.name}" for alias in node.names)


def test_rooms_share_by_support_alone() -> None:
    """No test imports another test, nor another room's `conftest`: what two rooms need is in `tests/support`."""
    found = [
        f"{file.relative_to(TESTS.parent)}: {name}"
        for file in TESTS.rglob("*.py")
        for name in imported(file)
        if name.startswith(("tests.", ".", "conftest")) and not name.startswith(f"{SHARED}.")
    ]
    assert found == []


COLLECT = """
import sys
import pytest
assert pytest.main(["--collect-only", "-qq", "-p", "no:cacheprovider", sys.argv[1]]) == 0
print("loaded:", *sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.mark.parametrize("room", ["core/decisions", "core/ontology", "core/store"])
def test_what_a_room_does_not_test_is_not_loaded(room: str) -> None:
    said = subprocess.run(
        [sys.executable, "-c", COLLECT, str(TESTS / room)], capture_output=True, text=True, cwd=TESTS.parent
    )
    assert said.returncode == 0, said.stdout + said.stderr
    loaded = set(said.stdout.rpartition("loaded:")[2].split())
    assert not loaded & {"dagster", "torch", "nicegui", "playwright"}
