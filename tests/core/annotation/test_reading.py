"""Reading a job back: interpolated boxes, answers that hold, `outside`, flags, and a hash of the content."""

from __future__ import annotations

import random
from typing import Any

import pytest

from ava_core.annotation.reading import NOTHING, box_at, content_hash, read_shapes, said_at, shapes_from_api
from ava_core.ontology import Ontology, load_ontology
from ava_core.ontology.form import SEED_TRACK_ATTRIBUTE

SPECS = {1: "walking_behavior", 2: "posture_gesture", 9: SEED_TRACK_ATTRIBUTE}
FRAMES, WIDTH, HEIGHT = 150, 640, 360


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return load_ontology("street")


def shape(frame: int, x: float, *, outside: bool = False, **values: str) -> dict[str, Any]:
    ids = {"walk": 1, "posture": 2}
    return {
        "frame": frame, "type": "rectangle", "points": [x, 10.0, x + 40, 110.0], "outside": outside,
        "attributes": [{"spec_id": ids[name], "value": value} for name, value in values.items()],
    }  # fmt: skip


def track(*shapes: dict[str, Any], seed: str = "1", number: int = 500) -> dict[str, Any]:
    return {
        "id": number, "label_id": 3, "frame": shapes[0]["frame"], "shapes": list(shapes),
        "attributes": [{"spec_id": 9, "value": seed}],
    }  # fmt: skip


def read(content: dict[str, Any], ontology: Ontology, predrawn: list[dict[str, Any]] | None = None) -> Any:
    shapes = shapes_from_api(content, SPECS)
    return read_shapes(
        shapes, ontology, frames=FRAMES, width=WIDTH, height=HEIGHT, predrawn=predrawn or []
    )  # fmt: skip


def test_boxes_move_linearly_between_keyframes(ontology: Ontology) -> None:
    boxes, _ = read(
        {"tracks": [track(shape(0, 0.0), shape(60, 60.0), shape(61, 60.0, outside=True))]}, ontology
    )
    assert [(box["second"], box["x1"]) for box in boxes] == [(0, 0.0), (1, 30.0), (2, 60.0)]


def test_a_track_without_an_end_lasts_to_the_end_of_the_job(ontology: Ontology) -> None:
    boxes, _ = read({"tracks": [track(shape(45, 5.0))]}, ontology)
    assert [box["second"] for box in boxes] == [2, 3, 4]


def test_a_hidden_stretch_has_no_boxes(ontology: Ontology) -> None:
    content = {"tracks": [track(shape(0, 0.0), shape(20, 0.0, outside=True), shape(90, 50.0))]}
    boxes, _ = read(content, ontology)
    assert [box["second"] for box in boxes] == [0, 3, 4]


def test_an_answer_holds_until_the_next_one_and_unset_is_none(ontology: Ontology) -> None:
    content = {"tracks": [track(
        shape(0, 0.0, walk="unset", posture="upright_normal"), shape(45, 0.0, walk="jogging", posture="unset"),
        shape(90, 0.0, walk="unset"), shape(120, 0.0, walk="fast_walk", posture="looking_down"),
    )]}  # fmt: skip
    _, labels = read(content, ontology)
    ids = {action.id: action.name for action in ontology.actions}
    said = {(row["group"], row["second"]): ids[row["action_ids"][0]] for row in labels}
    walks = [said.get(("walking_behavior", second)) for second in range(5)]
    assert walks == [None, None, "jogging", "jogging", "fast_walk"]
    postures = [said.get(("posture_gesture", second)) for second in range(5)]
    assert postures == ["upright_normal"] * 4 + ["looking_down"]


def test_before_the_first_shape_there_is_nothing(ontology: Ontology) -> None:
    [*shapes] = shapes_from_api({"tracks": [track(shape(30, 1.0, walk="jogging"))]}, SPECS)
    assert said_at(shapes, 29, ontology) == NOTHING
    assert said_at(shapes, 30, ontology).labels
    assert box_at(shapes, 29) is None


def test_invalid_values_and_degenerate_boxes_are_flagged_not_dropped(ontology: Ontology) -> None:
    flat = {"frame": 0, "points": [50.0, 50.0, 50.0, 90.0], "outside": False, "attributes": []}
    beyond = shape(0, 620.0, walk="moonwalk")
    boxes, labels = read({"tracks": [track(flat), track(beyond, seed="x")]}, ontology)
    flags = sorted(flag for box in boxes if box["second"] == 0 for flag in box["flags"])
    assert flags == ["degenerate_box", "invalid_value:walking_behavior", "outside_picture"]
    assert not any(row["group"] == "walking_behavior" for row in labels)
    assert max(box["x2"] for box in boxes) <= WIDTH


def test_corners_in_any_order_make_the_same_box(ontology: Ontology) -> None:
    turned = {"frame": 0, "points": [60.0, 110.0, 20.0, 10.0], "outside": False, "attributes": []}
    boxes, _ = read({"tracks": [track(turned)]}, ontology)
    assert [boxes[0][name] for name in ("x1", "y1", "x2", "y2")] == [20.0, 10.0, 60.0, 110.0]


def test_edited_means_moved_or_drawn_by_the_annotator(ontology: Ontology) -> None:
    predrawn = [
        {"seed_track": 1, "shapes": [{"frame": 0, "box": [0.0, 10.0, 40.0, 110.0], "outside": False}]}
    ]
    same, moved = shape(0, 0.2), shape(0, 3.0)
    for given, edited in ((same, False), (moved, True)):
        boxes, _ = read({"tracks": [track(given)]}, ontology, predrawn)
        assert {box["edited"] for box in boxes} == {edited}
    added, _ = read({"tracks": [track(same, seed="77")]}, ontology, predrawn)
    assert {(box["edited"], box["seed_track_id"]) for box in added} == {(True, None)}


def test_the_hash_is_of_the_content_not_of_the_servers_numbers() -> None:
    tracks = [track(shape(0, float(n)), shape(30, 9.0), seed=str(n), number=n) for n in range(4)]
    shuffled = [dict(one, id=900 + n) for n, one in enumerate(random.Random(3).sample(tracks, 4))]
    hashes = {content_hash(shapes_from_api({"tracks": some}, SPECS)) for some in (tracks, shuffled)}
    assert len(hashes) == 1
    other = [*tracks[:3], track(shape(0, 3.5), shape(30, 9.0), seed="3")]
    assert content_hash(shapes_from_api({"tracks": other}, SPECS)) not in hashes


def test_a_shape_outside_tracks_lasts_one_frame(ontology: Ontology) -> None:
    boxes, _ = read({"tracks": [], "shapes": [shape(60, 8.0)]}, ontology)
    assert [(box["second"], box["x1"]) for box in boxes] == [(2, 8.0)]
