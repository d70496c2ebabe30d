"""Tracks of a clip: what is drawn for an annotator, and what is not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from ava_core.base.schemas import BOX_COLUMNS, DETECTIONS, TRACKS, empty
from ava_core.video.tracking.parameters import TrackerParameters
from ava_core.video.tracking.track import track_detections

Walker = Callable[..., pl.DataFrame]
AT_10_FPS = np.arange(0, 300, 3)


def frames_of(tracks: pl.DataFrame, track_id: int = 1) -> list[int]:
    return tracks.filter(pl.col("track_id") == track_id)["frame"].to_list()


def looks(first: int, last: int) -> list[int]:
    return list(range(first, last + 1, 3))


def test_one_person_is_one_track_from_first_to_last_detection(walker: Walker) -> None:
    tracks = track_detections(walker(looks(30, 240)), AT_10_FPS)
    assert dict(tracks.schema) == dict(TRACKS)
    assert tracks["track_id"].unique().to_list() == [1]
    # No hit is lost to confirmation, no box is coasted after the last.
    assert frames_of(tracks) == looks(30, 240)
    assert not tracks["interpolated"].any()


def test_boxes_are_the_detections_themselves(walker: Walker) -> None:
    person = walker(looks(30, 240))
    tracks = track_detections(person, AT_10_FPS)
    assert tracks.select("frame", *BOX_COLUMNS, "score").equals(person.drop("clip_id"))


def test_a_short_gap_is_filled_and_flagged(walker: Walker) -> None:
    seen = [frame for frame in looks(30, 240) if not 120 <= frame <= 138]
    tracks = track_detections(walker(seen), AT_10_FPS)
    assert frames_of(tracks) == looks(30, 240)
    filled = tracks.filter("interpolated")
    assert filled["frame"].to_list() == looks(120, 138)
    np.testing.assert_allclose(filled["x1"], [50 + 3 * frame for frame in looks(120, 138)])


def test_a_long_gap_stays_open(walker: Walker) -> None:
    seen = [frame for frame in looks(0, 290) if not 90 <= frame <= 195]
    tracks = track_detections(walker(seen, speed=0.2), AT_10_FPS)
    assert not set(frames_of(tracks)) & set(looks(90, 195))
    assert not tracks["interpolated"].any()


def test_gaps_of_doubtful_tracks_stay_open(walker: Walker) -> None:
    """Filling gaps of false tracks costs more than it gives."""
    seen = [frame for frame in looks(30, 240) if not 120 <= frame <= 138]
    sure = len(seen) // 3
    person = pl.concat([walker(seen[:sure]), walker(seen[sure:], score=0.2)])
    tracks = track_detections(person, AT_10_FPS)
    assert tracks.height > 10
    assert not tracks["interpolated"].any()


def test_pieces_of_one_person_are_stitched_over_an_occlusion(walker: Walker) -> None:
    parameters = TrackerParameters(max_age_s=0.2)
    seen = [frame for frame in looks(0, 240) if not 100 <= frame <= 130]
    tracks = track_detections(walker(seen), AT_10_FPS, parameters=parameters)
    assert tracks["track_id"].unique().to_list() == [1]


def test_different_people_are_not_stitched(walker: Walker) -> None:
    parameters = TrackerParameters(max_age_s=0.2)
    pair = pl.concat([walker(looks(0, 90)), walker(looks(120, 240), start=(50, 350), speed=-1.0)])
    tracks = track_detections(pair, AT_10_FPS, parameters=parameters)
    assert tracks["track_id"].n_unique() == 2


def test_flickers_are_dropped(walker: Walker) -> None:
    detections = pl.concat([walker(looks(0, 240)), walker([60], start=(900, 300))])
    assert track_detections(detections, AT_10_FPS)["track_id"].unique().to_list() == [1]
    brief = pl.concat([walker(looks(0, 240)), walker([60, 63], start=(900, 300), speed=0.0)])
    assert track_detections(brief, AT_10_FPS)["track_id"].unique().to_list() == [1]


def test_people_who_pass_each_other_keep_their_ids(walker: Walker) -> None:
    right = walker(looks(0, 270), start=(0, 100))
    left = walker(looks(0, 270), start=(800, 130), speed=-3.0)
    tracks = track_detections(pl.concat([right, left]), AT_10_FPS)
    for (_,), one in tracks.group_by(["track_id"]):
        assert one.sort("frame")["x1"].diff().drop_nulls().round(6).n_unique() == 1
    assert tracks["track_id"].n_unique() == 2


def test_ids_follow_first_appearance(walker: Walker) -> None:
    detections = pl.concat([walker(looks(90, 240), start=(0, 50)), walker(looks(0, 240), start=(0, 400))])
    tracks = track_detections(detections, AT_10_FPS)
    assert tracks.filter(pl.col("track_id") == 1)["y1"].unique().to_list() == [400.0]
    assert tracks.filter(pl.col("track_id") == 2)["frame"].min() == 90


@pytest.mark.parametrize("step", [1, 3, 6])
def test_seconds_mean_the_same_at_every_rate(step: int, walker: Walker) -> None:
    seen = [frame for frame in range(0, 300, step) if not 120 <= frame < 144]
    tracks = track_detections(walker(seen, speed=1.0), np.arange(0, 300, step))
    assert tracks["track_id"].unique().to_list() == [1]
    assert frames_of(tracks) == list(range(0, 300, step))


def test_fast_people_hold_at_low_rates_by_grown_boxes(walker: Walker) -> None:
    frames = range(0, 300, 6)
    person = walker(frames, speed=4.0)  # 24 px a look, of 40
    tracks = track_detections(person, np.array(frames))
    assert tracks["track_id"].unique().to_list() == [1]


def test_both_back_ends_give_the_same_tracks(walker: Walker) -> None:
    crowd = pl.concat(
        walker(
            [f for f in looks(3 * n, 200 + 10 * n) if (f // 3 + n) % 7],
            start=(60.0 * n, 40.0 * n),
            speed=2.0 - n / 3,
            score=0.3 + 0.1 * n,
        )
        for n in range(7)
    )
    ours = track_detections(crowd, AT_10_FPS)
    assert ours.height > 100
    assert ours.equals(track_detections(crowd, AT_10_FPS, backend="filterpy"))


def test_a_clip_without_people_has_no_tracks(walker: Walker) -> None:
    assert track_detections(empty(DETECTIONS), AT_10_FPS).equals(empty(TRACKS))
    assert track_detections(walker(looks(0, 90), score=0.2), AT_10_FPS).equals(empty(TRACKS))
