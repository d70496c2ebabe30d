"""The pages speak of what is there: paths, links, commands, options and settings exist, entry points work as shown."""

from __future__ import annotations

import ast
import doctest
import importlib
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from pages import FROM_ROOT
from reference import PAGES as GENERATED

from ava_assets.cli.main import app
from ava_core.base.settings import Settings, variable_of
from tests.support.commands import command_problem

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *(ROOT / name for name in FROM_ROOT), *sorted((ROOT / "docs").rglob("*.md"))]
OURS = re.compile(r"`((?:ava_core|ava_assets|ava_ui|tests|benchmarks|docs|docker|examples|\.ci)/[\w./-]*)`")
INCLUDED = re.compile(r"^--8.*$", re.MULTILINE)
"""Also one that a formatter took for code, and that includes nothing any more."""
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
ENTRY_POINT = re.compile(r"^\| `(ava_core[\w.]+)` \|[^|]+\| *(yes)? *\|$", re.MULTILINE)

COMMAND = re.compile(
    r"(?:^|[`\s(])(?:[A-Z_]+=\S+ +)*(?:\.venv/bin/)?(ava +[a-z][^`#|()]*?)(?=`|\s{2,}|\s*#|$|;)",
    re.MULTILINE,
)
BLOCK = re.compile(r"^ *```([^\n]*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
WORDS = re.compile(r"`([^`\n]+)`")
SETTING = re.compile(r"\bAVA_[A-Z_]+[A-Z]\b")
NOT_SETTINGS = {"AVA_REFERENCE_DATA", "AVA_USER_PASSWORD", "AVA_WHEEL", "AVA_RELEASE"}
"""Read by the tests, and by `ava user add` where nobody can type."""
MODULE = re.compile(r"python -m (benchmarks\.\w+|tests\.\w+)")
PROGRAM = re.compile(r"\bpython3? ((?!manage\.py)[\w./-]+\.py)")
EXTRA = re.compile(r"(?:ava-platform|\.)\[(\w+)\]")
TARGET = re.compile(r"^make ([a-z-]+)", re.MULTILINE)

ENTRY_POINTS = {
    name: bool(example)
    for name, example in ENTRY_POINT.findall((ROOT / "docs" / "how-it-works.md").read_text("utf-8"))
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_and_links_lead_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    assert [path for path in OURS.findall(text) if not (ROOT / path).exists()] == []
    assert [link for link in LINK.findall(text) if not leads_somewhere(page, link)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_includes_are_there(page: Path) -> None:
    lines = INCLUDED.findall(page.read_text("utf-8"))
    assert [
        line for line in lines if not (ROOT / line.removeprefix('--8<-- "').removesuffix('"')).is_file()
    ] == []


def leads_somewhere(page: Path, link: str) -> bool:
    """Whether a link from a page leads to a file, or to a page that the site generates."""
    target = (page.parent / link).resolve()
    return target.exists() or target in {ROOT / "docs" / path for path in GENERATED}


QUOTING = [
    ROOT / "README.md", *(ROOT / "docs" / f"{name}.md" for name in ("console", "cvat", "releases")),
    *sorted((ROOT / "docs" / "how-to").glob("*.md")), *sorted((ROOT / "docs" / "tutorials").glob("*.md")),
]  # fmt: skip
"""Pages whose words in italics are names of pages, buttons and fields of the console: "Dataset → Generate dataset"."""
ITALICS = re.compile(r"(?<![*\w])\*([^\s*][^*]*[^\s*])\*(?![*\w])")
OF_CVAT = {"Upload annotations"}


@pytest.fixture(scope="module")
def on_screen() -> set[str]:
    """Every string of the console and of the domain as it reads, without a "…" or placeholder at its end."""
    files = (path for package in ("ava_ui", "ava_core") for path in (ROOT / package).rglob("*.py"))
    trees = (ast.parse(path.read_text("utf-8")) for path in files)
    strings = (
        node.value for tree in trees for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )  # fmt: skip
    return {
        said for string in strings for said in (string, string.removesuffix(" …"), string.removesuffix(" ("))
    }


def quoted_in(text: str) -> list[str]:
    """Each name in italics; "A → B" is two. Code and bold words are none."""
    prose = WORDS.sub("", BLOCK.sub("", text))
    names = (" ".join(name.split()) for said in ITALICS.findall(prose) for name in said.split("→"))
    return [name.removesuffix(" …") for name in names]


@pytest.mark.parametrize("page", QUOTING, ids=lambda page: page.name)
def test_names_that_a_page_quotes_are_on_the_screen(page: Path, on_screen: set[str]) -> None:
    assert [name for name in quoted_in(page.read_text("utf-8")) if name not in on_screen | OF_CVAT] == []


def test_quoted_names_are_found() -> None:
    """Else the test above would pass whatever pages quote."""
    said = "**Bold**, `*code*`, 2 * 3 * 4, *Your work → Start*, *Archive\nbatch …* and *x*y*."
    assert quoted_in(said) == ["Your work", "Start", "Archive batch"]
    assert len(quoted_in((ROOT / "README.md").read_text("utf-8"))) > 8


def code_of(page: Path) -> str:
    """Blocks of shell and words in code letters, a line each; continued lines are one."""
    text = page.read_text("utf-8")
    blocks = [block for language, block in BLOCK.findall(text) if language in ("", "sh")]
    words = WORDS.findall(BLOCK.sub("", text))
    return "\n".join([*blocks, *words]).replace("\\\n", " ")


def commands_in(page: Path) -> Iterator[list[str]]:
    for said in COMMAND.findall(code_of(page)):
        yield shlex.split(said.replace("[", "").replace("]", ""))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_can_be_typed(page: Path) -> None:
    wrong = {" ".join(words): command_problem(words[1:]) for words in commands_in(page)}
    assert {said: problem for said, problem in wrong.items() if problem} == {}


def test_commands_are_found_in_pages() -> None:
    """Else the test above would pass whatever pages say."""
    said = [" ".join(words) for words in commands_in(ROOT / "README.md")]
    assert len(said) > 15
    assert "ava qc bulk raw_batch1" in said


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_modules_and_targets_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    known = {variable_of(name) for name in Settings.model_fields} | NOT_SETTINGS
    assert set(SETTING.findall(text)) - known == set()
    modules = [name.replace(".", "/") for name in MODULE.findall(text)]
    assert [name for name in modules if not any((ROOT / name).parent.glob(f"{Path(name).name}*"))] == []
    targets = set(TARGET.findall(code_of(page)))
    made = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert targets - made == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_programs_and_extras_exist(page: Path) -> None:
    code = code_of(page)
    assert [path for path in PROGRAM.findall(code) if not (ROOT / path).is_file()] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert set(EXTRA.findall(code)) - set(project["optional-dependencies"]) == set()


@pytest.mark.parametrize("path", GENERATED)
def test_a_generated_page_is_whole(path: str) -> None:
    text = GENERATED[path]()
    assert text.startswith("# ")
    assert re.search(r"<[^>]*object at 0x", text) is None


def test_the_reference_leaves_nothing_out() -> None:
    settings, commands = GENERATED["reference/settings.md"](), GENERATED["reference/commands.md"]()
    assert [name for name in Settings.model_fields if f"`{variable_of(name)}`" not in settings] == []
    assert [
        name
        for name in ENTRY_POINTS
        if f"## {name.rpartition('.')[2]}" not in GENERATED["reference/api.md"]()
    ] == []
    root: Any = typer.main.get_command(app)
    for name, command in root.commands.items():
        for below in getattr(command, "commands", {"": None}):
            assert f"# ava {name} {below}".rstrip() in commands


def test_every_word_of_the_glossary_has_its_module() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (ROOT / "docs" / "glossary.md").read_text("utf-8").splitlines()
        if line.startswith("|") and not line.startswith(("| term", "|---"))
    ]
    assert len(rows) > 50
    assert [row for row in rows if len(row) != 3 or not OURS.fullmatch(row[2])] == []
    words = [(row[0], row[2]) for row in rows]
    assert len(set(words)) == len(words)


def entry_point(name: str) -> Any:
    """What a dotted name stands for."""
    module, _, own = name.rpartition(".")
    return getattr(importlib.import_module(module), own)


def test_there_are_twenty_entry_points_and_seven_for_extensions() -> None:
    assert len(ENTRY_POINTS) == 20 + 7


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
