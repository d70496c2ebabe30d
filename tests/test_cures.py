"""Cures cure: commands, options, settings, pages, assets, files and extras that people are told of exist."""

from __future__ import annotations

import re
import shlex
import tomllib

from ava_assets.definitions import defs
from ava_core.base.settings import Settings, variable_of
from ava_ui.main import PAGES
from tests.support.commands import command_problem, every_option
from tests.support.texts import ROOT, Text, every_cure, every_text

CURES, TEXTS = every_cure(), every_text()

COMMAND = re.compile(r"`ava ([a-z][^`]*)`")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
OF_OTHERS = re.compile(r"`ray [^`]*`")
"""Commands of other programs, whose options are their own."""
SETTING = re.compile(r"\bAVA_[A-Z_]+[A-Z]\b")
PAGE = re.compile(r"(?:\bpage|\bon) (?!CVAT)([A-Z][a-z]+(?: work)?)\b|\b(?:the|The) ([A-Z][a-z]+) page\b")
ASSET = re.compile(r"[Mm]aterialise (?!it\b|them\b|…)(\w+)")
FILE = re.compile(r"(?<![\w/])((?:ava_core|ava_assets|ava_ui|docs|docker)/[\w./-]*\w|\.env\.example)")
BESIDE_SETTINGS = {"AVA_USER_PASSWORD", "AVA_ANNOTATOR_PASSWORD", "AVA_UP"}
"""Read where nobody can type a password; and what `ava up` marks its children by."""
EXTRA = re.compile(r"ava-platform\[(\w+)\]")


def named(pattern: re.Pattern[str], texts: list[Text], *, least: int) -> dict[str, list[str]]:
    """What a pattern names, and where: `least` so often, else the pattern misses what it looks for."""
    found: dict[str, list[str]] = {}
    for text in texts:
        for match in pattern.finditer(text.said):
            name = next((group for group in match.groups() if group), match[0])
            found.setdefault(name, []).append(text.place)
    assert sum(map(len, found.values())) >= least
    return found


def test_every_command_that_is_told_can_be_typed() -> None:
    told = named(COMMAND, TEXTS, least=80)
    wrong = {f"ava {said} ({places[0]})": command_problem(shlex.split(said)) for said, places in told.items()}
    assert {said: problem for said, problem in wrong.items() if problem} == {}


def test_a_command_that_cannot_be_typed_is_noticed() -> None:
    assert command_problem(["batch", "add", "a.zip", "--name", "b"]) == ""
    assert command_problem(["batch", "add"]) == "", "it is only named"
    assert "no command 'ad'" in command_problem(["batch", "ad"])
    assert "--nme" in command_problem(["batch", "add", "a.zip", "--nme", "b"])
    assert "needs" in command_problem(["batch", "add", "--name", "b"])
    assert "takes no 'c.zip'" in command_problem(["batch", "add", "a.zip", "c.zip"])


def test_every_option_of_a_cure_is_some_command_s() -> None:
    ours = [Text(text.place, OF_OTHERS.sub("", text.said)) for text in CURES]
    told = named(OPTION, ours, least=20)
    assert {name: places for name, places in told.items() if name not in every_option()} == {}


def test_every_setting_that_is_told_is_one() -> None:
    told = named(SETTING, TEXTS, least=60)
    known = {variable_of(name) for name in Settings.model_fields} | BESIDE_SETTINGS
    assert {name: places for name, places in told.items() if name not in known} == {}


def test_every_page_of_a_cure_is_in_the_console() -> None:
    told = named(PAGE, CURES, least=8)
    titles = {page.title for page in PAGES}
    assert {name: places for name, places in told.items() if name not in titles} == {}


def test_every_asset_of_a_cure_is_in_the_graph() -> None:
    told = named(ASSET, CURES, least=3)
    assets = {key.to_user_string() for key in defs().resolve_asset_graph().get_all_asset_keys()}
    assert {name: places for name, places in told.items() if name not in assets} == {}


def test_every_file_and_extra_of_a_cure_is_there() -> None:
    files = named(FILE, CURES, least=3)
    assert {name: places for name, places in files.items() if not (ROOT / name).exists()} == {}
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    told = named(EXTRA, CURES, least=2)
    assert {name: places for name, places in told.items() if name not in extras} == {}
