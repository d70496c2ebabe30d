"""A task's annotations over its jobs: cut at the borders, joined again."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ava_core.annotation_server.segments import cut, interpolated, joined, within
from tests.support.examples import examples


def box(frame: int, left: float, *, outside: bool = False, **values: str) -> dict[str, Any]:
    """A keyframe whose box is 10 pixels wide."""
    ids = {"walking": 1, "phone": 2}
    attributes = [{"spec_id": ids[name], "value": value} for name, value in values.items()]
    return {
        "frame": frame, "type": "rectangle", "points": [left, 0.0, left + 10.0, 20.0], "outside": outside,
        "attributes": attributes,
    }  # fmt: skip


def track(*shapes: dict[str, Any]) -> dict[str, Any]:
    return {"label_id": 1, "frame": shapes[0]["frame"], "shapes": list(shapes)}


def places(one: dict[str, Any] | None) -> list[tuple[int, float]]:
    assert one is not None
    return [(shape["frame"], shape["points"][0]) for shape in one["shapes"]]


def test_a_track_gets_keyframes_at_the_borders_that_it_crosses() -> None:
    crossing = track(box(5, 50.0), box(45, 450.0))
    assert places(cut(crossing, 0, 29)) == [(5, 50.0), (29, 290.0)]
    assert places(cut(crossing, 30, 59)) == [(30, 300.0), (45, 450.0)]


def test_a_track_without_a_later_keyframe_is_not_prolonged() -> None:
    assert places(cut(track(box(5, 50.0)), 0, 29)) == [(5, 50.0)]


def test_a_track_holds_its_last_box_into_later_segments() -> None:
    assert places(cut(track(box(5, 50.0)), 30, 59)) == [(30, 50.0)]


def test_a_track_that_has_ended_or_not_begun_is_not_in_a_segment() -> None:
    ended = track(box(5, 50.0), box(20, 50.0, outside=True))
    assert cut(ended, 30, 59) is None
    assert cut(track(box(40, 50.0)), 0, 29) is None


def test_attributes_hold_as_steps_over_a_border() -> None:
    changing = [box(0, 0.0, walking="walk", phone="none"), box(10, 10.0, walking="run"), box(60, 60.0)]
    shape = interpolated(changing, 30)
    assert shape is not None
    assert {a["spec_id"]: a["value"] for a in shape["attributes"]} == {1: "run", 2: "none"}


def test_shapes_and_tags_go_to_the_segments_of_their_frames() -> None:
    content = {"tags": [{"frame": 29}, {"frame": 30}], "shapes": [box(8, 0.0), box(30, 0.0)], "tracks": []}
    part = within(content, 0, 29)
    assert [tag["frame"] for tag in part["tags"]] == [29]
    assert [shape["frame"] for shape in part["shapes"]] == [8]


def test_without_overlap_a_track_ends_after_its_job() -> None:
    parts = [(0, 29, within(one(track(box(5, 50.0), box(45, 450.0))), 0, 29)), (30, 59, one())]
    (shown,) = joined(parts)["tracks"]
    assert [(s["frame"], s["outside"]) for s in shown["shapes"]] == [(5, False), (29, False), (30, True)]


def test_two_people_in_an_overlap_stay_two() -> None:
    near, far = track(box(0, 0.0), box(9, 0.0)), track(box(8, 100.0), box(17, 100.0))
    assert len(joined([(0, 9, one(near)), (8, 17, one(far))])["tracks"]) == 2


def one(*tracks: dict[str, Any]) -> dict[str, Any]:
    return {"tags": [], "shapes": [], "tracks": list(tracks)}


def test_between_the_largest_numbers_everything_is_finite() -> None:
    """Whatever was stored can be read for the whole task."""
    wide = [box(0, 0.0) | {"points": [-1e308] * 4}, box(30, 0.0) | {"points": [1e308] * 4}]
    parts = [(start, stop, within(one(track(*wide)), start, stop)) for start, stop in ((0, 19), (15, 40))]
    shapes = [shape for part in joined(parts)["tracks"] for shape in part["shapes"]]
    assert all(abs(point) <= 1e308 for shape in shapes for point in shape["points"])


@examples(50)
@given(
    frames=st.lists(st.integers(0, 39), min_size=2, max_size=6, unique=True).map(sorted),
    lefts=st.lists(st.integers(0, 30), min_size=6, max_size=6),
    overlap=st.integers(1, 5),
)
def test_what_was_cut_at_overlaps_is_one_track_in_the_same_places(
    frames: list[int], lefts: list[int], overlap: int
) -> None:
    """Boxes 100 wide that move at most 30: whatever the keyframes are, the parts agree in the overlaps."""
    wide = [box(frame, float(left)) for frame, left in zip(frames, lefts, strict=False)]
    whole = track(*[shape | {"points": [shape["points"][0], 0.0, 130.0, 20.0]} for shape in wide])
    starts = range(0, 40, 20 - overlap)
    segments = [(start, min(start + 19, 39)) for start in starts if start == 0 or start + overlap <= 39]
    parts = [(start, stop, within(one(whole), start, stop)) for start, stop in segments]
    result = joined(parts)["tracks"]
    assert len(result) == 1
    for frame in range(frames[0], 40):
        there, here = interpolated(whole["shapes"], frame), interpolated(result[0]["shapes"], frame)
        assert there is not None
        assert here is not None
        assert all(abs(a - b) < 1e-6 for a, b in zip(there["points"], here["points"], strict=True))
