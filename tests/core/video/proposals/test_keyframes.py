"""Boxes at keyframes: at the exact second, never where nobody was seen."""

from __future__ import annotations

import polars as pl
import pytest

from ava_core.base.schemas import CLIPS, PROPOSALS, TRACKS, empty
from ava_core.video.proposals.keyframes import boxes_at, keyframe_proposals

CLIP = pl.DataFrame([{"clip_id": "c", "batch": "b", "frames": 135}], schema=dict(CLIPS))


def track(*frames: int, track_id: int = 1, interpolated: tuple[int, ...] = ()) -> pl.DataFrame:
    """Somebody whose left edge is at 10 px a frame."""
    rows = [("c", f, track_id, 10.0 * f, 5.0, 10.0 * f + 40, 100.0, 0.9, f in interpolated) for f in frames]
    return pl.DataFrame(rows, schema=dict(TRACKS), orient="row")


def seconds(proposals: pl.DataFrame) -> list[int]:
    return proposals["second"].to_list()


def test_every_whole_second_that_the_track_covers_has_its_box() -> None:
    proposals = keyframe_proposals(CLIP, track(*range(15, 125, 3)))
    assert dict(proposals.schema) == dict(PROPOSALS)
    assert seconds(proposals) == [1, 2, 3, 4]
    assert proposals["x1"].to_list() == pytest.approx([300, 600, 900, 1200])


@pytest.mark.parametrize("phase", range(6))
def test_a_box_between_two_looks_is_where_the_person_was_then(phase: int) -> None:
    proposals = keyframe_proposals(CLIP, track(*range(20 + phase, 100, 6)))
    assert seconds(proposals) == [1, 2, 3]
    assert proposals["x1"].to_list() == pytest.approx([300, 600, 900])
    assert not proposals["interpolated"].any()


def test_no_box_before_the_first_or_after_the_last_detection() -> None:
    assert seconds(keyframe_proposals(CLIP, track(*range(31, 59, 3)))) == []
    assert seconds(keyframe_proposals(CLIP, track(*range(30, 61, 3)))) == [1, 2]


def test_no_box_across_a_gap_that_the_tracker_left_open() -> None:
    seen = [*range(15, 52, 3), *range(99, 130, 3)]
    assert seconds(keyframe_proposals(CLIP, track(*seen))) == [1, 4]


def test_filled_boxes_are_flagged_and_their_neighbours_not() -> None:
    proposals = keyframe_proposals(CLIP, track(*range(0, 130, 3), interpolated=tuple(range(51, 70, 3))))
    assert dict(proposals.select("second", "interpolated").rows()) == {
        0: False, 1: False, 2: True, 3: False, 4: False,
    }  # fmt: skip


def test_a_second_beyond_the_clip_is_no_keyframe() -> None:
    short = CLIP.with_columns(frames=pl.lit(60, pl.Int32))
    assert seconds(keyframe_proposals(short, track(*range(0, 90, 3)))) == [0, 1]


def test_tracks_do_not_mix() -> None:
    tracks = pl.concat([track(*range(0, 46, 3)), track(*range(45, 130, 3), track_id=2)])
    proposals = keyframe_proposals(CLIP, tracks)
    assert proposals.select("second", "track_id").rows() == [(0, 1), (1, 1), (2, 2), (3, 2), (4, 2)]


def test_nobody_gives_no_boxes() -> None:
    assert keyframe_proposals(CLIP, empty(TRACKS)).equals(empty(PROPOSALS))


def test_any_frame_may_be_asked_for() -> None:
    wanted = pl.DataFrame({"clip_id": ["c"] * 3, "frame": [4, 5, 200]})
    boxes = boxes_at(track(0, 3, 6, 9), wanted)
    assert boxes.select("frame", "x1").rows() == [(4, 40.0), (5, 50.0)]
