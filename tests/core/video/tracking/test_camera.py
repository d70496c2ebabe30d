"""The camera's motion from what everybody does at once."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from ava_core.base.schemas import BOX_COLUMNS, DETECTIONS
from ava_core.video.tracking.camera import LEAST_PEOPLE, common_shift
from ava_core.video.tracking.track import Backend, track_detections

LOOKS = np.arange(0, 300, 3)


def people(count: int, seed: int = 0) -> np.ndarray:
    """Boxes of people of about 50 × 120 px, `(N, 4)`."""
    random = np.random.default_rng(seed)
    corner = random.uniform(0, 1500, (count, 2))
    return np.column_stack([corner, corner + random.uniform(0.9, 1.1, (count, 1)) * np.array([50, 120])])


def test_a_shift_of_everybody_is_the_cameras() -> None:
    before = people(12)
    np.testing.assert_allclose(common_shift(before, before + np.tile([40.0, -25.0], 2)), [40, -25], atol=1e-6)


def test_it_holds_with_some_hidden_and_some_going_their_own_way() -> None:
    random = np.random.default_rng(1)
    before = people(15)
    after = before + np.tile([45.0, 10.0], 2) + random.normal(0, 1.0, before.shape)
    after[:3] += 60.0
    np.testing.assert_allclose(common_shift(before, after[:-3]), [45, 10], atol=3)


def test_people_who_go_their_own_ways_move_no_camera() -> None:
    random = np.random.default_rng(2)
    before = people(15)
    own_ways = np.tile(random.normal(0, 30, (15, 2)), 2)
    assert not common_shift(before, before + own_ways).any()
    assert not common_shift(before, before + random.normal(0, 2, before.shape)).any()


def test_too_few_people_say_nothing_of_the_camera() -> None:
    few = people(LEAST_PEOPLE - 1)
    assert not common_shift(few, few + 40.0).any()
    assert not common_shift(np.empty((0, 4)), np.empty((0, 4))).any()


def row_of_people(shake: np.ndarray) -> pl.DataFrame:
    """Eight people who stand in a row, nearer to each other than a camera shakes."""
    rows = [
        ("c", int(frame), x + dx, 100 + dy, x + dx + 40, 200 + dy, 0.9)
        for frame, (dx, dy) in zip(LOOKS, shake, strict=True)
        for x in np.array([0.0, 50, 130, 190, 270, 330, 410, 500])
    ]
    return pl.DataFrame(rows, schema=dict(DETECTIONS), orient="row")


@pytest.mark.parametrize("backend", ["sort", "filterpy"])
def test_nobody_becomes_their_neighbour_when_the_camera_jolts(backend: Backend) -> None:
    shake = np.zeros((len(LOOKS), 2))
    shake[40:] += (55.0, 12.0)
    shake[70:] -= (50.0, 0.0)
    detections = row_of_people(shake)
    tracks = track_detections(detections, LOOKS, backend=backend)
    assert tracks["track_id"].n_unique() == 8
    camera = pl.DataFrame({"frame": LOOKS, "dx": shake[:, 0]}).cast({"frame": pl.Int32})
    where = tracks.join(camera, on="frame").with_columns(place=(pl.col("x1") - pl.col("dx")).round(3))
    assert where.group_by("track_id").agg(pl.col("place").n_unique())["place"].to_list() == [1] * 8
    back = tracks.sort("frame", "x1").select(BOX_COLUMNS)
    np.testing.assert_allclose(back, detections.sort("frame", "x1").select(BOX_COLUMNS), atol=1e-6)


def test_a_gap_is_filled_along_the_cameras_way() -> None:
    shake = np.zeros((len(LOOKS), 2))
    shake[44:] += (55.0, 0.0)
    seen = row_of_people(shake).filter(
        ~(pl.col("frame").is_between(120, 144) & pl.col("x1").is_between(0, 60))
    )
    tracks = track_detections(seen, LOOKS).filter("interpolated")
    assert set(tracks["frame"]) == set(range(120, 145, 3))
    jolt = pl.col("frame") >= 44 * 3
    stays = tracks.with_columns(place=pl.col("x1") - pl.when(jolt).then(55.0).otherwise(0.0))
    assert stays["place"].round(3).unique().sort().to_list() == [0.0, 50.0]
    assert tracks["x1"].min() >= seen["x1"].min(), "what is filled stays in the picture"


def test_a_look_that_was_left_out_costs_no_box() -> None:
    """A video may break off for a while: frames looked at are not all one step apart."""
    shake = np.zeros((len(LOOKS), 2))
    shake[60:] += (55.0, 0.0)
    without = [*range(120, 131, 3)]
    seen = row_of_people(shake).filter(~pl.col("frame").is_in(without))
    tracks = track_detections(seen, np.array([frame for frame in LOOKS if frame not in without]))
    assert tracks.filter(~pl.col("interpolated")).height == seen.height
    assert tracks["track_id"].n_unique() == 8
