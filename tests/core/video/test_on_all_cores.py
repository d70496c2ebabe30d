"""Cutting and tracking give the same bytes whatever the number of workers."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ava_core.base.progress import Progress, ProgressReport
from ava_core.base.settings import Settings
from ava_core.base.storage import Storage
from ava_core.base.work import processes
from ava_core.base.work.processes import ProcessRunner
from ava_core.batch import BatchContext
from ava_core.video.cutting import cut_clips
from ava_core.video.intake.source_videos import take_in_sources
from ava_core.video.tracking.batch import track_clips
from tests.support.odd_videos import GROUPS, damaged
from tests.support.stored import bytes_of

MakeVideo = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path, make_video: MakeVideo) -> Path:
    """One that is encoded, one that is copied, one that is damaged, one that is lost before it is cut."""
    made = tmp_path / "in"
    made.mkdir()
    make_video(made / "encoded.mp4", fps=25, seconds=5.0, size=(320, 240))
    make_video(made / "copied.mp4", fps=30, seconds=4.0, size=(320, 240), options=GROUPS)
    holed = make_video(made / "holed.mp4", fps=30, seconds=6.0, size=(320, 240), options=GROUPS)
    damaged(holed, range(70, 80))
    make_video(made / "lost.mp4", fps=25, seconds=2.0, still=True)
    return made


def test_the_same_bytes_whatever_the_number_of_workers(
    folder: Path, tmp_path: Path, small_clips: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[int] = []
    real = ProcessRunner.__init__

    def noted(self: ProcessRunner, workers: int) -> None:
        started.append(workers)
        real(self, workers)

    monkeypatch.setattr(ProcessRunner, "__init__", noted)
    done: dict[str, list[tuple[str, float]]] = {}

    def process(name: str, options: dict[str, object]) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, str]]:
        storage = Storage(tmp_path / name)
        at = BatchContext("b", small_clips.with_options(options), storage=storage)
        sources = take_in_sources(at, folder)
        lost = sources.filter(original_name="lost.mp4")["path"][0]
        storage.path(lost).write_bytes(b"a disk lost this")
        reports: list[list[ProgressReport]] = [[], []]
        clips = cut_clips(at, sources, reports[0].append)
        tracks = track_clips(at, clips, reports[1].append)
        done[name] = [(told[-1].what, told[-1].done) for told in reports]
        return clips, tracks, bytes_of(storage)

    inline = process("inline", {"runner": "inline"})
    assert not started
    beside = process("beside", {"workers": 2})
    assert started == [2, 2]
    assert inline[0].equals(beside[0])
    assert inline[1].equals(beside[1])
    assert inline[2] == beside[2]
    assert inline[0]["source_id"].n_unique() == 3
    assert done["inline"] == done["beside"]
    assert done["beside"] == [("cut", pytest.approx(15, abs=1)), ("track", inline[0].height)]


def test_a_worker_that_is_killed_changes_nothing(
    tmp_path: Path, make_video: MakeVideo, small_clips: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    for number in range(3):
        make_video(tmp_path / "in" / f"{number}.mp4", fps=25, seconds=6.0 + number / 5, size=(320, 240))
    workers: list[subprocess.Popen[bytes]] = []
    told: list[float] = []
    real, advance = subprocess.Popen, Progress.advance

    def start(*args: Any, **kwargs: Any) -> subprocess.Popen[bytes]:
        workers.append(real(*args, **kwargs))
        return workers[-1]

    def advance_and_kill(self: Progress, units: float = 1.0) -> None:
        told.append(units)
        if workers and len(told) == 3:
            workers[0].kill()
        advance(self, units)

    def process(name: str, options: dict[str, object]) -> dict[str, str]:
        at = BatchContext("b", small_clips.with_options(options), storage=Storage(tmp_path / name))
        sources = take_in_sources(at, tmp_path / "in")
        told.clear()
        cut_clips(at, sources)
        return bytes_of(at.storage)

    inline = process("inline", {"runner": "inline"})
    monkeypatch.setattr(processes.subprocess, "Popen", start)
    monkeypatch.setattr("ava_core.video.cutting.Progress.advance", advance_and_kill)
    assert process("killed", {"workers": 2}) == inline
    assert len(workers) == 3, "a new one took the place of the killed one"
