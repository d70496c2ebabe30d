"""What is imported, what `pyproject.toml` asks for, and what `docs/dependencies.md` says are one and the same."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("ava_core", "ava_assets", "ava_ui")
OWN = {*PRODUCT, "tests", "benchmarks", "pages", "reference"}
FOR_DEVELOPERS = {"dev", "bench"}
ELSEWHERE = "tests/support/programs/"
"""Programs that run in environments of their own, with packages that this project does not ask for."""
PEERS = {"pytorchvideo"}
"""Benchmarks stand beside these where they are at hand."""
NOT_IMPORTED = "Needed, though nothing imports them"


def normal(name: str) -> str:
    """A package's name as registries compare it; without versions and extras."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", name.strip())[0]).lower()


def imports_of(*folders: str) -> dict[str, str]:
    """Modules of others that files below these folders import, each with a file that does."""
    found = {}
    for path in (file for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            found |= {name.partition(".")[0]: str(path.relative_to(ROOT)) for name in names}
    return {name: file for name, file in found.items() if name not in OWN | sys.stdlib_module_names}


@cache
def _distributions() -> dict[str, set[str]]:
    known = importlib.metadata.packages_distributions()
    return {module: {normal(name) for name in names} for module, names in known.items()}


def packages_of(module: str) -> set[str]:
    """Packages that a module may come from; one that is not installed bears the module's name."""
    return _distributions().get(module, {normal(module)})


@pytest.fixture(scope="module")
def declared() -> dict[str, set[str]]:
    """Packages of `pyproject.toml` by extra, "" for what every install needs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lists = {"": project["dependencies"], **project["optional-dependencies"]}
    return {extra: {normal(name) for name in names} for extra, names in lists.items()}


@pytest.fixture(scope="module")
def page() -> dict[str, list[set[str]]]:
    """Packages of each row of the tables of `docs/dependencies.md`, by heading."""
    rows: dict[str, list[set[str]]] = {}
    heading = ""
    for line in (ROOT / "docs" / "dependencies.md").read_text("utf-8").splitlines():
        if line.startswith("#"):
            heading = line.strip("# ")
        elif line.startswith("| ") and not line.startswith("| package"):
            names = re.sub(r"\([^)]*\)", "", line.split("|")[1]).split(",")
            rows.setdefault(heading, []).append({normal(name) for name in names})
    return rows


def test_whatever_the_packages_import_is_a_requirement(declared: dict[str, set[str]]) -> None:
    known = set().union(*(names for extra, names in declared.items() if extra not in FOR_DEVELOPERS))
    missing = {m: file for m, file in imports_of(*PRODUCT).items() if not packages_of(m) & known}
    assert not missing


def test_whatever_tests_and_benchmarks_import_is_a_requirement(declared: dict[str, set[str]]) -> None:
    known = set().union(*declared.values())
    ours = {
        m: file for m, file in imports_of("tests", "benchmarks").items() if not file.startswith(ELSEWHERE)
    }
    missing = {m: file for m, file in ours.items() if not packages_of(m) & (known | PEERS)}
    assert not missing


def test_every_requirement_is_imported_or_says_why_not(
    declared: dict[str, set[str]], page: dict[str, list[set[str]]]
) -> None:
    """What every install needs, and the extras for users, must be imported by the packages themselves."""
    explained = set().union(*page[NOT_IMPORTED])
    by_product, by_any = (
        set().union(*map(packages_of, imports_of(*folders))) for folders in (PRODUCT, sorted(OWN))
    )
    idle = {
        extra: names - explained - (by_any if extra in FOR_DEVELOPERS else by_product)
        for extra, names in declared.items()
    }
    assert not {extra: names for extra, names in idle.items() if names}
    assert not explained & by_any, "these are imported"


def test_the_page_tells_of_every_requirement_and_of_no_other(
    declared: dict[str, set[str]], page: dict[str, list[set[str]]]
) -> None:
    told = [name for heading, rows in page.items() if heading != NOT_IMPORTED for row in rows for name in row]
    assert sorted(told) == sorted(set().union(*declared.values()))


def test_a_module_is_known_by_its_package() -> None:
    """Else every import above would pass."""
    assert packages_of("cv2") == {"opencv-python"}
    assert "cv2" in imports_of("ava_core")
    assert packages_of("no_such_module") == {"no-such-module"}
