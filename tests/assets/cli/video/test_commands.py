"""`ava preprocess` and `ava preview`, and taking in what they wrote."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ava_assets.cli import main
from tests.support.videos import write_video


@pytest.fixture
def ava(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Any:
    """Runs `ava …` in a folder of its own; returns exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ava", *arguments])
        code: Any = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        printed = capsys.readouterr()
        return int(code), printed.out, printed.err

    return run


@pytest.fixture
def videos(tmp_path: Path) -> str:
    video = write_video(tmp_path / "v.mp4", seconds=6.0)
    with zipfile.ZipFile(tmp_path / "day 1.zip", "w") as archive:
        archive.write(video, "cam1/v.mp4")
        archive.writestr("cam2/bad.mp4", b"no video")
    return str(tmp_path / "day 1.zip")


def test_video_work_here_annotation_there(ava: Any, videos: str, tmp_path: Path) -> None:
    code, out, err = ava("preprocess", videos, "--out", "made", "--option", "detect_fps=3")
    assert code == 0
    assert "day_1: 2 source videos, 1 clips" in out
    assert "ava batch add made" in out
    assert "video seconds" in err, "no progress was shown"
    assert json.loads((tmp_path / "made" / "manifest.json").read_bytes())["settings"]["detect_fps"] == 3.0

    code, out, _ = ava("preview", "made", "--out", "look")
    assert code == 0
    assert sorted(path.name for path in (tmp_path / "look").iterdir()) == ["day_1__v.jpg", "day_1__v_000.mp4"]

    assert ava("batch", "add", "made")[0] == 0
    assert "day_1" in ava("batch", "list")[1]


def test_what_is_wrong_is_one_sentence(ava: Any, videos: str) -> None:
    for arguments, sentence in (
        (("preprocess", "no.zip", "--out", "made"), "no.zip does not exist"),
        (("preprocess", videos, "--out", "made", "--option", "detector=rfdetr"), "weights are not at"),
        (("preprocess", videos, "--out", "made", "--option", "colour=blue"), "Unknown option colour"),
        (("preview", "nowhere"), "does not exist"),
    ):
        code, _, err = ava(*arguments)
        assert (code, sentence in err) == (1, True), err
        assert "Traceback" not in err


def test_an_unknown_clip_is_named(ava: Any, videos: str) -> None:
    ava("preprocess", videos, "--out", "made")
    code, _, err = ava("preview", "made", "--clip", "nobody")
    assert code == 1
    assert "has no clip nobody. Its first clip is day_1__v_000" in err
