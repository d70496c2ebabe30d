"""The commands: what they print, and one sentence with exit code 1 for whatever a person can mend."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ava_assets.cli import main


class Said:
    """What a command printed, and how it ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def ava(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Any:
    """Runs `ava …` with a home and a working directory of its own."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, **environment: str) -> Said:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["ava", *arguments])
        code: Any = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        printed = capsys.readouterr()
        return Said(int(code), printed.out, printed.err)

    return run


def test_help_teaches(ava: Any) -> None:
    said = ava("--help")
    assert said.code == 0
    for command in ("up", "demo", "doctor", "validate", "batch", "annotator", "release"):
        assert command in said.out
    assert "AVA" in ava("batch", "add", "--help").out or "inbox" in ava("batch", "add", "--help").out


def _zip(path: Path, *names: str) -> str:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return str(path)


def test_a_batch_is_added_and_listed(ava: Any, tmp_path: Path) -> None:
    archive = _zip(tmp_path / "north gate.zip", "a.mp4")
    assert ava("batch", "list").out.startswith("No batches yet")
    added = ava("batch", "add", archive, "--option", "overlap=0.3")
    assert (added.code, "north_gate" in added.out) == (0, True)
    listed = ava("batch", "list").out
    assert all(name in listed for name in ("north_gate", "annotated", "agreed", "released"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["batch", "add", "nowhere.zip"], "nowhere.zip does not exist"),
        (["batch", "add", "empty.zip"], "is empty"),
        (["batch", "add", "texts.zip"], "contains no video"),
        (["batch", "add", "torn.zip"], "is cut short, or one part of several"),
        (["batch", "add", "good.zip", "--option", "overlapp=1"], "Unknown option overlapp"),
        (["batch", "add", "good.zip", "--option", "overlap=7"], "AVA_OVERLAP"),
        (["batch", "add", "good.zip", "--name", "a/b"], "is not a valid batch name"),
        (["demo", "--video", "nowhere.avi"], "nowhere.avi does not exist"),
        (["demo", "--home", "."], "is not empty"),
        (["validate", "."], "nor another csv with rows of AVA"),
        (["annotator", "pause", "nobody"], "no annotator 'nobody'"),
        (["annotator", "add", "maria"], "is not responding"),
        (["release", "make"], "No batch has an approved dataset"),
    ],
)
def test_an_error_is_one_sentence_and_a_cure(
    ava: Any, tmp_path: Path, arguments: list[str], said: str
) -> None:
    _zip(tmp_path / "empty.zip")
    _zip(tmp_path / "texts.zip", "readme.txt")
    _zip(tmp_path / "good.zip", "a.mp4")
    (tmp_path / "torn.zip").write_bytes(b"PK\x03\x04 torn")
    result = ava(*arguments, AVA_CVAT_PORT="9")
    text = " ".join(result.err.split())
    assert result.code == 1
    assert said in text
    assert text.startswith("error: ")
    assert "Traceback" not in text
    assert not list((tmp_path / "ava-home" / "inbox").glob("*"))


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"AVA_OVERLAP": "many"}, "AVA_OVERLAP"),
        ({"AVA_DATABASE_URL": "postgresql://u:secret-word@127.0.0.1:1/x"}, "AVA_DATABASE_URL"),
        ({"AVA_DEAL_OUT": "sometimes"}, "AVA_DEAL_OUT"),
    ],
)
def test_a_wrong_setting_names_its_variable(ava: Any, environment: dict[str, str], said: str) -> None:
    result = ava("batch", "list", **environment)
    assert (result.code, said in result.err) == (1, True)
    assert "secret-word" not in result.err
    assert "Traceback" not in result.err


def test_the_doctor_says_what_is_missing_and_the_cure(ava: Any, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("name: x\nversion: 1\ngroups: []\n")
    said = ava(
        "doctor", AVA_CVAT_PORT="9", AVA_DETECTOR="rfdetr", RF_HOME=str(tmp_path), AVA_ONTOLOGY=str(broken)
    )
    text = " ".join(said.out.split())
    assert said.code == 1
    for part in (
        "failed annotation server",
        "ava up",
        "failed detector",
        str(tmp_path),
        "broken.yaml",
        "ok database",
    ):
        assert part in text, part


def test_empty_lists_say_how_to_begin(ava: Any) -> None:
    assert "ava annotator add" in ava("annotator", "list").out
    assert "No releases yet" in ava("release", "list").out
