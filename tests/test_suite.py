"""What holds for the tests themselves: whom they may import, and what a process pays for that needs little."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.skipped import not_proved

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
    """No test imports another test, nor another room's `conftest`: what two rooms need is in `tests/support`.

    A program beside the tests (it has a `__main__.py`) is a package of its own, and one that is a single file here may
    use such a package.
    """
    programs = tuple(f"tests.{main.parent.name}." for main in TESTS.glob("*/__main__.py"))

    def own(file: Path) -> tuple[str, ...]:
        if file.parent == TESTS and not file.name.startswith(("test_", "conftest")):
            return programs
        return tuple(name for name in programs if name == f"tests.{file.parent.name}.")

    found = [
        f"{file.relative_to(TESTS.parent)}: {name}"
        for file in TESTS.rglob("*.py")
        for name in imported(file)
        if name.startswith(("tests.", ".", "conftest")) and not name.startswith((f"{SHARED}.", *own(file)))
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


def test_what_was_skipped_is_said_in_one_line() -> None:
    absent = "Skipped: reference data not found at /x; set AVA_REFERENCE_DATA"
    skipped = [("tests/core/test_a.py::test_answers_keep_to_the_schema", absent)]
    skipped += [(f"tests/core/test_b.py::test_people_are_found[{n}]@slow", absent) for n in range(3)]
    skipped += [(f"tests/ui/test_c.py::test_page_{n}", "Skipped: no browser") for n in range(7)]
    assert not_proved(skipped) == (
        "NOT PROVED: answers keep to the schema, people are found"
        " (reference data not found at /x; set AVA_REFERENCE_DATA);"
        " page 0, page 1, page 2, page 3, page 4 and 2 more (no browser)"
    )
