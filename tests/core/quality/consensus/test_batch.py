"""A batch's consensus follows from its raw tables and all of its decisions."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
from polars.testing import assert_frame_equal

from ava_core.decisions import DecisionState
from ava_core.quality.consensus.batch import EXPERT_TABLES, consensus_of_batch
from ava_core.quality.consensus.expert import RULE
from ava_core.quality.consensus.form import form_consensus
from tests.support.written_work import ONTOLOGY, Track, written

SITS = Track(seconds=[0], labels={"pose": [1], "object": []})
STANDS = Track(seconds=[0], labels={"pose": [2], "object": []})
WORK = written({(clip, name): [SITS] for clip in ("a", "b") for name in ("anna", "ben")})
EXPERT = written({("a", "eva"): [STANDS]})
RAW = {"raw_boxes": WORK.raw_boxes, "raw_labels": WORK.raw_labels, "completed_jobs": WORK.completed}
WITH_EXPERT = RAW | {
    "expert_boxes": EXPERT.raw_boxes,
    "expert_labels": EXPERT.raw_labels,
    "expert_clips": EXPERT.completed.select("clip_id", "annotator"),
}
APPROVED = DecisionState.of_approved(["a", "b"])
SENT = replace(APPROVED, experts={"a": "eva"})


def poses(tables: dict[str, pl.DataFrame]) -> dict[str, tuple[int, str]]:
    rows = tables["consensus_labels"].select("clip_id", "action_id", "rule").rows()
    return {clip: (action, rule) for clip, action, rule in rows}


def test_without_experts_it_is_the_annotators_consensus() -> None:
    plain = form_consensus(*WORK.tables, approved=["a", "b"])
    for raw in (RAW, WITH_EXPERT):
        tables = consensus_of_batch(raw, ONTOLOGY, APPROVED)
        for name, table in plain.items():
            assert_frame_equal(tables[name], table)


def test_an_experts_clip_says_what_the_expert_said() -> None:
    assert poses(consensus_of_batch(WITH_EXPERT, ONTOLOGY, SENT)) == {"a": (2, RULE), "b": (1, "dawid_skene")}


def test_raw_tables_of_an_older_batch_hold_no_expert() -> None:
    assert set(WITH_EXPERT) - set(RAW) == set(EXPERT_TABLES)
    assert poses(consensus_of_batch(RAW, ONTOLOGY, SENT)) == {
        "a": (1, "dawid_skene"),
        "b": (1, "dawid_skene"),
    }


def test_exclusions_and_adjudications_count() -> None:
    word = {"clip_id": "b", "second": 0, "person_id": 1, "group": "pose", "action_ids": [3]}
    decided = replace(
        APPROVED,
        excluded=frozenset({"ben"}),
        adjudications=pl.DataFrame([word], schema=dict(APPROVED.adjudications.schema)),
    )
    tables = consensus_of_batch(RAW, ONTOLOGY, decided)
    assert poses(tables) == {"a": (1, "single"), "b": (3, "adjudicated")}


def test_other_clips_than_the_approved_ones_can_be_looked_at() -> None:
    nothing = DecisionState.of_approved([])
    assert poses(consensus_of_batch(RAW, ONTOLOGY, nothing)) == {}
    assert set(poses(consensus_of_batch(RAW, ONTOLOGY, nothing, approved=["b"]))) == {"b"}
    assert set(poses(consensus_of_batch(WITH_EXPERT, ONTOLOGY, SENT, approved=["b"]))) == {"b"}
    assert consensus_of_batch(RAW, ONTOLOGY, APPROVED, approved=[])["consensus_boxes"].is_empty()


def test_an_experts_work_goes_into_the_digest_of_its_clip_alone() -> None:
    before, after = (consensus_of_batch(WITH_EXPERT, ONTOLOGY, state) for state in (APPROVED, SENT))
    was, now = ({row["clip_id"]: row for row in t["provenance"].to_dicts()} for t in (before, after))
    assert now["a"]["readings"] == [*was["a"]["readings"], "eva:1:1"]
    assert now["a"]["digest"] != was["a"]["digest"]
    assert now["b"] == was["b"]
    newer = {"expert_boxes": EXPERT.raw_boxes.with_columns(version=pl.lit(2, pl.Int32))}
    emptied = {"expert_boxes": EXPERT.raw_boxes.clear(), "expert_labels": EXPERT.raw_labels.clear()}
    digests = {
        consensus_of_batch(WITH_EXPERT | other, ONTOLOGY, SENT)["provenance"]["digest"][0]
        for other in ({}, newer, emptied)
    }
    assert len(digests) == 3
