"""Running ahead of a reader: the same items, never too many, and no thread left behind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ava_core.base.settings import Settings
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext
from ava_core.video import cutting
from ava_core.video.intake.source_videos import take_in_sources
from ava_core.video.media.ahead import ahead
from tests.support.counting_detector import Counting


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "ahead"]


def test_items_come_in_order() -> None:
    assert list(ahead(range(1000), 8)) == list(range(1000))
    assert list(ahead([], 8)) == []
    assert threads() == []


def test_it_runs_ahead_no_farther_than_told() -> None:
    made: list[int] = []
    enough = threading.Event()

    def items() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            if number == 5:
                enough.set()
            yield number

    reader = ahead(items(), 4)
    assert next(reader) == 0
    assert enough.wait(10), "it does not run ahead"
    assert len(made) <= 7  # one read, four waiting, one in hand
    reader.close()  # type: ignore[attr-defined]
    assert threads() == []
    assert len(made) <= 8


def test_an_error_comes_where_it_was() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    reader = ahead(items(), 4)
    assert next(reader) == 1
    with pytest.raises(ValueError, match="broken"):
        next(reader)
    assert threads() == []


def test_a_gpu_gets_the_same_clips(
    tmp_path: Path,
    make_video: Callable[..., Path],
    small_clips: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    video = make_video(tmp_path / "v.mp4", seconds=5.0)
    tables = []
    for device in ("cpu", "cuda"):
        detector = Counting()
        detector.device = device  # type: ignore[attr-defined]
        monkeypatch.setattr(cutting, "make_detector", lambda settings, made=detector: made)
        settings = small_clips.model_copy(update={"detect_fps": 10.0})
        at = BatchContext("b", settings, storage=Storage(tmp_path / device))
        tables.append(cutting.cut_clips(at, take_in_sources(at, video)))
    assert tables[0].equals(tables[1])
    assert threads() == []
