"""Every figure is defined, or null with a reason: the batches that give nothing to measure."""

from __future__ import annotations

import polars as pl
import pytest

from ava_core.base.errors import InputError
from ava_core.base.schemas import (  # fmt: skip
    AGREEMENT_BY_CLASS,
    AGREEMENT_BY_CLIP,
    AGREEMENT_BY_GROUP,
    AGREEMENT_BY_PAIR,
    AGREEMENT_OVERALL,
    COMPLETED_JOBS,
    CONFLICTS,
    CONFUSION,
    GATE,
    SCORECARDS,
    empty,
)
from ava_core.quality.agreement.measure import measure_agreement
from tests.support.written_work import LEFT, ONTOLOGY, RIGHT, Track, Work, written

SCHEMAS = {
    "overall": AGREEMENT_OVERALL, "per_class": AGREEMENT_BY_CLASS, "per_group": AGREEMENT_BY_GROUP,
    "confusion": CONFUSION, "pairs": AGREEMENT_BY_PAIR, "clips": AGREEMENT_BY_CLIP, "annotators": SCORECARDS,
    "gate": GATE, "conflicts": CONFLICTS,
}  # fmt: skip


def labelled(pose: list[int], things: list[int]) -> Track:
    return Track(labels={"pose": pose, "object": things})


def one_annotator() -> Work:
    return written({(f"c{n}", "anna"): [Track()] for n in range(3)})


def no_overlap() -> Work:
    return written({("c0", "anna"): [Track()], ("c1", "ben"): [Track()]})


def nobody_there() -> Work:
    return written({("c0", "anna"): [], ("c0", "ben"): []})


def nothing_done() -> Work:
    work = one_annotator()
    return Work(work.raw_boxes, work.raw_labels, empty(COMPLETED_JOBS))


def all_the_same() -> Work:
    return written({(f"c{n}", name): [labelled([2], [])] for n in range(2) for name in ("anna", "ben")})


@pytest.mark.parametrize("work", [one_annotator, no_overlap, nobody_there, nothing_done, all_the_same])
def test_an_undefined_figure_is_null_with_a_reason(work) -> None:
    tables = measure_agreement(*work().tables)
    for name, schema in SCHEMAS.items():
        assert tables[name].schema == pl.Schema(schema), name
    for name, value in (
        ("overall", "value"),
        ("per_class", "alpha"),
        ("per_group", "alpha"),
        ("clips", "pooled_alpha"),
    ):
        undefined = tables[name].filter(pl.col(value).is_null())
        assert (undefined["reason"] != "").all(), name
        assert tables[name][value].is_nan().sum() == 0
    headline = tables["overall"].row(0, named=True)
    assert headline["value"] is None
    assert headline["reason"]


def test_one_clip_has_figures_without_intervals() -> None:
    work = written({("c", "anna"): [labelled([1], [4])], ("c", "ben"): [labelled([1], [5])]})
    row = measure_agreement(*work.tables)["overall"].row(0, named=True)
    assert row["value"] is not None
    assert row["low"] is None
    assert row["reason"] == "one clip gives no interval"


def test_a_class_nobody_used_says_so() -> None:
    work = written({("c", "anna"): [labelled([1], [4])], ("c", "ben"): [labelled([2], [4])]})
    classes = {row["action_id"]: row for row in measure_agreement(*work.tables)["per_class"].to_dicts()}
    assert classes[8]["alpha"] is None
    assert classes[8]["reason"] == "no one used this class"
    assert classes[4]["reason"].startswith("everyone always gave the same answer")
    assert classes[1]["alpha"] is not None


def test_an_annotator_without_a_completed_job_has_a_row_that_says_so() -> None:
    tables = measure_agreement(*one_annotator().tables, assigned=["anna", "ben"])
    ben = tables["annotators"].row(by_predicate=pl.col("annotator") == "ben", named=True)
    assert (ben["clips"], ben["alpha"], ben["reason"]) == (0, None, "no job completed")
    assert set(tables["gate"]["status"]) == {"unknown"}


def test_of_two_readings_of_a_job_the_newer_counts() -> None:
    old = written({("c", "anna"): [labelled([1], [])], ("c", "ben"): [labelled([2], [])]})
    new = written({("c", "anna"): [labelled([2], [4])], ("c", "ben"): [labelled([2], [4])]})
    both = [
        pl.concat([a, b.with_columns(version=pl.lit(2, pl.Int32))])
        for a, b in zip(old.tables[:3], new.tables[:3], strict=True)
    ]
    tables = measure_agreement(*both, ONTOLOGY)
    assert tables["conflicts"].is_empty()
    ignored = dict(tables["ignored"].select("what", "rows").rows())
    assert ignored == {"raw_boxes": 20, "raw_labels": 40}


def test_answers_outside_the_ontology_are_told_and_left_out() -> None:
    good = {"pose": [1], "object": [4]}
    odd = good | {"object": [4, 99], "mood": [1]}
    strange = {("c", "anna"): [Track(labels=good)], ("c", "ben"): [Track(labels=odd)]}
    tables = measure_agreement(*written(strange).tables)
    assert tables["ignored"].height == 2
    assert set(tables["ignored"]["rows"]) == {10}
    assert tables["conflicts"].is_empty()


def test_an_unset_group_is_missing_and_an_exclusive_one_is_never_empty() -> None:
    work = written({
        ("c", "anna"): [Track(labels={"pose": [1], "object": [4]})],
        ("c", "ben"): [Track(labels={"pose": [], "object": []})],
    })  # fmt: skip
    groups = {row["group"]: row for row in measure_agreement(*work.tables)["per_group"].to_dicts()}
    assert groups["pose"]["n"] == 0
    assert groups["object"]["n"] == 10


def test_a_skipped_job_is_not_an_empty_one() -> None:
    drawn, nothing = [Track(LEFT)], []
    skipped = written({("c", "anna"): drawn, ("c", "ben"): drawn})
    emptied = written({("c", "anna"): drawn, ("c", "ben"): drawn, ("c", "cleo"): nothing})
    f1 = [
        measure_agreement(*work.tables)["overall"].row(
            by_predicate=pl.col("statistic") == "box_f1", named=True
        )
        for work in (skipped, emptied)
    ]
    assert f1[0]["value"] == 1
    assert f1[1]["value"] == pytest.approx(2 * 10 / (20 + 10 + 10))


def test_too_many_annotators_of_a_clip_are_refused_by_name() -> None:
    crowd = written({("crowded", f"annotator{n}"): [Track()] for n in range(33)})
    with pytest.raises(InputError, match="crowded"):
        measure_agreement(*crowd.tables)


def test_conflicts_lead_to_the_frame() -> None:
    work = written({
        ("c", "anna"): [labelled([1], [4, 5]), Track(RIGHT, seed=2)],
        ("c", "ben"): [labelled([2], [4])],
    })  # fmt: skip
    conflicts = measure_agreement(*work.tables)["conflicts"]
    third = conflicts.filter(pl.col("second") == 3).select("frame", "kind", "detail").rows()
    assert third == [
        (90, "label:object", "anna=4+5; ben=4"),
        (90, "label:pose", "anna=1; ben=2"),
        (90, "missed", "ben has no box"),
    ]


def test_confusion_counts_both_ways_round() -> None:
    work = written({("c", "anna"): [labelled([1], [])], ("c", "ben"): [labelled([2], [])]})
    confusion = measure_agreement(*work.tables)["confusion"]
    assert confusion.rows() == [("pose", 1, 2, 10), ("pose", 2, 1, 10)]


def test_box_figures_of_a_pair() -> None:
    moved = (108.0, 100.0, 188.0, 300.0)  # a tenth of its width to the right: IoU 72/88
    work = written({("c", "anna"): [Track(LEFT)], ("c", "ben"): [Track(moved, edited=False)]})
    pair = measure_agreement(*work.tables)["pairs"].row(0, named=True)
    assert (pair["mean_iou"], pair["tube_iou"]) == pytest.approx((72 / 88, 72 / 88))
    assert pair["share_tight"] == 1
    assert (pair["bias_left"], pair["bias_right"], pair["bias_top"]) == pytest.approx((0.1, 0.1, 0))
    assert pair["edited_iou"] is None
    assert "edited_iou: no box that both annotators edited" in pair["reason"]


def test_temporal_iou_and_flips() -> None:
    half = {second: [4] if second < 5 else [] for second in range(10)}
    work = written({
        ("c", "anna"): [Track(labels={"object": [4]})],
        ("c", "ben"): [Track(labels={"object": half})],
    })  # fmt: skip
    tables = measure_agreement(*work.tables)
    assert tables["pairs"]["temporal_iou"][0] == pytest.approx(0.5)
    rates = dict(tables["annotators"].select("annotator", "flip_rate").rows())
    assert rates == pytest.approx({"anna": 0, "ben": 1 / 9})


def test_of_two_jobs_of_one_annotator_on_a_clip_the_later_counts() -> None:
    first = written({("c", "anna"): [labelled([1], [])], ("c", "ben"): [labelled([2], [])]})
    again = written({("c", "anna"): [labelled([2], [])]})
    again_tables = [table.with_columns(job_id=pl.lit(9, pl.Int64)) for table in again.tables[:3]]
    both = [pl.concat(pair) for pair in zip(first.tables[:3], again_tables, strict=True)]
    tables = measure_agreement(*both, ONTOLOGY)
    assert tables["conflicts"].is_empty()
    assert tables["annotators"].filter(pl.col("annotator") == "anna")["clips"].item() == 1


def test_a_box_without_area_is_nowhere() -> None:
    turned = (180.0, 300.0, 100.0, 100.0)
    work = written({("c", "anna"): [Track(LEFT)], ("c", "ben"): [Track(turned)]})
    pair = measure_agreement(*work.tables)["pairs"].row(0, named=True)
    assert pair["shared_boxes"] == 0
    assert pair["f1"] == 0


def test_kappa_of_a_clip_of_two_is_the_pairs() -> None:
    work = written({("c", "anna"): [labelled([1], [4])], ("c", "ben"): [labelled([2], [4, 5])]})
    tables = measure_agreement(*work.tables)
    assert tables["clips"]["kappa"].item() == tables["pairs"]["kappa"].item() is not None


def test_kappa_of_a_clip_pools_its_pairs_each_with_its_own_chance() -> None:
    sits, stands = ({"pose": {s: [2 if s < n else 1] for s in range(10)}, "object": []} for n in (2, 5))
    said = {"anna": sits, "ben": sits, "cleo": stands}
    jobs = {("c", name): [Track(labels=labels)] for name, labels in said.items()}
    jobs |= {("d", name): [labelled([1], [])] for name in ("anna", "ben")}
    clips = measure_agreement(*written(jobs).tables)["clips"].sort("clip_id")
    # Anna and ben never differ; each of them and cleo do at 3 of 10 seconds. Both poses count, so all is doubled.
    observed = 2 * (0 + 3 + 3)
    expected = 2 * (2 * 2 * 8 / 10 + 2 * (2 * 5 + 5 * 8) / 10)
    assert clips["kappa"].to_list() == [pytest.approx(1 - observed / expected), None]
    assert clips["reason"].to_list()[1].startswith("everyone always gave the same answer")


def test_kappa_may_be_undefined_where_alpha_is_not() -> None:
    early, late = {s: [1] for s in range(5)}, {s: [2] for s in range(5, 10)}
    poses = {"anna": early, "ben": early | late, "cleo": late}
    work = written({("c", name): [Track(labels={"pose": said})] for name, said in poses.items()})
    row = measure_agreement(*work.tables)["clips"].row(0, named=True)
    assert (row["pooled_alpha"], row["kappa"]) == (1, None)
    assert row["reason"].startswith("kappa: each pair always gave the same answer")
