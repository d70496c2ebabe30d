"""The whole way: what holds of every consensus, and the bars that can be run quickly."""

from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from ava_core.base.schemas import (  # fmt: skip
    ADJUDICATION_QUEUE,
    CLIP_NEEDS,
    COMPLETED_JOBS,
    CONSENSUS_BOXES,
    CONSENSUS_LABELS,
    DISPUTED,
    PERSONS,
    empty,
)
from ava_core.quality.consensus.form import form_consensus
from tests.support.planted_scenarios import scenario
from tests.support.planted_score import score
from tests.support.planted_work import RANDOM, Planted, good_annotators, plant
from tests.support.written_work import Track, Work, written

SCHEMAS = {
    "consensus_boxes": CONSENSUS_BOXES, "consensus_labels": CONSENSUS_LABELS, "disputed": DISPUTED,
    "queue": ADJUDICATION_QUEUE, "needs": CLIP_NEEDS, "persons": PERSONS,
}  # fmt: skip


@pytest.fixture(scope="module")
def small() -> Planted:
    return plant(good_annotators(3, 4) | {"other": RANDOM}, seed=4, clips=12)


def test_the_order_of_rows_and_the_names_of_annotators_do_not_matter(small: Planted) -> None:
    names = dict(zip(["good0", "good1", "good2", "other"], ["zoe", "yan", "ada", "bea"], strict=True))
    moved = [
        table.with_columns(pl.col("annotator").replace(names)).sample(fraction=1, shuffle=True, seed=9)
        for table in small.work[:3]
    ]
    one = form_consensus(*small.work, approved=small.clip_ids)
    other = form_consensus(*moved, small.ontology, approved=small.clip_ids[::-1])
    for name in ("consensus_boxes", "consensus_labels", "disputed", "needs"):
        assert_frame_equal(one[name], other[name], abs_tol=1e-6)


def test_unanimous_work_comes_back_exactly(small: Planted) -> None:
    mine = [table.filter(pl.col("annotator") == "good0") for table in small.work[:3]]
    copies = [
        pl.concat(
            [t.with_columns(annotator=pl.lit(f"n{n}"), job_id=pl.col("job_id") + 1000 * n) for n in range(3)]
        )
        for t in mine
    ]
    tables = form_consensus(*copies, small.ontology, approved=small.clip_ids)
    key = ["clip_id", "second", "x1", "y1", "x2", "y2"]
    assert_frame_equal(
        tables["consensus_boxes"].select(key).sort(key), mine[0].select(key).sort(key), abs_tol=1e-9
    )
    people = tables["persons"].filter(pl.col("annotator") == "n0").drop("annotator")
    said = mine[1].join(people, on=["clip_id", "track_key"]).explode("action_ids").drop_nulls("action_ids")
    place = ["clip_id", "second", "person_id", "group", "action_id"]
    assert_frame_equal(
        tables["consensus_labels"].select(place).sort(place),
        said.rename({"action_ids": "action_id"}).select(place).sort(place),
    )
    assert tables["disputed"].is_empty()


def test_only_approved_clips_come_out_and_approving_more_changes_none(small: Planted) -> None:
    some, every = small.clip_ids[:4], small.clip_ids
    part, whole = (form_consensus(*small.work, approved=clips) for clips in (some, every))
    for name in ("consensus_boxes", "consensus_labels", "queue"):
        assert set(part[name]["clip_id"]) <= set(some)
        assert_frame_equal(part[name], whole[name].filter(pl.col("clip_id").is_in(some)))


def test_excluding_renumbers_nobody(small: Planted) -> None:
    before, after = (
        form_consensus(*small.work, approved=small.clip_ids, excluded=gone) for gone in ((), ("other",))
    )
    assert_frame_equal(before["persons"], after["persons"])
    assert after["consensus_boxes"]["voters"].unique().to_list() == [3]


def test_every_label_has_its_box(small: Planted) -> None:
    tables = form_consensus(*small.work, approved=small.clip_ids)
    place = ["clip_id", "second", "person_id"]
    assert tables["consensus_labels"].join(tables["consensus_boxes"], on=place, how="anti").is_empty()


@pytest.mark.parametrize(
    "work",
    [
        written({("c", "anna"): [Track()]}),
        written({("c", "anna"): [], ("c", "ben"): []}),
        Work(
            *[table.clear() for table in written({("c", "anna"): [Track()]}).tables[:2]],
            empty(COMPLETED_JOBS),
        ),
        written({("c", "anna"): [Track(labels={})]}),
    ],
    ids=["one annotator", "nobody there", "nothing done", "nothing labelled"],
)
def test_little_work_gives_the_same_tables(work: Work) -> None:
    tables = form_consensus(*work.tables, approved=work.clips)
    for name, schema in SCHEMAS.items():
        assert tables[name].schema == pl.Schema(schema), name


def test_clips_that_nobody_approved_give_nothing(small: Planted) -> None:
    tables = form_consensus(*small.work, approved=[])
    assert tables["consensus_boxes"].is_empty()
    assert tables["queue"].is_empty()


def test_a_spammer_costs_little_once_excluded() -> None:
    planted = scenario("2 good + 1 random", 0)
    scores = []
    for excluded in ((), ("other0",)):
        tables = form_consensus(*planted.work, approved=planted.clip_ids, excluded=excluded)
        scores.append(score(planted, tables["consensus_boxes"], tables["consensus_labels"]))
    assert scores[1].micro > 0.82
    assert scores[1].macro > 0.75
    assert scores[0].mean_iou > 0.9
