"""What holds of a batch at one moment: its log and the readings that count, in one snapshot of the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import polars as pl
from sqlalchemy import select

from ava_core.decisions.log import DecisionState, folded
from ava_core.store import Store, readings
from ava_core.store.tables import Decision


@dataclass(frozen=True)
class Standing:
    """`log`: decisions, oldest first; `state`: what holds after them; `readings`: names of those that count."""

    log: list[Decision]
    state: DecisionState
    readings: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def approvals(self) -> dict[str, Decision]:
        """The approval of every clip that is approved."""
        made = {one.subject: one for one in self.log if one.action == "approve"}
        return {clip: one for clip, one in made.items() if clip in self.state.approved}


def standing(store: Store, batch: str) -> Standing:
    """What the log and the readings of a batch say now."""
    wanted = select(Decision).where(Decision.batch == batch).order_by(Decision.decision_id)
    with store.snapshot() as session:
        log = list(session.scalars(wanted))
        counting = readings.counting(session, batch)
    state = folded((one.decision_id, one.action, one.subject, one.after) for one in log)
    return Standing(log, state, counting)


def readings_in(completed: pl.DataFrame) -> dict[str, frozenset[str]]:
    """Names of the readings that a table (`schemas.COMPLETED_JOBS`) stands for, by clip."""
    found: dict[str, set[str]] = {}
    for clip_id, *reading in completed.select("clip_id", "annotator", "job_id", "version").iter_rows():
        found.setdefault(clip_id, set()).add(readings.reading_name(*reading))
    return {clip_id: frozenset(names) for clip_id, names in found.items()}


def reread(now: Standing, clips: Collection[str] | None = None) -> dict[str, list[str]]:
    """Approved clips of which readings count that their approval did not see, with the names of those.

    `clips`: all that are approved by default. An approval that did not note its readings is taken to have seen all.
    """
    chosen = now.state.approved if clips is None else now.state.approved.intersection(clips)
    later = {
        clip: sorted(now.readings.get(clip, frozenset()) - now.state.seen[clip])
        for clip in chosen if clip in now.state.seen
    }  # fmt: skip
    return {clip: names for clip, names in sorted(later.items()) if names}
