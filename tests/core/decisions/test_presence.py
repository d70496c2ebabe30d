"""An expert's word on whether somebody is there goes before the count of boxes."""

from __future__ import annotations

import polars as pl
import pytest

from ava_core import decisions
from ava_core.base.errors import DecisionError
from ava_core.base.schemas import ADJUDICATIONS, CONSENSUS_LABELS, empty
from ava_core.decisions import PRESENCE, presence_ids
from ava_core.quality.consensus.form import form_consensus
from ava_core.quality.consensus.labels import adjudicate
from ava_core.store import Store, batches, tasks
from ava_core.store.tables import Task
from tests.support.written_work import RIGHT, Track, Work, written

PLACE = {"clip_id": "c", "second": 3, "person_id": 1}


def drawn(*tracks: Track | None) -> Work:
    names = ("anna", "ben", "cleo")
    return written({("c", n): [t] if t else [] for n, t in zip(names, tracks, strict=False)})


def word(present: bool, **other: object) -> pl.DataFrame:
    row = PLACE | {"group": PRESENCE, "action_ids": presence_ids(present)} | other
    return pl.DataFrame([row], schema=dict(ADJUDICATIONS))


def formed(work: Work, *words: pl.DataFrame) -> dict[str, pl.DataFrame]:
    said = pl.concat(words) if words else empty(ADJUDICATIONS)
    return form_consensus(*work.tables, approved=work.clips, adjudications=said)


def seconds(table: pl.DataFrame) -> set[int]:
    return set(table["second"])


HALF = drawn(Track(seconds=[3, 4]), None)


def test_nobody_there_drops_the_box_and_its_labels() -> None:
    before, after = formed(HALF), formed(HALF, word(False))
    assert seconds(before["disputed"]) == {3, 4}
    for name in ("consensus_boxes", "consensus_labels", "disputed", "queue"):
        assert 3 not in seconds(after[name]), name
    for name in ("consensus_boxes", "consensus_labels", "disputed"):
        assert seconds(after[name]) == {4}, name


def test_somebody_there_stays_and_is_disputed_no_more() -> None:
    after = formed(HALF, word(True))
    assert after["consensus_boxes"].select("second", "rule").rows() == [(3, "adjudicated"), (4, "tie")]
    assert seconds(after["consensus_labels"]) == {3, 4}
    assert seconds(after["disputed"]) == {4}
    assert 3 not in seconds(after["queue"].filter(pl.col("group") == PRESENCE))


def test_a_word_outweighs_any_count() -> None:
    everybody = drawn(Track(seconds=[3]), Track(seconds=[3]), Track(seconds=[3]))
    assert formed(everybody, word(False))["consensus_boxes"].is_empty()
    few = drawn(Track(seconds=[3]), None, None)
    assert formed(few)["consensus_boxes"].is_empty()
    assert formed(few, word(True))["consensus_boxes"]["votes"].to_list() == [1]
    assert formed(few, word(True))["consensus_labels"]["rule"].to_list() == ["single"]


def test_a_person_of_whom_no_trusted_box_is_left_cannot_be_kept() -> None:
    tables = form_consensus(
        *drawn(Track(seconds=[3]), None).tables, approved=["c"], excluded=["anna"], adjudications=word(True)
    )
    assert tables["consensus_boxes"].is_empty()


def test_a_word_on_labels_of_nobody_brings_nobody_back() -> None:
    stand = word(True, group="pose", action_ids=[2])
    tables = formed(HALF, stand, word(False))
    assert seconds(tables["consensus_labels"]) == seconds(tables["consensus_boxes"]) == {4}


def test_others_at_that_second_are_left_alone() -> None:
    both = [Track(seconds=[3]), Track(RIGHT, seconds=[3], seed=2)]
    work = written({("c", name): both for name in ("anna", "ben")})
    assert formed(work, word(False))["consensus_boxes"]["person_id"].to_list() == [2]


def test_presence_is_never_a_label() -> None:
    labels = empty(CONSENSUS_LABELS)
    assert adjudicate(labels, word(True)).is_empty()
    pose = word(True, group="pose", action_ids=[2])
    assert adjudicate(labels, pl.concat([word(True), pose]))["group"].to_list() == ["pose"]


def test_it_changes_the_digest_of_its_clip() -> None:
    digests = [
        formed(HALF, *words)["provenance"]["digest"].item() for words in ((), (word(True),), (word(False),))
    ]
    assert len(set(digests)) == 3


@pytest.fixture
def batch(store: Store) -> Store:
    batches.add(store, "b", "/b.zip", {})
    tasks.put_project(store, 1, "ava")
    tasks.put_task(store, Task(task_id=1, project_id=1, name="c", batch="b", clip_id="c"), [])
    return store


def test_a_later_word_reverses_an_earlier_one(batch: Store) -> None:
    [no] = decisions.settle_presence(batch, "b", **PLACE, present=False, actor="ann", comment="a poster")
    assert (no.action, no.subject, no.after["action_ids"]) == ("adjudicate", "c/3/1/presence", [])
    assert 3 not in seconds(formed(HALF, _said(batch))["consensus_boxes"])
    [yes] = decisions.settle_presence(batch, "b", **PLACE, present=True, actor="bob")
    assert yes.before == no.after
    assert _said(batch).rows() == [("c", 3, 1, PRESENCE, presence_ids(True))]
    assert 3 in seconds(formed(HALF, _said(batch))["consensus_boxes"])


def _said(store: Store) -> pl.DataFrame:
    return decisions.decision_state(store, "b").adjudications


def test_presence_is_settled_not_labelled(batch: Store) -> None:
    with pytest.raises(DecisionError, match="yes or no"):
        decisions.adjudicate(batch, "b", **PLACE, group=PRESENCE, action_ids=[1], actor="ann")
    with pytest.raises(DecisionError, match="no task for clip 'x'"):
        decisions.settle_presence(batch, "b", **PLACE | {"clip_id": "x"}, present=True, actor="ann")
