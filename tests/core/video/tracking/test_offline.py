"""In hindsight: identities decided anew where they were in doubt, and no box of nobody."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from ava_core.base.schemas import BOX_COLUMNS
from ava_core.video.tracking.crossings import LONG_GAP_S, cut, overlaps
from ava_core.video.tracking.doubtful import without_doubtful
from ava_core.video.tracking.parameters import TrackerParameters
from ava_core.video.tracking.stitching import stitch
from ava_core.video.tracking.track import track_detections

Walker = Callable[..., pl.DataFrame]
AT_10_FPS = np.arange(0, 300, 3)


def tracked(person: pl.DataFrame, track_id: int) -> pl.DataFrame:
    """A person's detections as the hits of a track."""
    return person.drop("clip_id").with_columns(track_id=pl.lit(track_id, pl.Int64))


def test_a_crossing_cuts_both_and_a_swap_is_undone(walker: Walker) -> None:
    right = walker(range(0, 240, 3), start=(0, 100))
    left = walker(range(0, 240, 3), start=(717, 110), speed=-3.0)
    before, after = pl.col("frame") < 120, pl.col("frame") >= 120
    swapped = pl.concat([
        tracked(right.filter(before), 1), tracked(left.filter(after), 1),
        tracked(left.filter(before), 2), tracked(right.filter(after), 2),
    ])  # fmt: skip
    pieces = cut(swapped, 3)
    assert pieces["track_id"].n_unique() == 4
    whole = stitch(pieces, 5.0, 0.5)
    for _, one in whole.group_by("track_id"):
        assert one.sort("frame")["x1"].diff().drop_nulls().n_unique() == 1


def test_a_track_that_was_lost_for_long_is_judged_anew(walker: Walker) -> None:
    seen = [frame for frame in range(0, 240, 3) if not 90 <= frame < 90 + LONG_GAP_S * 30 + 6]
    assert cut(tracked(walker(seen), 1), 3)["track_id"].n_unique() == 2
    assert cut(tracked(walker(range(0, 240, 30)), 1), 30)["track_id"].n_unique() == 1, (
        "once a second is no gap"
    )


def test_nothing_is_lost_by_cutting_and_stitching(walker: Walker) -> None:
    hits = pl.concat(
        tracked(walker(range(0, 240, 3), start=(30.0 * n, 100), speed=n), n) for n in range(1, 6)
    )
    columns = ["frame", *BOX_COLUMNS, "score"]
    for kept in (cut(hits, 3), stitch(cut(hits, 3), 5.0, 0.5)):
        assert kept.select(columns).sort(columns).equals(hits.select(columns).sort(columns))


def test_overlaps_are_found_both_ways(walker: Walker) -> None:
    pair = pl.concat([tracked(walker([0]), 1), tracked(walker([0], start=(60, 100)), 2)])
    assert overlaps(pair, 0.5).sort("track_id").drop("iou").rows() == [(1, 2, 0), (2, 1, 0)]
    assert overlaps(pair, 0.7).is_empty()


def test_only_what_both_ends_agree_on_is_filled(walker: Walker) -> None:
    """Somebody who comes back elsewhere than expected is the same person, but where they were nobody knows."""
    first, later = walker(range(0, 120, 3), speed=0.0), walker(range(150, 300, 3), start=(88, 100), speed=0.0)
    person = pl.concat([first, later])
    strict = TrackerParameters(fill_reach=0.5)
    tracks = track_detections(person, AT_10_FPS, parameters=strict)
    assert tracks["track_id"].unique().to_list() == [1]
    assert not tracks["interpolated"].any()
    assert track_detections(person, AT_10_FPS)["interpolated"].any()


def test_second_boxes_of_somebody_make_no_second_person(walker: Walker) -> None:
    person = walker(range(0, 240, 3))
    beside = walker(range(60, 120, 3), start=(56, 108), score=0.7)
    tracks = track_detections(pl.concat([person, beside]), AT_10_FPS)
    assert tracks["track_id"].unique().to_list() == [1]


def test_people_who_walk_side_by_side_are_two(walker: Walker) -> None:
    pair = pl.concat([walker(range(0, 240, 3)), walker(range(0, 240, 3), start=(70, 104))])
    assert track_detections(pair, AT_10_FPS)["track_id"].n_unique() == 2


def test_what_a_detector_was_never_sure_of_is_nobody(walker: Walker) -> None:
    ghost = tracked(walker(range(0, 90, 3), score=0.5), 1)
    hidden = tracked(walker(range(0, 120, 3), score=0.3), 2)
    hidden = hidden.with_columns(score=pl.when(pl.col("frame") < 45).then(0.8).otherwise("score"))
    kept = without_doubtful(
        pl.concat([ghost, hidden.with_columns(pl.col(BOX_COLUMNS) + 500)]), TrackerParameters()
    )
    assert kept["track_id"].unique().to_list() == [2], (
        "half hidden for most of the time is somebody all the same"
    )
