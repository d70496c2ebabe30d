"""Blind audits that are kept: a random sample of approved answers, answered anew by somebody who sees only pictures.

A sample is drawn once and frozen with what the consensus said. Nothing is told about right and wrong before all of it
is answered: until then an answer may be changed, and who knew the result would change it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl
from sqlalchemy import func, select

from ava_core.base.errors import DecisionError, InputError
from ava_core.base.schemas import BOX_COLUMNS, CLIP_FPS, PLACE
from ava_core.batch import BatchContext
from ava_core.decisions import decision_state
from ava_core.ontology import Group, Ontology
from ava_core.quality.review.audit_bound import AuditBound, audit_bound, audit_sample
from ava_core.store import Store, audit_log
from ava_core.store.tables import Audit, AuditItem, now

ANSWER: Final = (*PLACE, "group")

BY_GROUP: Final = {"group": pl.String, "checked": pl.Int64, "wrong": pl.Int64}


@dataclass(frozen=True)
class BlindItem:
    """What somebody who audits may see of an item: who is asked about, not what was decided.

    The box is in pixels of the clip; `position` counts from 1 within the audit.
    """

    item_id: int
    audit_id: int
    position: int
    clip_id: str
    second: int
    person_id: int
    group: str
    x1: float
    y1: float
    x2: float
    y2: float
    answered: bool

    @property
    def frame(self) -> int:
        """The frame of the clip to look at."""
        return self.second * CLIP_FPS


def start_audit(
    at: BatchContext,
    consensus: Mapping[str, pl.DataFrame],
    *,
    size: int,
    seed: int,
    actor: str,
    note: str = "",
) -> Audit:
    """Draw `size` approved answers of a batch (all where there are fewer) and keep them to be answered blindly.

    `consensus`: `consensus_boxes` and `consensus_labels`, of which only clips that are approved now count; with
    `disputed`, the seconds that releases leave out are left out here too. An answer is a group of a person at a
    second; an exclusive group without an action was not answered, a multi group without one says that none holds.
    Raises `InputError` where nothing is approved, or nothing can be drawn.
    """
    if size < 1 or seed < 0:
        raise InputError(
            f"An audit of {size} items with seed {seed} cannot be drawn.",
            "Give at least one item, and a seed from 0.",
        )
    answers = _answers(consensus, at.ontology, decision_state(at.store, at.batch).approved)
    if answers.is_empty():
        raise InputError(
            f"Batch {at.batch} has no approved answer to audit.",
            "Approve clips first, and wait for their consensus.",
        )
    drawn = audit_sample(answers.select(ANSWER), size, seed=seed)
    rows = drawn.join(answers, on=ANSWER, how="left", maintain_order="left").to_dicts()
    begun = Audit(batch=at.batch, size=size, seed=seed, started_by=actor, note=note)
    with at.store.session() as session:
        session.add(begun)
        session.flush()
        session.add_all(
            AuditItem(audit_id=begun.audit_id, position=number, **row)
            for number, row in enumerate(rows, start=1)
        )
    audit_log.note(at.store, actor, "audit started", at.batch, audit=begun.audit_id, size=size, seed=seed)
    return begun


def audits_of(store: Store, batch: str) -> list[Audit]:
    """The audits of a batch, newest first."""
    with store.session() as session:
        wanted = select(Audit).where(Audit.batch == batch)
        return list(session.scalars(wanted.order_by(Audit.audit_id.desc())))


def open_audit(store: Store, batch: str) -> Audit | None:
    """The newest audit of a batch that has items without an answer; `None` where there is none."""
    waiting = select(AuditItem.audit_id).where(AuditItem.answered_at.is_(None))
    with store.session() as session:
        wanted = select(Audit).where(Audit.batch == batch, Audit.audit_id.in_(waiting))
        return session.scalar(wanted.order_by(Audit.audit_id.desc()).limit(1))


def items_of(store: Store, audit_id: int) -> list[AuditItem]:
    """All items by position, with what was expected: for who looks at a completed audit.

    Raises `InputError` where there is no such audit.
    """
    with store.session() as session:
        wanted = select(AuditItem).where(AuditItem.audit_id == audit_id)
        found = list(session.scalars(wanted.order_by(AuditItem.position)))
    if not found:
        raise InputError(f"There is no audit {audit_id}.", "Start one with `ava qc audit`.")
    return found


def blind_items(store: Store, audit_id: int) -> list[BlindItem]:
    """All items by position, as somebody who audits may see them. Raises `InputError` as `items_of` does."""
    return [_blind(item) for item in items_of(store, audit_id)]


def blind_item(store: Store, batch: str, item_id: int) -> BlindItem:
    """One item of a batch's audits. Raises `InputError` where there is none of that number."""
    with store.session() as session:
        item = session.get(AuditItem, item_id)
        of = session.get(Audit, item.audit_id) if item else None
    if item is None or of is None or of.batch != batch:
        raise InputError(
            f"Batch {batch} has no audit item {item_id}.", "List a batch's items with `ava qc audit`."
        )
    return _blind(item)


def next_item(store: Store, audit_id: int) -> BlindItem | None:
    """The first item without an answer; `None` where all have one. Raises `InputError` as `items_of` does."""
    return next((item for item in blind_items(store, audit_id) if not item.answered), None)


def answer_item(
    store: Store,
    item_id: int,
    *,
    group: Group,
    action_ids: Collection[int],
    present: bool = True,
    actor: str,
    comment: str = "",
) -> None:
    """Keep what somebody sees: the actions of `group`, the item's group of the ontology, or that nobody is there.

    The item is wrong where nobody is there, or other actions hold than the consensus has. An answer may be given
    again until every item of the audit has one. Raises `InputError` for an unknown item or an answer that the group
    cannot have, `DecisionError` where the audit is complete.
    """
    given = sorted(set(action_ids))
    with store.session() as session:
        item = session.get(AuditItem, item_id)
        if item is None:
            raise InputError(
                f"There is no audit item {item_id}.", "List a batch's items with `ava qc audit`."
            )
        _check(item, group, given, present)
        open_items = select(func.count()).where(
            AuditItem.audit_id == item.audit_id, AuditItem.answered_at.is_(None)
        )
        if not session.scalar(open_items):
            raise DecisionError(f"Audit {item.audit_id} is complete.", "Start another audit to check again.")
        item.answered_at, item.answered_by, item.comment = now(), actor, comment
        item.present, item.answer = present, given
        item.wrong = not present or given != sorted(item.expected)
    subject = f"{item.clip_id}/{item.second}/{item.person_id}/{item.group}"
    detail = {"audit": item.audit_id, "position": item.position, "present": present, "comment": comment}
    audit_log.note(store, actor, "audit answered", subject, action_ids=given, **detail)


def audit_result(store: Store, audit_id: int) -> tuple[AuditBound, pl.DataFrame]:
    """What a completed audit says about everything approved; and `group, checked, wrong`, by group.

    Raises `InputError` where there is no such audit, or items of it wait for an answer.
    """
    items = items_of(store, audit_id)
    waiting = sum(item.answered_at is None for item in items)
    if waiting:
        raise InputError(
            f"{waiting} of {len(items)} items of audit {audit_id} are not answered yet.",
            "Answer them first: the audit stays blind until it is complete.",
        )
    rows = pl.DataFrame(
        [(item.group, 1, int(bool(item.wrong))) for item in items], schema=BY_GROUP, orient="row"
    )
    by_group = rows.group_by("group").agg(pl.col("checked", "wrong").sum()).sort("group")
    return audit_bound(int(rows["wrong"].sum()), rows.height), by_group


def _blind(item: AuditItem) -> BlindItem:
    columns = (*ANSWER, *BOX_COLUMNS, "item_id", "audit_id", "position")
    return BlindItem(**{name: getattr(item, name) for name in columns}, answered=item.answered_at is not None)


def _check(item: AuditItem, group: Group, given: list[int], present: bool) -> None:
    """Raises `InputError` for an answer that cannot be."""
    if group.name != item.group:
        raise InputError(
            f"The item asks for {item.group}, not {group.name}.", "Answer the group it asks for."
        )
    unknown = [action for action in given if action not in group.ids]
    if unknown:
        raise InputError(f"Group {group.name} has no action {unknown[0]}.", "Choose one of its actions.")
    if not present:
        if given:
            raise InputError("No person is there, so there are no actions.", "Leave the actions out.")
        return
    if group.kind == "exclusive" and len(given) != 1:
        raise InputError(f"Of {group.name} exactly one action holds, not {len(given)}.", "Choose one.")


def _answers(
    consensus: Mapping[str, pl.DataFrame], ontology: Ontology, approved: Collection[str]
) -> pl.DataFrame:
    """`ANSWER`, the box, and `expected` action ids of every answer of approved clips."""
    boxes = consensus["consensus_boxes"].filter(pl.col("clip_id").is_in(sorted(approved)))
    if "disputed" in consensus:
        boxes = boxes.join(consensus["disputed"], on=["clip_id", "second"], how="anti")
    groups = pl.DataFrame(
        [(group.name, group.kind == "exclusive") for group in ontology.groups],
        schema={"group": pl.String, "exclusive": pl.Boolean},
        orient="row",
    )
    said = consensus["consensus_labels"].group_by(ANSWER).agg(expected=pl.col("action_id").sort())
    every = boxes.select(*PLACE, *BOX_COLUMNS).join(groups, how="cross").join(said, on=ANSWER, how="left")
    given = every.filter(~pl.col("exclusive") | pl.col("expected").is_not_null()).drop("exclusive")
    return given.with_columns(pl.col("expected").fill_null([]))
