"""One transaction in which a batch is decided on: nobody else decides on it meanwhile, and what moved is noticed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ava_core.base.errors import DecisionError
from ava_core.decisions.log import QC_STATUS
from ava_core.decisions.words import told_newest
from ava_core.store import Store
from ava_core.store.tables import Batch, Decision, DecisionAction, QcStatus, Task

KINDS: Final[tuple[frozenset[DecisionAction], ...]] = (
    frozenset(QC_STATUS),
    frozenset({"exclude", "include"}),
    frozenset({"gold"}),
    frozenset({"adjudicate"}),
    frozenset({"expert"}),
    frozenset({"pair"}),
)
"""Actions that reverse each other on the same subject."""


@dataclass(frozen=True)
class Deciding:
    """Decisions of one person on one batch, in a transaction of their own.

    `seen`: the newest decision of the batch when what the person acts on was read (`log.newest_decision`); `None`
    where nothing was looked at, and whatever holds is overruled.
    """

    session: Session
    batch: str
    actor: str
    comment: str
    seen: int | None

    def moved(self, action: DecisionAction, subjects: Collection[str]) -> list[Decision]:
        """The newest decision of that kind on each subject that somebody has decided on since, oldest first."""
        return self._newest(action, subjects, self.seen) if self.seen is not None else []

    def refuse_moved(self, action: DecisionAction, subjects: Collection[str]) -> None:
        """Raise `DecisionError` where somebody has decided on one of the subjects since."""
        moved = self.moved(action, subjects)
        if moved:
            raise DecisionError(told_newest(moved), "Reload and try again.")

    def holds(self, action: DecisionAction, subjects: Collection[str]) -> dict[str, dict[str, Any]]:
        """What the newest decision of that kind on each subject says; a subject that has none is left out."""
        return {one.subject: one.after for one in self._newest(action, subjects, None)}

    def add(
        self, action: DecisionAction, subject: str, before: dict[str, Any], after: dict[str, Any]
    ) -> Decision:
        """Write it into the log."""
        decision = Decision(
            batch=self.batch, action=action, subject=subject, actor=self.actor, comment=self.comment,
            before=before, after=after,
        )  # fmt: skip
        self.session.add(decision)
        return decision

    def statuses(self, clips: Collection[str]) -> dict[str, QcStatus]:
        """What holds of every clip that has a task. Raises `DecisionError` where one of `clips` has none."""
        wanted = select(Task.clip_id, Task.qc_status).where(Task.batch == self.batch)
        known = dict(row._tuple() for row in self.session.execute(wanted))
        unknown = [clip for clip in sorted(clips) if clip not in known]
        if unknown:
            raise DecisionError(
                f"Batch {self.batch} has no task for clip {unknown[0]!r}.",
                "List batches with `ava batch list`.",
            )
        return known

    def _newest(self, action: DecisionAction, subjects: Collection[str], since: int | None) -> list[Decision]:
        kind = next(kind for kind in KINDS if action in kind)
        wanted = select(Decision).where(
            Decision.batch == self.batch, Decision.action.in_(kind), Decision.subject.in_(subjects)
        )
        if since is not None:
            wanted = wanted.where(Decision.decision_id > since)
        found: dict[str, Decision] = {}
        for decision in self.session.scalars(wanted.order_by(Decision.decision_id)):
            found.pop(decision.subject, None)
            found[decision.subject] = decision
        return list(found.values())


@contextmanager
def deciding(store: Store, batch: str, actor: str, comment: str, seen: int | None) -> Iterator[Deciding]:
    """Begin; what was decided is kept when the block ends, and nothing of it where the block raises.

    Whoever decides on the same batch at the same time waits. So the log's ids grow in the order in which decisions
    come to hold, which is what comparing with `seen` stands on.
    """
    with store.session() as session:
        # A row that is written is locked on every database, and SQLite then lets nobody else write.
        session.execute(update(Batch).where(Batch.name == batch).values(note=Batch.note))
        yield Deciding(session, batch, actor, comment, seen)
