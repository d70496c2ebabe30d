"""The log of decisions as it is read: what was decided, and what holds.

It is append-only; what holds is what the newest decision on a subject says, so every decision can be reversed by a
later one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl
from sqlalchemy import case, func, select

from ava_core.base.schemas import ADJUDICATIONS, empty
from ava_core.store import Store
from ava_core.store.tables import Batch, Decision, DecisionAction, QcStatus

QC_STATUS: Final[dict[DecisionAction, QcStatus]] = {
    "approve": "approved",
    "reject": "rejected",
    "reopen": "pending",
}

READINGS: Final = "readings"
"""In what an approval says afterwards: names of the readings that it saw."""

Entry = tuple[int, DecisionAction, str, dict[str, Any]]
"""Of a decision: its id, action, subject, what holds after it."""

ENTRY = (
    Decision.decision_id,
    Decision.action,
    Decision.subject,
    case((Decision.action.in_(["approve", "adjudicate", "gold", "expert", "pair"]), Decision.after)),
)
"""Columns of an `Entry`. Of other actions the name says all, and to read many of them is not cheap."""


@dataclass(frozen=True)
class DecisionState:
    """What holds for a batch now."""

    approved: frozenset[str]
    rejected: frozenset[str]
    excluded: frozenset[str]
    adjudications: pl.DataFrame
    """`schemas.ADJUDICATIONS`: on groups of labels, and on whether somebody is there."""
    gold: dict[str, str]
    """Gold clips, and the expert whose work on each is the measure."""
    experts: dict[str, str] = field(default_factory=dict)
    """Clips that were given to an expert for adjudication, and to whom."""
    independent: frozenset[tuple[str, str]] = frozenset()
    """Pairs of annotators, by name, that are alike and were judged to work independently."""
    newest: int = 0
    """Id of the newest decision that this holds after."""
    seen: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Names (`readings.reading_name`) of the readings that each approval saw; older approvals did not note them."""
    settled: Mapping[str, int] = field(default_factory=dict)
    """The newest decision on an answer of each clip, or on its expert."""

    @property
    def judged(self) -> frozenset[str]:
        """Clips that were decided on."""
        return self.approved | self.rejected

    def approved_on(self, readings: Mapping[str, Collection[str]]) -> frozenset[str]:
        """Clips that are approved on no other readings than those; `readings`: names by clip.

        Work that was read after an approval is not approved, whatever the clip's status still says.
        """
        return frozenset(
            clip for clip in self.approved
            if clip not in self.seen or self.seen[clip].issuperset(readings.get(clip, ()))
        )  # fmt: skip

    @classmethod
    def of_approved(cls, clips: Collection[str]) -> DecisionState:
        """A state in which these clips are approved and nothing else was decided."""
        return cls(frozenset(clips), frozenset(), frozenset(), empty(ADJUDICATIONS), {})


def decisions_of(store: Store, batch: str) -> list[Decision]:
    """The log of a batch, oldest first."""
    with store.session() as session:
        wanted = select(Decision).where(Decision.batch == batch)
        return list(session.scalars(wanted.order_by(Decision.decision_id)))


def newest_decision(store: Store, batch: str) -> int:
    """The id of a batch's newest decision; 0 where nothing was decided."""
    with store.session() as session:
        wanted = select(func.max(Decision.decision_id)).where(Decision.batch == batch)
        return session.scalar(wanted) or 0


def newest_decisions(store: Store) -> dict[str, int]:
    """The id of the newest decision of every batch that was ever decided on."""
    wanted = select(Decision.batch, func.max(Decision.decision_id)).group_by(Decision.batch)
    with store.session() as session:
        return {batch: int(number) for batch, number in session.execute(wanted)}


def decisions_after(store: Store, decision_id: int, batch: str = "") -> list[Decision]:
    """Decisions after the one of that id, on one batch or on all, oldest first."""
    wanted = select(Decision).where(Decision.decision_id > decision_id)
    if batch:
        wanted = wanted.where(Decision.batch == batch)
    with store.session() as session:
        return list(session.scalars(wanted.order_by(Decision.decision_id)))


def decision_state(store: Store, batch: str) -> DecisionState:
    """What the log of a batch says now: the newest decision on each subject holds."""
    wanted = select(*ENTRY).where(Decision.batch == batch)
    with store.session() as session:
        rows = session.execute(wanted.order_by(Decision.decision_id)).all()
    return folded(row._tuple() for row in rows)


def decision_states(store: Store) -> dict[str, DecisionState]:
    """`decision_state` of every batch by name, from one query: a page about all batches needs no other."""
    wanted = select(Batch.name, *ENTRY)
    ordered = wanted.outerjoin(Decision, Decision.batch == Batch.name).order_by(
        Batch.name, Decision.decision_id
    )
    logs: defaultdict[str, list[Entry]] = defaultdict(list)
    with store.session() as session:
        for name, number, action, subject, after in session.execute(ordered):
            own = logs[name]
            if number is not None:
                own.append((number, action, subject, after))
    return {name: folded(log) for name, log in logs.items()}


def folded(log: Iterable[Entry]) -> DecisionState:
    """What holds after a log, oldest first."""
    newest = 0
    seen: dict[str, frozenset[str]] = {}
    settled: dict[str, int] = {}
    clips: dict[str, str] = {}
    annotators: dict[str, str] = {}
    labels: dict[str, dict[str, Any]] = {}
    pairs: dict[tuple[str, str], bool] = {}
    named: dict[str, dict[str, str]] = {"gold": {}, "expert": {}}
    for number, action, subject, after in log:
        newest = number
        if action in QC_STATUS:
            clips[subject] = action
            seen.pop(subject, None)
            if action == "approve" and READINGS in after:
                seen[subject] = frozenset(after[READINGS])
        elif action in ("exclude", "include"):
            annotators[subject] = action
        elif action == "pair":
            one, other = after["annotators"]
            pairs[one, other] = bool(after["independent"])
        elif action == "adjudicate":
            labels[subject] = after
            settled[after["clip_id"]] = number
        elif action in named:
            if action == "expert":
                settled[subject] = number
            named[action][subject] = str(after["expert"])
    return DecisionState(
        approved=frozenset(clip for clip, action in clips.items() if action == "approve"),
        rejected=frozenset(clip for clip, action in clips.items() if action == "reject"),
        excluded=frozenset(name for name, action in annotators.items() if action == "exclude"),
        adjudications=pl.DataFrame(list(labels.values()), schema=dict(ADJUDICATIONS)),
        gold={clip: name for clip, name in named["gold"].items() if name},
        experts={clip: name for clip, name in named["expert"].items() if name},
        independent=frozenset(pair for pair, alone in pairs.items() if alone),
        newest=newest,
        seen=seen,
        settled=settled,
    )
