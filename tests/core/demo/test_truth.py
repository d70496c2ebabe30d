"""Truth in clips: scaled and shifted as the clip was; labels in the words of any ontology; or made up."""

from __future__ import annotations

import polars as pl
import pytest

from ava_core.base.schemas import CLIPS, SOURCE_VIDEOS, TRACKS, conform
from ava_core.demo.behaviour import GAITS, draw_habits, gait_of, generator, labels_of
from ava_core.demo.truth import SOURCE_BOXES, SceneTruth, invented_truth, truth_in_clips
from ava_core.ontology import load_ontology

STREET = load_ontology("street")
AVA = load_ontology("ava80")


def clip(clip_id: str, **values: object) -> dict[str, object]:
    row = {
        "clip_id": clip_id, "source_id": "demo_a", "batch": "demo", "index": 0, "start_s": 0.0, "duration_s": 5.0,
        "frames": 150, "width": 640, "height": 360, "scale_x": 1.0, "scale_y": 1.0, "pad_x": 0, "pad_y": 0,
        "content_width": 640, "content_height": 360, "path": "x.mp4", "sha256": "0",
    }  # fmt: skip
    return row | values


def clips(*rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=dict(CLIPS))


def sources(name: str = "nested/a.mp4") -> pl.DataFrame:
    row = dict.fromkeys(SOURCE_VIDEOS) | {"source_id": "demo_a", "original_name": name, "status": "ok"}
    return pl.DataFrame([row], schema=dict(SOURCE_VIDEOS))


def scene(seconds: int, fps: int = 25) -> SceneTruth:
    """One walker, whose x1 in pixels is ten times the time in seconds."""
    rows = [
        {"source": "nested/a.mp4", "frame": n, "time_s": n / fps, "walker_id": 1, "x1": 10 * n / fps, "y1": 100.0,
         "x2": 10 * n / fps + 40, "y2": 200.0, "visible": 1.0,
         "words": ["jogging", "no_phone", "alone", "backpack"]}
        for n in range(seconds * fps)
    ]  # fmt: skip
    return SceneTruth(pl.DataFrame(rows, schema=dict(SOURCE_BOXES)), seed=0)


def test_boxes_follow_the_clips_start_scale_and_padding():
    table = clips(clip("c0", start_s=15.0, scale_x=2.0, scale_y=0.5, pad_x=7, pad_y=11))
    truth = truth_in_clips(scene(30), table, sources(), STREET)
    assert truth.boxes["second"].to_list() == [0, 1, 2, 3, 4]
    assert truth.boxes["x1"].to_list() == [2.0 * 10 * (15 + s) + 7 for s in range(5)]
    assert truth.boxes["x2"].to_list() == [2.0 * (10 * (15 + s) + 40) + 7 for s in range(5)]
    assert truth.boxes["y1"].unique().to_list() == [0.5 * 100 + 11]
    assert not truth.invented
    assert truth.note == ""


def test_seconds_after_the_end_of_the_truth_are_empty():
    truth = truth_in_clips(scene(3), clips(clip("c0")), sources(), STREET)
    assert truth.boxes["second"].to_list() == [0, 1, 2]


def test_a_quarantined_source_has_no_truth():
    broken = sources().with_columns(status=pl.lit("quarantined"))
    assert truth_in_clips(scene(3), clips(clip("c0")), broken, STREET).boxes.is_empty()


@pytest.mark.parametrize("ontology", [STREET, AVA], ids=lambda o: o.name)
def test_every_group_of_any_ontology_is_answered(ontology):
    labels = truth_in_clips(scene(5), clips(clip("c0")), sources(), ontology).labels
    assert set(labels["group"]) == {group.name for group in ontology.groups}
    for group, ids in labels.select("group", "action_ids").iter_rows():
        known = ontology.group(group)
        assert set(ids) <= set(known.ids)
        assert len(ids) == 1 if known.kind == "exclusive" else len(ids) <= known.max_active


def test_the_same_behaviour_has_a_name_in_each_ontology():
    words = ["jogging", "texting", "backpack", "alone"]
    street, ava = labels_of(STREET, words, "w", 0), labels_of(AVA, words, "w", 0)
    assert [STREET.action(i).name for i in street["walking_behavior"]] == ["jogging"]
    assert [AVA.action(i).name for i in ava["pose"]] == ["run/jog"]
    assert {AVA.action(i).name for i in ava["object"]} == {
        "carry/hold (an object)",
        "text on/look at a cellphone",
    }
    assert ava["person"] == [], "alone: none of the group's actions, which is an answer"


def test_gaits_are_told_by_speed():
    assert gait_of(0.0) == "standing_still"
    assert all(gait_of(speed) == gait for gait, speed in GAITS.items())


def test_habits_hold_or_change_as_planned():
    habits = draw_habits(generator(1), "rush_hour", "normal_walk", 10)
    ((_, first), (change, then)) = habits.phone
    assert first in habits.words(0, "normal_walk", "sidewalk_walking")
    assert then in habits.words(change, "normal_walk", "sidewalk_walking")


def tracks(speed: float) -> pl.DataFrame:
    """A walker 100 px high at `speed` heights a second from frame 0 to 120, and a track of one second."""
    rows = [
        {"clip_id": "c0", "frame": n, "track_id": t, "x1": 100 * speed * n / 30, "y1": 50.0,
         "x2": 100 * speed * n / 30 + 40, "y2": 150.0, "score": 0.9, "interpolated": False}
        for t, last in ((1, 120), (2, 24)) for n in range(0, last + 1, 6)
    ]  # fmt: skip
    return conform(pl.DataFrame(rows), TRACKS, "tracks")


@pytest.mark.parametrize(
    ("speed", "gait"), [(0.02, "standing_still"), (0.8, "normal_walk"), (1.7, "jogging")]
)
def test_made_up_truth_walks_as_fast_as_the_track(speed, gait):
    truth = invented_truth(clips(clip("c0")), tracks(speed), STREET, seed=3)
    walking = truth.labels.filter(pl.col("group") == "walking_behavior")
    assert {STREET.action(ids[0]).name for ids in walking["action_ids"]} == {gait}
    assert truth.boxes["second"].to_list() == [0, 1, 2, 3, 4]


def test_made_up_truth_says_so_and_tells_of_clips_without_people():
    truth = invented_truth(clips(clip("c0"), clip("c1")), tracks(1.0), STREET, seed=3)
    assert truth.invented
    assert "seed 3" in truth.note
    assert truth.clips == {"c0", "c1"}
    assert set(truth.boxes["walker"]) == {"c0#1"}, "a track shorter than two seconds is nobody"


def test_made_up_truth_of_no_tracks_is_empty():
    truth = invented_truth(clips(clip("c0")), tracks(1.0).clear(), STREET, seed=3)
    assert truth.boxes.is_empty()
    assert truth.labels.is_empty()
