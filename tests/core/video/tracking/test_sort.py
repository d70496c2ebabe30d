"""Array SORT against filterpy, the oracle: the same ids, the same boxes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ava_core.video.tracking.filterpy_sort import FilterpyFilter
from ava_core.video.tracking.iou import grown, pairwise_iou
from ava_core.video.tracking.sort import ArrayFilter, Sort
from tests.support.examples import examples

BOXES = hnp.arrays(
    np.float64,
    st.tuples(st.integers(0, 8), st.just(5)),
    elements=st.floats(0.0, 1.0, width=32),
)


def as_detections(unit: np.ndarray) -> np.ndarray:
    """Numbers in [0, 1] as boxes of 10 to 210 px in a 600 px picture, with scores."""
    left_top = unit[:, :2] * 400
    size = 10 + unit[:, 2:4] * 200
    return np.column_stack([left_top, left_top + size, unit[:, 4]])


def crowd(seed: int, people: int, looks: int) -> list[np.ndarray]:
    """Detections of people who walk about, are missed and come back, with a few ghosts."""
    noise = np.random.default_rng(seed)
    centre = noise.uniform(100, 900, (people, 2))
    velocity = noise.normal(0, 4, (people, 2))
    size = np.column_stack([noise.uniform(30, 60, people), noise.uniform(80, 160, people)])
    steps = []
    for _ in range(looks):
        centre = centre + velocity
        box = np.column_stack([centre - size / 2, centre + size / 2]) + noise.normal(0, 1.5, (people, 4))
        seen = noise.random(people) > 0.15
        ghosts = noise.uniform(0, 900, (noise.poisson(0.5), 2))
        boxes = np.vstack([box[seen], np.column_stack([ghosts, ghosts + np.array([40, 100])])])
        steps.append(np.column_stack([boxes, noise.uniform(0.1, 1.0, len(boxes))]))
    return steps


def whole(filters: ArrayFilter) -> np.ndarray:
    """The covariances as filterpy has them, `(N, 7, 7)`."""
    _, _, own, shared, moving = filters.states
    matrices = np.zeros((len(own), 8, 8))
    value, both = np.arange(4), np.arange(4, 8)
    matrices[:, value, value] = own
    matrices[:, value, both] = matrices[:, both, value] = shared
    matrices[:, both, both] = moving
    return matrices[:, :7, :7]


def assert_equal_runs(steps: list[np.ndarray], *, velocity_noise: float = 1.0, **parameters: float) -> None:
    arrays, oracle = ArrayFilter(velocity_noise), FilterpyFilter(velocity_noise)
    ours, theirs = (Sort(f, max_age=5, **parameters) for f in (arrays, oracle))  # type: ignore[arg-type]
    for detections in steps:
        np.testing.assert_array_equal(ours.step(detections), theirs.step(detections))
        values = np.array([one.x[:4, 0] for one in oracle._filters]).reshape(-1, 4)
        np.testing.assert_allclose(arrays.states[0], values, rtol=1e-9, atol=1e-9)
        velocities = np.array([one.x[4:, 0] for one in oracle._filters]).reshape(-1, 3)
        np.testing.assert_allclose(arrays.states[1, :, :3], velocities, rtol=1e-9, atol=1e-9)
        covariances = np.array([one.P for one in oracle._filters]).reshape(-1, 7, 7)
        np.testing.assert_allclose(whole(arrays), covariances, rtol=1e-9, atol=1e-7)
        np.testing.assert_allclose(arrays.predict(), oracle.predict(), rtol=0, atol=1e-9)


@examples(60)
@given(st.lists(BOXES, min_size=1, max_size=8), st.sampled_from([0.0, 0.45]), st.sampled_from([0.0, 0.3]))
def test_any_boxes_give_the_same_tracks(units: list[np.ndarray], start_score: float, buffer: float) -> None:
    # Boxes that are exactly alike leave the choice to the last bit of a float: each is a little beside the others.
    steps = [as_detections(unit + np.arange(len(unit))[:, None] * 1e-4) for unit in units]
    assert_equal_runs(steps, start_score=start_score, buffer=buffer)


@pytest.mark.parametrize("seed", range(3))
def test_a_crowd_gives_the_same_tracks(seed: int) -> None:
    assert_equal_runs(crowd(seed, people=25, looks=60))
    assert_equal_runs(crowd(seed, people=25, looks=60), velocity_noise=30.0)


@examples(40)
@given(st.lists(BOXES, min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_detections_does_not_matter(units: list[np.ndarray], random: object) -> None:
    steps = [as_detections(unit + np.arange(len(unit))[:, None] * 1e-4) for unit in units]
    plain, shuffled = Sort(ArrayFilter(), max_age=5), Sort(ArrayFilter(), max_age=5)
    partners: dict[int, int] = {}
    for detections in steps:
        order = list(range(len(detections)))
        random.shuffle(order)  # type: ignore[attr-defined]
        a = plain.step(detections)[order]
        b = shuffled.step(detections[order])
        for one, other in zip(a.tolist(), b.tolist(), strict=True):
            assert partners.setdefault(one, other) == other


def test_ids_count_from_one_in_every_instance() -> None:
    for _ in range(2):
        found = Sort(ArrayFilter(), max_age=1).step(np.array([[0, 0, 10, 20, 0.9], [50, 0, 60, 20, 0.9]]))
        assert found.tolist() == [1, 2]


def test_weak_detections_continue_tracks_and_start_none() -> None:
    tracker = Sort(ArrayFilter(), max_age=3, start_score=0.5)
    person, ghost = [0, 0, 40, 100], [300, 0, 340, 100]
    assert tracker.step(np.array([[*person, 0.9], [*ghost, 0.3]])).tolist() == [1, 0]
    assert tracker.step(np.array([[*person, 0.3], [*ghost, 0.3]])).tolist() == [1, 0]


def test_strong_detections_choose_first() -> None:
    tracker = Sort(ArrayFilter(), max_age=3, start_score=0.5)
    tracker.step(np.array([[0, 0, 40, 100, 0.9]]))
    # The weak one overlaps better, but may only take what the strong one leaves.
    assert tracker.step(np.array([[0, 0, 40, 100, 0.3], [8, 0, 48, 100, 0.9]])).tolist() == [0, 1]


def test_a_track_waits_as_long_as_told() -> None:
    box, nothing = np.array([[0, 0, 40, 100, 0.9]]), np.empty((0, 5))
    for misses, expected in ((3, 1), (4, 2)):
        tracker = Sort(ArrayFilter(), max_age=3)
        tracker.step(box)
        for _ in range(misses):
            tracker.step(nothing)
        assert tracker.step(box).tolist() == [expected]


def test_a_bad_pair_never_pushes_a_good_one_aside() -> None:
    # Ungated assignment would take two overlaps of .25 over one of .48: sum .5, both then refused.
    tracker = Sort(ArrayFilter(), max_age=3, iou=0.3)
    tracker.step(np.array([[0, 0, 100, 100, 0.9], [200, 0, 300, 100, 0.9]]))
    found = tracker.step(np.array([[35, 0, 135, 100, 0.9], [160, 0, 260, 100, 0.9]]))
    assert found.tolist() == [1, 2]


def test_overlap_of_boxes() -> None:
    a = np.array([[0.0, 0, 10, 10], [0, 0, 0, 0]])
    b = np.array([[5.0, 0, 15, 10], [20, 20, 30, 30], [0, 0, 10, 10]])
    np.testing.assert_allclose(pairwise_iou(a, b), [[1 / 3, 0, 1], [0, 0, 0]])
    np.testing.assert_allclose(grown(np.array([[10.0, 20, 20, 40]]), 0.1), [[9, 18, 21, 42]])
