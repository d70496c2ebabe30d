"""A consensus tells what it was made of; the same inputs have the same digest, others another."""

from __future__ import annotations

import polars as pl

from ava_core.base.schemas import PROVENANCE
from ava_core.quality.consensus.form import form_consensus
from tests.support.written_work import Track, Work, written

JOBS = {(clip, name): [Track()] for clip in ("c0", "c1") for name in ("anna", "ben")}


def digests(work: Work, **options) -> dict[str, str]:
    options = {"approved": work.clips} | options
    return dict(form_consensus(*work.tables, **options)["provenance"].select("clip_id", "digest").rows())


def test_it_names_the_readings() -> None:
    table = form_consensus(*written(JOBS).tables, approved=["c1"])["provenance"]
    assert table.schema == pl.Schema(PROVENANCE)
    assert table.select("clip_id", "readings").rows() == [("c1", ["anna:3:1", "ben:4:1"])]


def test_the_same_work_in_another_order_has_the_same_digest() -> None:
    work = written(JOBS)
    turned = Work(*[table.reverse() for table in work.tables[:3]])
    assert digests(work) == digests(turned)


def test_whatever_may_change_a_clip_changes_its_digest() -> None:
    work = written(JOBS)
    before = digests(work)
    read_again = pl.col("version") + (pl.col("job_id") == 1).cast(pl.Int32)
    newer = Work(*[table.with_columns(version=read_again) for table in work.tables[:3]])
    assert all(digests(newer)[clip] != before[clip] for clip in before)
    assert all(digests(work, excluded=["ben"])[clip] != before[clip] for clip in before)
    expert = pl.DataFrame(
        {"clip_id": ["c0"], "second": [0], "person_id": [1], "group": ["pose"], "action_ids": [[1]]}
    )
    decided = digests(work, adjudications=expert)
    assert decided["c0"] != before["c0"]
    assert decided["c1"] == before["c1"]
