"""Cutting: lengths, offsets, keyframes, transform, and what a killed run leaves to be done."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
import pytest

from ava_core.base.schemas import CLIPS
from ava_core.base.settings import Settings, load_settings
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext
from ava_core.video.cutting import cut_clips
from ava_core.video.intake.source_videos import take_in_sources
from ava_core.video.media.frames import decoded_frames
from ava_core.video.media.probe import probe
from ava_core.video.outcome import outcome_of
from tests.support.odd_videos import GROUPS, damaged

MakeVideo = Callable[..., Path]
ShownNumber = Callable[[Any], int]


@pytest.fixture
def cut(storage: Storage) -> Callable[..., pl.DataFrame]:
    def run(video: Path, settings: Settings, batch: str = "b") -> pl.DataFrame:
        at = BatchContext(batch, settings, storage=storage)
        return cut_clips(at, take_in_sources(at, video))

    return run


def files_of(storage: Storage, batch: str = "b") -> dict[str, int]:
    folder = Path(storage.asset_dir(batch, "clips").path)
    return {
        str(path.relative_to(folder)): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file() and "done" not in path.parts and not path.name.startswith("cuts.parquet")
    }


def test_clips_follow_one_another_and_the_remainder_counts_if_long_enough(
    tmp_path: Path, make_video: MakeVideo, small_clips: Settings, cut: Callable[..., pl.DataFrame]
) -> None:
    clips = cut(make_video(tmp_path / "v.mp4", seconds=5.6), small_clips)
    assert dict(clips.schema) == dict(CLIPS)
    assert clips["clip_id"].to_list() == ["b_v_000", "b_v_001", "b_v_002"]
    assert clips["start_s"].to_list() == [0.0, 2.0, 4.0]
    assert clips["frames"].to_list() == [60, 60, 48]
    shorter = cut(make_video(tmp_path / "w.mp4", seconds=4.9), small_clips, "c")
    assert shorter["frames"].to_list() == [60, 60]


def test_by_default_a_clip_is_15_s_and_a_remainder_of_5_s_is_kept(
    tmp_path: Path, make_video: MakeVideo, cut: Callable[..., pl.DataFrame]
) -> None:
    long = cut(make_video(tmp_path / "v.mp4", seconds=20.0, fps=5), load_settings())
    assert long["duration_s"].to_list() == [15.0, 5.0]
    assert cut(make_video(tmp_path / "short.mp4", seconds=6.0, fps=5), load_settings(), "s").height == 1
    assert cut(make_video(tmp_path / "blink.mp4", seconds=4.0, fps=5), load_settings(), "t").is_empty()


def test_a_clip_is_what_the_source_showed(
    tmp_path: Path,
    make_video: MakeVideo,
    small_clips: Settings,
    cut: Callable[..., pl.DataFrame],
    storage: Storage,
    shown_number: ShownNumber,
) -> None:
    clips = cut(make_video(tmp_path / "v.mp4", seconds=4.0, fps=30, size=(320, 240)), small_clips)
    second = Path(storage.path(clips["path"][1]).path)
    info = probe(second)
    assert (info.codec, info.pixel_format, info.fps, info.variable_rate) == ("h264", "yuv420p", 30.0, False)
    assert [shown_number(frame) for frame in decoded_frames(second)] == list(range(60, 120))
    folder = Path(storage.asset_dir("b", "clips").path) / "keyframes" / "b_v_001"
    pictures = [cv2.imread(str(path)) for path in sorted(folder.iterdir())]
    assert [shown_number(picture) for picture in pictures] == [60, 90]


@pytest.mark.parametrize(("fitting", "size"), [("scale", (960, 720)), ("letterbox", (1280, 720))])
def test_a_rotated_large_source_is_turned_scaled_and_its_transform_kept(
    fitting: str, size: tuple[int, int], tmp_path: Path, make_video: MakeVideo, storage: Storage
) -> None:
    settings = load_settings(clip_seconds=1.0, clip_min_seconds=1.0, clip_fit=fitting)
    video = make_video(tmp_path / "v.mp4", seconds=1.0, size=(1200, 1600), rotation=90)
    at = BatchContext("b", settings, storage=storage)
    sources = take_in_sources(at, video)
    row = cut_clips(at, sources).row(0, named=True)
    assert (row["width"], row["height"]) == size
    assert (row["content_width"], row["content_height"]) == (960, 720)
    assert (row["scale_x"], row["scale_y"]) == (pytest.approx(0.6), pytest.approx(0.6))
    assert row["pad_x"] == (size[0] - 960) // 2


def test_a_source_without_people_gives_clips_all_the_same(
    tmp_path: Path,
    make_video: MakeVideo,
    small_clips: Settings,
    cut: Callable[..., pl.DataFrame],
    storage: Storage,
) -> None:
    video = make_video(tmp_path / "v.mp4", seconds=2.0, still=True)
    assert cut(video, small_clips).height == 1
    kept = storage.read_table(storage.asset_dir("b", "clips") / "detections" / "b_v_000.parquet")
    assert kept.is_empty()


def test_a_finished_run_is_not_repeated(
    tmp_path: Path,
    make_video: MakeVideo,
    small_clips: Settings,
    cut: Callable[..., pl.DataFrame],
    storage: Storage,
) -> None:
    video = make_video(tmp_path / "v.mp4", seconds=5.0)
    first, before = cut(video, small_clips), files_of(storage)
    assert cut(video, small_clips).equals(first)
    assert files_of(storage) == before


def test_what_is_missing_is_made_again_and_the_rest_left_alone(
    tmp_path: Path,
    make_video: MakeVideo,
    small_clips: Settings,
    cut: Callable[..., pl.DataFrame],
    storage: Storage,
) -> None:
    video = make_video(tmp_path / "v.mp4", seconds=6.0)
    first, before = cut(video, small_clips), files_of(storage)
    storage.path(first["path"][1]).unlink()
    assert cut(video, small_clips).equals(first)
    changed = {name for name, at in files_of(storage).items() if at != before[name]}
    assert changed
    assert all("b_v_001" in name for name in changed)


def test_changed_parameters_cut_again(
    tmp_path: Path,
    make_video: MakeVideo,
    small_clips: Settings,
    cut: Callable[..., pl.DataFrame],
    storage: Storage,
) -> None:
    video = make_video(tmp_path / "v.mp4", seconds=6.0)
    cut(video, small_clips)
    longer = load_settings(clip_seconds=1.0, clip_min_seconds=1.0)
    assert cut(video, longer)["duration_s"].to_list() == [1.0] * 6
    left = Path(storage.asset_dir("b", "clips").path) / "keyframes" / "b_v_000"
    assert [path.name for path in left.iterdir()] == ["0000.jpg"]


KILLED = """
import sys
from pathlib import Path
from ava_core.video.cutting import cut_clips
from ava_core.video.intake.source_videos import take_in_sources
from ava_core.base.settings import load_settings
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext

video, root = Path(sys.argv[1]), sys.argv[2]
settings = load_settings(clip_seconds=2.0, clip_min_seconds=1.0)
at = BatchContext("b", settings, storage=Storage(root))
cut_clips(at, take_in_sources(at, video))
"""


def test_a_killed_run_goes_on_where_it_was(
    tmp_path: Path,
    make_video: MakeVideo,
    small_clips: Settings,
    cut: Callable[..., pl.DataFrame],
    storage: Storage,
) -> None:
    video = make_video(tmp_path / "v.mp4", seconds=24.0, size=(640, 480))
    script = tmp_path / "run.py"
    script.write_text(KILLED)
    process = subprocess.Popen([sys.executable, str(script), str(video), str(storage.root)])
    notes = Path(storage.asset_dir("b", "clips").path) / "done"
    deadline = time.monotonic() + 60
    while len(list(notes.glob("*.json"))) < 3 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "the run was over before it could be killed"

    done = {json.loads(note.read_bytes())["clip"]["clip_id"] for note in notes.glob("*.json")}
    before = files_of(storage)
    clips = cut(video, small_clips)
    assert 3 <= len(done) < clips.height == 12
    after = files_of(storage)
    kept = {name for name in before if any(clip_id in name for clip_id in done)}
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}

    elsewhere = BatchContext("b", small_clips, storage=Storage(tmp_path / "other"))
    whole = cut_clips(elsewhere, take_in_sources(elsewhere, video))
    assert whole.equals(clips)
    for clip_id in clips["clip_id"]:
        name = Path("batches/b/clips/detections") / f"{clip_id}.parquet"
        a, b = (pl.read_parquet(root / name) for root in (Path(storage.root.path), tmp_path / "other"))
        assert a.equals(b)


def test_a_source_that_breaks_off_keeps_its_clips(
    tmp_path: Path, make_video: MakeVideo, small_clips: Settings, cut: Callable[..., pl.DataFrame]
) -> None:
    video = make_video(tmp_path / "v.mkv", seconds=8.0, options={"preset": "ultrafast", "g": "10"})
    video.write_bytes(video.read_bytes()[: int(video.stat().st_size * 0.6)])
    clips = cut(video, small_clips)
    assert 2 <= clips.height < 4
    assert np.all(clips["frames"].to_numpy() >= 30)


def cuts_of(storage: Storage, batch: str = "b") -> dict[str, Any]:
    return storage.read_table(storage.table_path(batch, "clips", "cuts")).row(0, named=True)


def test_a_clip_ends_where_frames_are_damaged_and_the_next_begins_behind(
    tmp_path: Path,
    make_video: MakeVideo,
    small_clips: Settings,
    cut: Callable[..., pl.DataFrame],
    storage: Storage,
    shown_number: ShownNumber,
) -> None:
    video = make_video(tmp_path / "v.mp4", fps=30, seconds=8.0, options=GROUPS, size=(320, 240))
    clips = cut(damaged(video, range(100, 110)), small_clips)
    assert clips["start_s"].to_list() == [0.0, 2.0, 4.0, 6.0]
    assert clips["frames"].to_list() == [60, 40, 60, 60]
    shown = [
        [shown_number(frame) for frame in decoded_frames(Path(storage.path(path).path))]
        for path in clips["path"]
    ]
    assert shown == [
        list(range(60)), list(range(60, 100)), list(range(120, 180)), list(range(180, 240))
    ]  # fmt: skip
    cuts = cuts_of(storage)
    assert (cuts["frames"], cuts["used"], cuts["damaged"], cuts["clips"]) == (240, 220, 20, 4)
    assert cuts["clip_seconds"] == pytest.approx(220 / 30)
    before = files_of(storage)
    assert cut(video, small_clips).equals(clips), "a second run leaves all as it is"
    assert files_of(storage) == before


def test_what_a_source_gave_is_counted(
    tmp_path: Path,
    make_video: MakeVideo,
    small_clips: Settings,
    cut: Callable[..., pl.DataFrame],
    storage: Storage,
) -> None:
    cut(make_video(tmp_path / "v.mp4", seconds=4.4), small_clips)
    cuts = cuts_of(storage)
    assert (cuts["decoded"], cuts["used"], cuts["clips"], cuts["copied"]) == (110, 100, 2, 0)
    assert (cuts["duration_s"], cuts["clip_seconds"], cuts["status"]) == (pytest.approx(4.4), 4.0, "ok")


def test_a_source_that_cannot_be_cut_stops_no_other(
    tmp_path: Path, make_video: MakeVideo, small_clips: Settings, storage: Storage
) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.mp4", "b.mp4"):
        make_video(tmp_path / "in" / name, seconds=2.0, still=name == "a.mp4")
    at = BatchContext("b", small_clips, storage=storage)
    sources = take_in_sources(at, tmp_path / "in")
    storage.path(sources["path"][0]).write_bytes(b"a disk lost this")
    clips = cut_clips(at, sources)
    assert clips["source_id"].to_list() == ["b_b"]
    outcome = outcome_of(at)
    assert outcome is not None
    assert outcome.complaints == [
        "a.mp4: it cannot be read as video (Invalid data found when processing input)."
    ]
    assert outcome.lost_share == pytest.approx(0.5)
    assert outcome.sentence.startswith("Clips hold 2.0 of 4.0 seconds; 50 frames were decoded, 50 are used")


def test_a_full_disk_is_no_fault_of_a_source(
    tmp_path: Path,
    make_video: MakeVideo,
    small_clips: Settings,
    storage: Storage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at = BatchContext("b", small_clips, storage=storage)
    sources = take_in_sources(at, make_video(tmp_path / "v.mp4", seconds=2.0))

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("ava_core.video.media.clip_writer.jpeg", full)
    with pytest.raises(OSError, match="No space left"):
        cut_clips(at, sources)


@pytest.mark.parametrize("colour_range", ["tv", "pc"])
def test_clip_keyframe_and_detector_see_the_same_colours(
    colour_range: str,
    tmp_path: Path,
    make_video: MakeVideo,
    small_clips: Settings,
    cut: Callable[..., pl.DataFrame],
    storage: Storage,
) -> None:
    options = {"preset": "ultrafast", "x264-params": f"fullrange={'on' if colour_range == 'pc' else 'off'}"}
    video = make_video(tmp_path / "v.mp4", seconds=2.0, size=(320, 240), still=True, options=options)
    clips = cut(video, small_clips)
    source, clip = (next(decoded_frames(path)) for path in (video, Path(storage.path(clips["path"][0]).path)))
    keyframe = cv2.imread(
        str(Path(storage.asset_dir("b", "clips").path) / "keyframes" / "b_v_000" / "0000.jpg")
    )
    assert abs(source.mean() - clip.mean()) < 1
    assert abs(source.mean() - keyframe.mean()) < 1
