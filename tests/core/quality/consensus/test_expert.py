"""An expert's version of a clip takes the consensus' place, as a whole and only there."""

from __future__ import annotations

import polars as pl

from ava_core.base.schemas import (
    ADJUDICATION_QUEUE,
    CLIP_NEEDS,
    CONSENSUS_BOXES,
    CONSENSUS_LABELS,
    DISPUTED,
    RAW_BOXES,
    RAW_LABELS,
)
from ava_core.quality.consensus.expert import RULE, with_expert_work


def consensus() -> dict[str, pl.DataFrame]:
    """One person in each of the clips a and b, one second disputed in each."""
    boxes = [
        ("a", 2, 1, 0.0, 0.0, 9.0, 9.0, 2, 3, 0.9, "mean"),
        ("b", 2, 1, 0.0, 0.0, 9.0, 9.0, 2, 3, 0.9, "mean"),
    ]
    labels = [(clip, 2, 1, "g", 5, 2, 3, 0.9, "majority") for clip in ("a", "b")]
    return {
        "consensus_boxes": pl.DataFrame(boxes, schema=dict(CONSENSUS_BOXES), orient="row"),
        "consensus_labels": pl.DataFrame(labels, schema=dict(CONSENSUS_LABELS), orient="row"),
        "disputed": pl.DataFrame([(c, 3, "tie") for c in ("a", "b")], schema=dict(DISPUTED), orient="row"),
        "queue": pl.DataFrame(
            [(c, 3, 1, 90, "g", 0.5, "doubt", 1, 9.0) for c in ("a", "b")],
            schema=dict(ADJUDICATION_QUEUE),
            orient="row",
        ),
        "needs": pl.DataFrame(
            [(c, 3, "", "", 0.5, 0.1) for c in ("a", "b")], schema=dict(CLIP_NEEDS), orient="row"
        ),
        "persons": pl.DataFrame(),
    }


def expert(*people: tuple[str, int | None, int]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """People of clip a at second 2: track, the consensus' person it descends from, its action."""
    boxes, labels = [], []
    for number, (track, seed, action) in enumerate(people):
        where = ("a", "ex", 7, 1, track)
        boxes.append((*where, seed, 2, 10.0 * number, 0.0, 10.0 * number + 8, 9.0, True, []))
        labels.append((*where, 2, "g", [action]))
    return (
        pl.DataFrame(boxes, schema=dict(RAW_BOXES), orient="row"),
        pl.DataFrame(labels, schema=dict(RAW_LABELS), orient="row"),
    )


def test_the_experts_clip_says_what_the_expert_said() -> None:
    tables = with_expert_work(consensus(), *expert(("t1", 1, 6), ("t2", None, 7)), ["a"], ["a", "b"])
    labels = tables["consensus_labels"].select("clip_id", "person_id", "action_id", "rule").rows()
    assert labels == [("a", 1, 6, RULE), ("a", 2, 7, RULE), ("b", 1, 5, "majority")]
    assert tables["consensus_boxes"].select("clip_id", "person_id", "voters").rows() == [
        ("a", 1, 1), ("a", 2, 1), ("b", 1, 3),
    ]  # fmt: skip
    for name in ("disputed", "queue", "needs"):
        assert tables[name]["clip_id"].to_list() == ["b"], name


def test_two_tracks_from_one_person_are_two_people() -> None:
    tables = with_expert_work(consensus(), *expert(("t1", 1, 6), ("t2", 1, 7)), ["a"], ["a"])
    people = tables["consensus_boxes"].filter(pl.col("clip_id") == "a")["person_id"].to_list()
    assert sorted(people) == [1, 2]


def test_an_emptied_clip_is_empty() -> None:
    tables = with_expert_work(consensus(), *expert(), ["a"], ["a", "b"])
    assert tables["consensus_boxes"]["clip_id"].to_list() == ["b"]
    assert tables["consensus_labels"]["clip_id"].to_list() == ["b"]


def test_what_is_not_approved_stays_out() -> None:
    before = consensus()
    assert with_expert_work(before, *expert(("t1", 1, 6)), ["a"], ["b"]) is before
