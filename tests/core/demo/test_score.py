"""Scores: the truth itself scores 1, what is missing or wrong less; hidden people count for nothing."""

from __future__ import annotations

import polars as pl
import pytest

from ava_core.base.schemas import CONSENSUS_BOXES, CONSENSUS_LABELS, PROPOSALS, RAW_BOXES, RAW_LABELS, empty
from ava_core.demo.score import score_labels, score_walkers
from ava_core.demo.truth import TRUTH_BOXES, TRUTH_LABELS, ClipTruth
from ava_core.ontology import load_ontology

SECONDS = 4
STREET = load_ontology("street")
GROUP = STREET.groups[0]


@pytest.fixture
def truth() -> ClipTruth:
    """Two walkers in one clip; the second one is hidden from second 2 on."""
    boxes, labels = [], []
    for second in range(SECONDS):
        for walker, x in (("a", 100.0), ("b", 300.0)):
            visible = 1.0 if walker == "a" or second < 2 else 0.1
            boxes.append(("c", second, walker, x, 50.0, x + 40, 150.0, visible))
            labels.append(("c", second, walker, GROUP.name, [GROUP.ids[0]]))
    return ClipTruth(
        frozenset({"c"}),
        pl.DataFrame(boxes, schema=dict(TRUTH_BOXES), orient="row"),
        pl.DataFrame(labels, schema=dict(TRUTH_LABELS), orient="row"),
        invented=False,
        seed=0,
    )


def proposals(truth: ClipTruth, shift: float = 0.0) -> pl.DataFrame:
    numbers = {"a": 1, "b": 2}
    rows = [
        (
            "c",
            r["second"],
            numbers[r["walker"]],
            r["x1"] + shift,
            r["y1"],
            r["x2"] + shift,
            r["y2"],
            0.9,
            False,
        )
        for r in truth.boxes.to_dicts()
    ]
    return pl.DataFrame(rows, schema=dict(PROPOSALS), orient="row")


def test_the_truth_finds_everybody(truth: ClipTruth) -> None:
    score = score_walkers(truth, proposals(truth))
    assert (score.planted, score.found, score.recall, score.precision) == (2, 2, 1.0, 1.0)


def test_boxes_beside_people_find_nobody(truth: ClipTruth) -> None:
    score = score_walkers(truth, proposals(truth, shift=60.0))
    assert (score.found, score.recall, score.precision) == (0, 0.0, 0.0)


def test_a_box_too_much_costs_precision_and_one_on_a_hidden_walker_does_not(truth: ClipTruth) -> None:
    extra = (
        proposals(truth)
        .head(1)
        .with_columns(x1=pl.lit(800.0), x2=pl.lit(840.0), track_id=pl.lit(9, pl.Int32))
    )
    score = score_walkers(truth, pl.concat([proposals(truth), extra]))
    assert score.recall == 1.0
    assert score.precision == pytest.approx(6 / 7)


def test_no_proposals_find_nobody(truth: ClipTruth) -> None:
    score = score_walkers(truth, empty(PROPOSALS))
    assert (score.planted, score.found, score.recall) == (2, 0, 0.0)


def raw(truth: ClipTruth, who: str, *, wrong: int = 0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Tables of an annotator who is wrong in the first `wrong` seconds of the first walker."""
    boxes, labels = [], []
    for row in truth.boxes.to_dicts():
        track = f"t{row['walker']}"
        action = GROUP.ids[1] if row["walker"] == "a" and row["second"] < wrong else GROUP.ids[0]
        where = ("c", who, 1, 1, track)
        boxes.append((*where, None, row["second"], row["x1"], row["y1"], row["x2"], row["y2"], True, []))
        labels.append((*where, row["second"], GROUP.name, [action]))
    return (
        pl.DataFrame(boxes, schema=dict(RAW_BOXES), orient="row"),
        pl.DataFrame(labels, schema=dict(RAW_LABELS), orient="row"),
    )


def test_accuracy_is_the_share_of_exactly_right_ratings(truth: ClipTruth) -> None:
    right, wrong = raw(truth, "right"), raw(truth, "wrong", wrong=3)
    consensus_boxes = pl.DataFrame(
        [("c", r["second"], 1 if r["walker"] == "a" else 2, r["x1"], r["y1"], r["x2"], r["y2"], 2, 2, 1.0, "mean")
         for r in truth.boxes.to_dicts()], schema=dict(CONSENSUS_BOXES), orient="row",
    )  # fmt: skip
    consensus_labels = consensus_boxes.select(
        "clip_id", "second", "person_id", group=pl.lit(GROUP.name), action_id=pl.lit(GROUP.ids[0]), votes=2,
        voters=2, posterior=None, rule=pl.lit("majority"),
    ).cast(dict(CONSENSUS_LABELS))  # fmt: skip
    table = score_labels(
        truth,
        pl.concat([right[0], wrong[0]]),
        pl.concat([right[1], wrong[1]]),
        consensus_boxes,
        consensus_labels,
        STREET,
    )
    assert table.select("who", "labels", "rated", "right").rows() == [
        ("right", 6, 6, 6),
        ("wrong", 6, 6, 3),
        ("consensus", 6, 6, 6),
    ]
    assert table["accuracy"].to_list() == [1.0, 0.5, 1.0]
    assert table["mean_iou"].to_list() == [1.0, 1.0, 1.0]


def test_what_was_not_rated_is_wrong_of_all_only(truth: ClipTruth) -> None:
    boxes, labels = raw(truth, "half")
    labels = labels.filter(pl.col("second") >= 1)
    table = score_labels(truth, boxes, labels, empty(CONSENSUS_BOXES), empty(CONSENSUS_LABELS), STREET)
    [row] = table.to_dicts()
    assert (row["accuracy"], row["of_all"]) == (1.0, pytest.approx(4 / 6))
