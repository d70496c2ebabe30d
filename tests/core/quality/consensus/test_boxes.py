"""Who is there, and where."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ava_core.base.schemas import BOX_COLUMNS
from ava_core.quality.agreement.overlap import box_iou
from ava_core.quality.consensus.boxes import INDISTINCT, merge_boxes
from ava_core.quality.consensus.form import form_consensus
from tests.support.examples import examples
from tests.support.written_work import LEFT, RIGHT, Track, Work, written

NEAR = (110.0, 100.0, 190.0, 300.0)
FAR = (150.0, 100.0, 230.0, 300.0)  # IoU .23 with LEFT


def boxes(work: Work, **options) -> pl.DataFrame:
    return form_consensus(*work.tables, approved=work.clips, **options)["consensus_boxes"]


def drawn(*tracks: Track | None) -> Work:
    names = ("anna", "ben", "cleo", "dora")
    return written({("c", n): [t] if t else [] for n, t in zip(names, tracks, strict=False)})


def test_a_person_needs_half_of_the_voters() -> None:
    assert boxes(drawn(Track(), None, None)).is_empty()
    assert boxes(drawn(Track(), Track(), None))["rule"].unique().to_list() == ["quorum"]


def test_exactly_half_is_kept_and_disputed_until_an_expert_has_spoken() -> None:
    work = drawn(Track(seconds=[3]), None)
    tables = form_consensus(*work.tables, approved=work.clips)
    assert tables["consensus_boxes"]["rule"].to_list() == ["tie"]
    assert tables["disputed"].rows() == [("c", 3, "half of the annotators see this person")]
    assert tables["queue"].select("group", "expected_error").row(0) == ("presence", 0.5)
    expert = pl.DataFrame(
        {"clip_id": ["c"], "second": [3], "person_id": [1], "group": ["pose"], "action_ids": [[2]]}
    )
    settled = form_consensus(*work.tables, approved=work.clips, adjudications=expert)
    assert settled["disputed"].is_empty()


def test_the_box_is_a_mean_of_those_that_agree() -> None:
    tables = boxes(drawn(Track(LEFT, seconds=[0]), Track(NEAR, seconds=[0])))
    row = tables.row(0, named=True)
    assert LEFT[0] < row["x1"] < NEAR[0]
    assert row["votes"] == 2
    assert 0.8 < row["agreement_iou"] < 1


def test_a_box_elsewhere_stays_out() -> None:
    far = Track(LEFT, boxes={4: FAR})
    row = boxes(drawn(Track(LEFT), Track(LEFT), far)).filter(pl.col("second") == 4).row(0, named=True)
    assert (row["x1"], row["x2"]) == (LEFT[0], LEFT[2])
    assert (row["votes"], row["voters"]) == (2, 3)


def test_an_untouched_box_weighs_less() -> None:
    work = drawn(Track(LEFT, seconds=[0], edited=False), Track(NEAR, seconds=[0], edited=True))
    middle = (LEFT[0] + NEAR[0]) / 2
    assert boxes(work)["x1"][0] > middle + 2


def test_who_is_far_off_elsewhere_weighs_less_here() -> None:
    steady = {s: tuple(v + 0.2 * s for v in LEFT) for s in range(10)}
    shaky = {s: tuple(v + (14 if s % 2 else -14) for v in LEFT) for s in range(10)}
    merged = merge_boxes(drawn(Track(boxes=steady), Track(boxes=steady), Track(boxes=shaky)).panel)
    truth = np.array([steady[s] for s in range(10)])
    assert np.abs(merged.box - truth).max() < 14 / 3 / 2  # a plain mean is 14 / 3 off


def test_the_work_of_an_excluded_annotator_leaves_no_trace() -> None:
    both = drawn(Track(LEFT), Track(LEFT), Track(RIGHT))
    without = boxes(both, excluded=["cleo"])
    assert without["voters"].unique().to_list() == [2]
    assert without.drop("voters").equals(boxes(drawn(Track(LEFT), Track(LEFT))).drop("voters"))


def test_one_voter_is_copied() -> None:
    row = boxes(drawn(Track(NEAR, seconds=[2]))).row(0, named=True)
    assert (row["x1"], row["rule"], row["agreement_iou"]) == (pytest.approx(NEAR[0]), "single", None)


spans = st.tuples(st.integers(0, 9), st.integers(1, 10)).map(lambda at: range(at[0], min(at[0] + at[1], 12)))
drawings = st.builds(
    lambda x, seconds, seed: Track((x, 100.0, x + 80.0, 300.0), seconds=seconds, seed=seed),
    st.sampled_from([100.0, 102.0, 104.0, 130.0, 300.0]), spans, st.sampled_from([1, 2, None]),
)  # fmt: skip
crews = st.lists(st.lists(drawings, max_size=3), min_size=1, max_size=3)


@examples(60)
@given(crews)
def test_no_two_people_of_a_second_share_a_box(crew: list[list[Track]]) -> None:
    work = written({("c", name): tracks for name, tracks in zip(("anna", "ben", "cleo"), crew, strict=False)})
    found = boxes(work)
    both = found.join(found, on=["clip_id", "second"], suffix="_b").filter(
        pl.col("person_id") < pl.col("person_id_b")
    )
    sides = (both.select(f"{name}{end}" for name in BOX_COLUMNS).to_numpy() for end in ("", "_b"))
    assert (box_iou(*sides) <= INDISTINCT).all()


def test_who_is_drawn_twice_is_shown_once() -> None:
    twice = [Track(LEFT), Track(NEAR)]
    work = written({("c", "anna"): [Track(LEFT), Track(LEFT, seed=None)], ("c", "ben"): [Track(LEFT)]})
    assert boxes(work)["person_id"].n_unique() == 1
    apart = written(
        {("c", name): [Track(one.box, seed=n) for n, one in enumerate(twice, 1)] for name in "ab"}
    )
    assert boxes(apart)["person_id"].n_unique() == 2


def test_the_boxes_of_who_copies_are_one_vote() -> None:
    there = Track(seconds=[0])
    work = written({("c", "anna"): [there], ("c", "ben"): [there], ("c", "cleo"): [], ("c", "dora"): []})
    panel = work.panel
    assert merge_boxes(panel).kept.all()
    assert not merge_boxes(panel, np.array([[0.5, 0.5, 1.0, 1.0]])).kept.any()
