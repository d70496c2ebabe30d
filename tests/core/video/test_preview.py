"""Previews: they play in browsers and show what is there."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest

from ava_core.base.schemas import TRACKS, empty
from ava_core.base.settings import Settings
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext
from ava_core.video import preview
from ava_core.video.cutting import cut_clips
from ava_core.video.intake.source_videos import take_in_sources
from ava_core.video.media.frames import decoded_frames

MakeVideo = Callable[..., Path]


def tracks_of(clip_id: str) -> pl.DataFrame:
    rows = [(clip_id, frame, 1, 40.0 + frame, 120.0, 80.0 + frame, 200.0, 0.9, False) for frame in (0, 6, 12)]
    return pl.DataFrame(rows, schema=dict(TRACKS), orient="row")


@pytest.fixture
def clip(tmp_path: Path, make_video: MakeVideo, storage: Storage, small_clips: Settings) -> pl.DataFrame:
    video = make_video(tmp_path / "v.mp4", seconds=2.0, size=(320, 240))
    at = BatchContext("b", small_clips, storage=storage)
    return cut_clips(at, take_in_sources(at, video))


def test_a_preview_plays_in_browsers(clip: pl.DataFrame, storage: Storage, tmp_path: Path) -> None:
    import av

    target = tmp_path / "preview.mp4"
    preview.render_preview(Path(storage.path(clip["path"][0]).path), tracks_of(clip["clip_id"][0]), target)
    with av.open(str(target)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.average_rate, stream.frames) == (30, 60)
    data = target.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat"), "a browser could not start before it has all"


def test_tracks_are_drawn_while_they_last(clip: pl.DataFrame, storage: Storage, tmp_path: Path) -> None:
    source, target = Path(storage.path(clip["path"][0]).path), tmp_path / "preview.mp4"
    preview.render_preview(source, tracks_of(clip["clip_id"][0]), target)
    pairs = list(zip(decoded_frames(source), decoded_frames(target), strict=True))
    colour = np.array(preview.colour_of(1), dtype=float)
    for number, (_, drawn) in enumerate(pairs):
        x = 40 + number
        edge = drawn[150:190, x - 1 : x + 2].astype(float).mean(axis=0)
        near = np.abs(edge - colour).sum(axis=1).min() < 150
        assert near == (number <= 12), f"frame {number}"
    assert np.abs(pairs[30][0].astype(int) - pairs[30][1]).mean() < 4


def test_a_contact_sheet_shows_every_clip(clip: pl.DataFrame, storage: Storage) -> None:
    sheet = preview.contact_sheet(clip, tracks_of(clip["clip_id"][0]), storage)
    picture = cv2.imdecode(np.frombuffer(sheet, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (240, 960, 3)
    assert picture[:, :320].max() > 150
    assert picture[:, 320:].max() < 20


def test_a_sheet_of_nothing_is_a_picture(clip: pl.DataFrame, storage: Storage) -> None:
    assert preview.contact_sheet(clip.clear(), empty(TRACKS), storage).startswith(b"\xff\xd8")


def test_neighbouring_ids_look_different() -> None:
    colours = [np.array(preview.colour_of(n), dtype=float) for n in range(1, 40)]
    assert all(np.abs(a - b).sum() > 80 for a, b in pairwise(colours))
