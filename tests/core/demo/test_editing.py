"""What a simulated annotator does to a job: false tracks go, missing people come, and the same seed does the same."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from ava_core.annotation.reading import said_at, shapes_from_api
from ava_core.demo.editing import Edits, Form, box_at, edit_tracks
from ava_core.demo.perception import PROFILES, perceive
from ava_core.demo.truth import TRUTH_BOXES, TRUTH_LABELS, ClipTruth
from ava_core.ontology import UNSET, load_ontology
from ava_core.ontology.form import SEED_TRACK_ATTRIBUTE, form_fields

FRAMES = 150
STREET = load_ontology("street")
SPECS = {field.name: n for n, field in enumerate(form_fields(STREET), start=1)} | {SEED_TRACK_ATTRIBUTE: 99}
CAREFUL = PROFILES["careful"]


@pytest.fixture
def truth() -> ClipTruth:
    """One person through five seconds."""
    group = STREET.groups[0]
    boxes = [("c", s, "a", 100.0, 50.0, 140.0, 150.0, 1.0) for s in range(5)]
    labels = [("c", s, "a", g.name, [g.ids[0]]) for s in range(5) for g in STREET.groups]
    assert group.ids
    return ClipTruth(
        frozenset({"c"}),
        pl.DataFrame(boxes, schema=dict(TRUTH_BOXES), orient="row"),
        pl.DataFrame(labels, schema=dict(TRUTH_LABELS), orient="row"),
        invented=False,
        seed=0,
    )


def track(number: int, x: float) -> dict[str, Any]:
    unset = [
        {"spec_id": spec, "value": UNSET} for name, spec in SPECS.items() if name != SEED_TRACK_ATTRIBUTE
    ]
    return {
        "id": number, "label_id": 7, "frame": 0, "attributes": [{"spec_id": 99, "value": str(number)}],
        "shapes": [{"type": "rectangle", "frame": 0, "points": [x, 50.0, x + 40, 150.0], "outside": False,
                    "attributes": unset}],
    }  # fmt: skip


def edits(truth: ClipTruth, tracks: list[dict[str, Any]], profile: str = "careful", seed: int = 1) -> Edits:
    view = perceive(truth, "c", STREET, PROFILES[profile], "someone", seed)
    form = Form(7, SPECS, STREET)
    return edit_tracks(tracks, view, PROFILES[profile], form, FRAMES, (seed, "someone", "c"))


def test_a_track_on_nobody_is_deleted_and_the_one_on_the_person_labelled(truth: ClipTruth) -> None:
    done = [edits(truth, [track(1, 102.0), track(2, 700.0)], seed=seed) for seed in range(5)]
    assert sum(len(one.delete) for one in done) >= 4
    for one in done:
        [kept] = [t for t in one.update if t["id"] == 1]
        values = {a["value"] for shape in kept["shapes"] for a in shape["attributes"]}
        assert values - {UNSET}


def test_a_missing_person_is_added(truth: ClipTruth) -> None:
    done = [edits(truth, [], seed=seed) for seed in range(5)]
    assert sum(len(one.create) for one in done) >= 4
    [added] = next(one.create for one in done if one.create)
    assert box_at(added["shapes"], 30) is not None


def test_the_same_seed_does_the_same(truth: ClipTruth) -> None:
    first, again = (edits(truth, [track(1, 110.0)], "hasty") for _ in range(2))
    assert first == again


def test_what_the_interface_shows_between_keyframes() -> None:
    shapes = [
        {"frame": 0, "points": [0.0, 0.0, 10.0, 10.0], "outside": False},
        {"frame": 10, "points": [10.0, 0.0, 20.0, 10.0], "outside": False},
        {"frame": 11, "points": [10.0, 0.0, 20.0, 10.0], "outside": True},
    ]
    assert box_at(shapes, 5) == (5.0, 0.0, 15.0, 10.0)
    assert box_at(shapes, 11) is None
    assert box_at(shapes, 99) is None


def test_an_answer_goes_into_the_keyframe_that_is_shown_and_no_other(truth: ClipTruth) -> None:
    pre_drawn = track(1, 102.0)
    pre_drawn["shapes"] = [dict(pre_drawn["shapes"][0], frame=frame) for frame in (0, 30, 60, 90)]
    [kept] = edits(truth, [pre_drawn], seed=3).update
    said = {
        shape["frame"]: {a["value"] for a in shape["attributes"]} - {UNSET}
        for shape in kept["shapes"]
        if shape["frame"] in (0, 30, 60, 90)
    }
    assert said.pop(0)
    assert set(map(len, said.values())) == {0}, "pre-drawn keyframes go on saying unset"


def test_what_was_said_once_is_read_to_the_end(truth: ClipTruth) -> None:
    pre_drawn = track(1, 102.0)
    pre_drawn["shapes"] = [dict(pre_drawn["shapes"][0], frame=frame) for frame in (0, 30, 60, 90)]
    view = perceive(truth, "c", STREET, CAREFUL, "someone", 3)
    done = edits(truth, [pre_drawn], seed=3)
    shapes = shapes_from_api({"tracks": done.update}, {number: name for name, number in SPECS.items()})
    for second in range(5):
        assert dict(said_at(shapes, second * 30, STREET).labels) == view.labels["a", second]
