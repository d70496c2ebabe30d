"""Blind audits: what is drawn, what the auditor sees, what counts as wrong, when the result is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import polars as pl
import pytest

from ava_core import decisions
from ava_core.base.errors import DecisionError, InputError
from ava_core.base.schemas import DISPUTED
from ava_core.base.settings import load_settings
from ava_core.batch import BatchContext
from ava_core.quality.consensus.form import form_consensus
from ava_core.quality.review import audits
from ava_core.store import Store, audit_log, batches, open_store, tasks
from ava_core.store.tables import Audit, Job, Task
from tests.support.written_work import ONTOLOGY, Track, written

POSE, OBJECT = ONTOLOGY.groups
NO_POSE = Track(seconds=[0], labels={"object": [4, 5]})
WORK = written({
    **{("a", name): [Track(seconds=range(5))] for name in ("anna", "ben")},
    **{("b", name): [NO_POSE] for name in ("anna", "ben")},
    **{("c", name): [Track(seconds=[0])] for name in ("anna", "ben")},
})  # fmt: skip
CONSENSUS = form_consensus(*WORK.tables, approved=WORK.clips)


@pytest.fixture
def batch(store: Store) -> Store:
    """Clips a and b are approved, c is not."""
    return _with_batch(store)


@pytest.fixture
def on_postgres(postgres_url: str) -> Iterator[Store]:
    opened = open_store(postgres_url)
    yield _with_batch(opened)
    opened.close()


def _with_batch(store: Store) -> Store:
    batches.add(store, "b", "/b.zip", {})
    tasks.put_project(store, 1, "ava")
    for number, clip in enumerate(("a", "b", "c"), start=1):
        job = Job(
            job_id=number, task_id=number, batch="b", clip_id=clip, job_type="annotation", annotator="anna",
            state="completed", frames=450, predrawn=[],
        )  # fmt: skip
        tasks.put_task(store, Task(task_id=number, project_id=1, name=clip, batch="b", clip_id=clip), [job])
    decisions.approve(store, "b", ["a", "b"], "ann")
    return store


def start(store: Store, size: int = 100, seed: int = 1, **tables: pl.DataFrame) -> Audit:
    at = BatchContext("b", load_settings(), store=store, ontology=ONTOLOGY)
    return audits.start_audit(at, CONSENSUS | tables, size=size, seed=seed, actor="rita", note="first look")


def answer(store: Store, item: Any, action_ids: list[int], **more: Any) -> None:
    group = ONTOLOGY.group(item.group)
    audits.answer_item(store, item.item_id, group=group, action_ids=action_ids, actor="rita", **more)


def answer_all(store: Store, audit_id: int, *, wrong_pose: bool = False) -> None:
    for item in audits.items_of(store, audit_id):
        pose = wrong_pose and item.group == "pose"
        answer(store, item, [3] if pose else item.expected)


def test_every_approved_answer_may_be_drawn_and_nothing_else(batch: Store) -> None:
    items = audits.items_of(batch, start(batch).audit_id)
    answers = {(i.clip_id, i.second, i.group): i.expected for i in items}
    poses = {("a", s, "pose"): [2] for s in range(5)}
    objects = {("a", s, "object"): [] for s in range(5)}
    assert answers == poses | objects | {("b", 0, "object"): [4, 5]}  # b has no pose, c is not approved
    assert [i.position for i in items] == list(range(1, 12))
    assert (items[0].x1, items[0].y2) == (100.0, 300.0)
    assert {(i.present, i.answer, i.wrong, i.answered_at) for i in items} == {(None, None, None, None)}


def test_a_sample_is_drawn_at_random_by_its_seed_and_kept(batch: Store) -> None:
    drawn = [
        [(i.clip_id, i.second, i.group) for i in audits.items_of(batch, start(batch, 6, seed).audit_id)]
        for seed in (1, 1, 2)
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(set(drawn[0])) == 6
    newest = audits.audits_of(batch, "b")[0]
    assert (newest.size, newest.seed, newest.started_by, newest.note) == (6, 2, "rita", "first look")
    assert audits.audits_of(batch, "other") == []


def test_what_is_frozen_does_not_follow_the_consensus(batch: Store) -> None:
    known = start(batch)
    decisions.reopen(batch, "b", ["a", "b"], "ann")
    assert len(audits.items_of(batch, known.audit_id)) == 11


def test_disputed_seconds_are_in_no_release_and_in_no_audit(batch: Store) -> None:
    disputed = pl.DataFrame([("a", 0, "half")], schema=dict(DISPUTED), orient="row")
    items = audits.items_of(batch, start(batch, disputed=disputed).audit_id)
    assert ("a", 0) not in {(i.clip_id, i.second) for i in items}


def test_where_nothing_is_approved_there_is_nothing_to_audit(batch: Store) -> None:
    decisions.reopen(batch, "b", ["a", "b"], "ann")
    with pytest.raises(InputError, match="no approved answer"):
        start(batch)
    with pytest.raises(InputError, match="at least one item"):
        start(batch, size=0)
    assert audits.audits_of(batch, "b") == []


def test_the_auditor_sees_who_and_where_and_nothing_of_what_was_decided(batch: Store) -> None:
    known = start(batch)
    item = audits.next_item(batch, known.audit_id)
    assert item is not None
    assert set(asdict(item)) == {
        "item_id", "audit_id", "position", "clip_id", "second", "person_id", "group", "x1", "y1", "x2", "y2",
        "answered",
    }  # fmt: skip
    assert item.frame == item.second * 30
    answer(batch, item, [1] if item.group == "pose" else [])
    following = audits.next_item(batch, known.audit_id)
    assert following is not None
    assert (item.position, following.position) == (1, 2)
    assert [one.answered for one in audits.blind_items(batch, known.audit_id)] == [True] + [False] * 10
    with pytest.raises(InputError, match="10 of 11 items"):
        audits.audit_result(batch, known.audit_id)


def test_an_item_is_wrong_where_other_actions_hold_or_nobody_is_there(batch: Store) -> None:
    known = start(batch)
    by_answer = {(i.clip_id, i.second, i.group): i for i in audits.items_of(batch, known.audit_id)}
    answer(batch, by_answer["a", 0, "pose"], [2])
    answer(batch, by_answer["a", 1, "pose"], [3], comment="walks")
    answer(batch, by_answer["a", 2, "pose"], [], present=False)
    answer(batch, by_answer["a", 0, "object"], [])
    answer(batch, by_answer["b", 0, "object"], [5, 4])
    answer(batch, by_answer["a", 1, "object"], [4])
    wrong = {
        (i.clip_id, i.second, i.group): i.wrong
        for i in audits.items_of(batch, known.audit_id)
        if i.answered_at is not None
    }
    assert wrong == {
        ("a", 0, "pose"): False, ("a", 1, "pose"): True, ("a", 2, "pose"): True,
        ("a", 0, "object"): False, ("b", 0, "object"): False, ("a", 1, "object"): True,
    }  # fmt: skip
    newest = audit_log.newest(batch, 6)
    assert {entry.action for entry in newest} == {"audit answered"}
    assert {"walks"} < {entry.detail["comment"] for entry in newest}
    assert not any("wrong" in entry.detail for entry in newest), "the log is open to the auditor"


@pytest.mark.parametrize(
    ("group", "action_ids", "present", "reason"),
    [
        (POSE, [4], True, "no action 4"),
        (POSE, [], True, "exactly one"),
        (POSE, [1, 2], True, "exactly one"),
        (POSE, [1], False, "there are no actions"),
        (OBJECT, [4], True, "asks for pose"),
    ],
)
def test_answers_that_cannot_be_are_refused(
    batch: Store, group: Any, action_ids: list[int], present: bool, reason: str
) -> None:
    known = start(batch)
    item = next(i for i in audits.items_of(batch, known.audit_id) if i.group == "pose")
    with pytest.raises(InputError, match=reason):
        audits.answer_item(
            batch, item.item_id, group=group, action_ids=action_ids, present=present, actor="rita"
        )
    assert not any(one.answered for one in audits.blind_items(batch, known.audit_id))


def test_an_answer_may_be_given_again_until_the_audit_is_complete(batch: Store) -> None:
    known = start(batch, 2)
    first, second = audits.blind_items(batch, known.audit_id)
    for ids in ([1], [2]):
        answer(batch, first, ids if first.group == "pose" else [])
    assert audits.items_of(batch, known.audit_id)[0].wrong is False
    assert len([e for e in audit_log.newest(batch) if e.action == "audit answered"]) == 2
    assert audits.open_audit(batch, "b").audit_id == known.audit_id  # type: ignore[union-attr]
    answer(batch, second, [2] if second.group == "pose" else [])
    assert audits.open_audit(batch, "b") is None
    assert audits.next_item(batch, known.audit_id) is None
    with pytest.raises(DecisionError, match="complete"):
        answer(batch, first, [2] if first.group == "pose" else [])


def test_a_complete_audit_bounds_the_rate_and_tells_its_groups(batch: Store) -> None:
    known = start(batch)
    answer_all(batch, known.audit_id, wrong_pose=True)
    bound, by_group = audits.audit_result(batch, known.audit_id)
    assert (bound.wrong, bound.checked) == (5, 11)
    assert "5 of 11 items" in bound.sentence
    assert by_group.rows() == [("object", 6, 0), ("pose", 5, 5)]
    assert by_group.columns == ["group", "checked", "wrong"]


def test_what_there_is_not_says_so(batch: Store) -> None:
    for ask in (audits.items_of, audits.blind_items, audits.next_item, audits.audit_result):
        with pytest.raises(InputError, match="no audit 77"):
            ask(batch, 77)
    with pytest.raises(InputError, match="no audit item 77"):
        audits.answer_item(batch, 77, group=POSE, action_ids=[1], actor="rita")


def test_postgresql_keeps_it_all_the_same(on_postgres: Store) -> None:
    known = start(on_postgres, seed=2**40)
    answer_all(on_postgres, known.audit_id)
    assert audits.audit_result(on_postgres, known.audit_id)[0].wrong == 0
