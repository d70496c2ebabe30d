"""The pages of `docs/` speak of what is there: paths and links lead somewhere, entry points work as shown."""

from __future__ import annotations

import doctest
import importlib
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OURS = re.compile(r"`((?:ava_core|ava_assets|ava_ui|tests|benchmarks|docs)/[\w./-]*)`")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
ENTRY_POINT = re.compile(r"^\| `(ava_core[\w.]+)` \|[^|]+\| *(yes)? *\|$", re.MULTILINE)

ENTRY_POINTS = {
    name: bool(example)
    for name, example in ENTRY_POINT.findall((ROOT / "docs" / "how-it-works.md").read_text("utf-8"))
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_and_links_lead_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    assert [path for path in OURS.findall(text) if not (ROOT / path).exists()] == []
    assert [link for link in LINK.findall(text) if not (page.parent / link).exists()] == []


def test_every_word_of_the_glossary_has_its_module() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (ROOT / "docs" / "glossary.md").read_text("utf-8").splitlines()
        if line.startswith("|") and not line.startswith(("| word", "|---"))
    ]
    assert len(rows) > 50
    assert [row for row in rows if len(row) != 3 or not OURS.fullmatch(row[2])] == []
    words = [(row[0], row[2]) for row in rows]
    assert len(set(words)) == len(words)


def entry_point(name: str) -> Any:
    """What a dotted name stands for."""
    module, _, own = name.rpartition(".")
    return getattr(importlib.import_module(module), own)


def test_there_are_twenty_entry_points() -> None:
    assert len(ENTRY_POINTS) == 20


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_an_entry_point_works_as_its_docstring_shows(name: str) -> None:
    found = entry_point(name)
    assert found.__doc__, "it says nothing"
    names = vars(importlib.import_module(found.__module__)).copy()
    examples = [
        test for test in doctest.DocTestFinder(recurse=False).find(found, globs=names) if test.examples
    ]
    assert bool(examples) is ENTRY_POINTS[name]
    said: list[str] = []
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
    failed = [runner.run(test, out=said.append).failed for test in examples]
    assert not any(failed), "".join(said)


def test_other_examples_hold_too() -> None:
    """Of modules that show how small functions work without being entry points."""
    module = importlib.import_module("ava_core.quality.agreement.verify")
    result = doctest.testmod(module)
    assert result.attempted
    assert not result.failed
