"""Who is whom survives what annotators and CVAT do to tracks."""

from __future__ import annotations

import polars as pl
import pytest

from ava_core.quality.agreement.build import build_panel
from ava_core.quality.agreement.measure import measure_agreement
from ava_core.quality.agreement.untangle import untangle
from tests.support.planted_scenarios import scenario
from tests.support.planted_score import matched
from tests.support.planted_work import GOOD, plant
from tests.support.written_work import LEFT, RIGHT, Track, Work, written

SHIFTED = (110.0, 110.0, 190.0, 310.0)  # IoU .71 with LEFT


def people(work: Work) -> dict[tuple[str, str], int]:
    """The person of every annotator's track, in clip "c"."""
    persons = work.panel.persons
    return {(a, t): p for a, t, p in persons.select("annotator", "track_key", "person_id").rows()}


def test_renumbered_tracks_are_matched_by_place() -> None:
    work = written({
        ("c", "anna"): [Track(LEFT, seed=1), Track(RIGHT, seed=2)],
        ("c", "ben"): [Track(RIGHT, seed=None), Track(SHIFTED, seed=None)],
    })  # fmt: skip
    found = people(work)
    assert found["anna", "t0"] == found["ben", "t1"]
    assert found["anna", "t1"] == found["ben", "t0"]
    assert len(set(found.values())) == 2


def test_a_seed_that_lies_elsewhere_is_not_believed() -> None:
    work = written({
        ("c", "anna"): [Track(LEFT, seed=1), Track(RIGHT, seed=2)],
        ("c", "ben"): [Track(RIGHT, seed=1), Track(LEFT, seed=2)],
    })  # fmt: skip
    found = people(work)
    assert found["anna", "t0"] == found["ben", "t1"]
    assert found["anna", "t1"] == found["ben", "t0"]


def test_pieces_of_a_split_track_are_one_person() -> None:
    work = written({
        ("c", "anna"): [Track(LEFT)],
        ("c", "ben"): [Track(SHIFTED, seconds=range(7)), Track(SHIFTED, seconds=range(7, 10), seed=None)],
    })  # fmt: skip
    assert set(people(work).values()) == {1}


@pytest.mark.parametrize("seed", [1, None])
def test_a_track_that_somebody_ended_early_is_the_same_person(seed: int | None) -> None:
    work = written({
        ("c", "anna"): [Track(LEFT, seconds=range(15), seed=seed)],
        ("c", "ben"): [Track(SHIFTED, seconds=range(4), seed=seed)],
    })  # fmt: skip
    assert set(people(work).values()) == {1}


def test_a_passer_by_of_a_second_is_not_whom_they_pass() -> None:
    passes = {0: RIGHT, 1: SHIFTED, 2: (400.0, 100.0, 480.0, 300.0)}
    work = written({
        ("c", "anna"): [Track(LEFT, seconds=range(10), seed=None)],
        ("c", "ben"): [Track(seconds=range(3), boxes=passes, seed=None)],
    })  # fmt: skip
    assert len(set(people(work).values())) == 2


def test_two_boxes_of_one_annotator_at_one_second_are_two_people() -> None:
    work = written({
        ("c", "anna"): [Track(LEFT)],
        ("c", "ben"): [Track(LEFT, seed=None), Track(SHIFTED, seed=None)],
    })  # fmt: skip
    found = people(work)
    assert found["ben", "t0"] == found["anna", "t0"] != found["ben", "t1"]


def test_added_and_deleted_people_are_scored() -> None:
    work = written({
        ("c", "anna"): [Track(LEFT), Track(RIGHT, seed=2)],
        ("c", "ben"): [Track(LEFT)],
    })  # fmt: skip
    pair = measure_agreement(*work.tables)["pairs"].row(0, named=True)
    assert pair["missed"] == 10
    assert pair["f1"] == pytest.approx(2 * 10 / 30)
    assert pair["mean_iou"] == 1


def test_swapped_tracks_cost_identity_but_not_detection_nor_labels() -> None:
    sit, walk = {"pose": [1], "object": []}, {"pose": [3], "object": []}
    swapped = [
        Track(LEFT, labels={"pose": {s: [1] if s < 6 else [3] for s in range(10)}, "object": []},
              boxes=dict.fromkeys(range(6, 10), RIGHT)),
        Track(RIGHT, labels={"pose": {s: [3] if s < 6 else [1] for s in range(10)}, "object": []}, seed=2,
              boxes=dict.fromkeys(range(6, 10), LEFT)),
    ]  # fmt: skip
    right = [Track(LEFT, labels=sit), Track(RIGHT, labels=walk, seed=2)]
    work = written({("c", "anna"): right, ("c", "ben"): swapped, ("c", "cleo"): right})
    tables = measure_agreement(*work.tables)
    pair = (
        tables["pairs"]
        .filter(pl.col("annotator") == "anna", pl.col("annotator_b") == "ben")
        .row(0, named=True)
    )
    assert pair["f1"] == 1
    assert pair["idf1"] == pytest.approx(0.6)
    assert pair["pooled_alpha"] == 1
    identity = tables["conflicts"].filter(pl.col("kind") == "identity")
    assert sorted(identity["second"].unique()) == [6, 7, 8, 9]
    assert set(identity["frame"]) == {180, 210, 240, 270}


def test_untangling_what_is_not_tangled_changes_nothing() -> None:
    panel = written({("c", "anna"): [Track(LEFT)], ("c", "ben"): [Track(SHIFTED)]}).panel
    assert untangle(panel).votes is panel.votes


@pytest.mark.parametrize("seed", [0, 1])
def test_planted_people_are_found_again(seed: int) -> None:
    planted = plant({f"a{n}": GOOD for n in range(3)}, seed=seed, clips=20)
    panel = untangle(build_panel(*planted.work))
    pairs = []
    for slot in range(3):
        places = panel.present[:, slot].nonzero()[0]
        boxes = pl.DataFrame(panel.place_columns(places)).with_columns(
            **{
                name: pl.Series(panel.boxes[places, slot, i])
                for i, name in enumerate(("x1", "y1", "x2", "y2"))
            }
        )
        pairs.append(matched(planted.true_boxes.cast({"second": pl.Int32, "person_id": pl.Int32}), boxes))
    seen = pl.concat(pairs)
    whom = seen.group_by("clip_id", "person_id", "person_id_b").len().sort("len", descending=True)
    main = whom.unique(["clip_id", "person_id"], keep="first")["len"].sum()
    assert main / seen.height > 0.97


def test_the_order_of_rows_does_not_matter() -> None:
    planted = scenario("2 good + 1 random", 1)
    shuffled = [table.sample(fraction=1, shuffle=True, seed=3) for table in planted.work[:3]]
    assert build_panel(*shuffled, planted.ontology).persons.equals(build_panel(*planted.work).persons)
