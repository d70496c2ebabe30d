"""Decisions on a batch: the one service that console, commands and demo call.

The log is append-only; what holds is what the newest decision on a subject says, so every decision can be
reversed by a later one. What follows in Dagster is started by a sensor that reads the log.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl
from sqlalchemy import case, func, select, update

from ava_core.base.errors import DecisionError
from ava_core.base.schemas import ADJUDICATIONS, empty
from ava_core.decisions.presence import PRESENCE, presence_ids
from ava_core.ontology import Ontology
from ava_core.store import Store
from ava_core.store.tables import Batch, Decision, DecisionAction, Job, QcStatus, Task

QC_STATUS: Final[dict[DecisionAction, QcStatus]] = {
    "approve": "approved",
    "reject": "rejected",
    "reopen": "pending",
}

Entry = tuple[DecisionAction, str, dict[str, Any]]
"""Of a decision: action, subject, what holds after it."""

ENTRY = (
    Decision.action,
    Decision.subject,
    case((Decision.action.in_(["adjudicate", "gold", "expert"]), Decision.after)),
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

    @property
    def judged(self) -> frozenset[str]:
        """Clips that were decided on."""
        return self.approved | self.rejected

    @classmethod
    def of_approved(cls, clips: Collection[str]) -> DecisionState:
        """A state in which these clips are approved and nothing else was decided."""
        return cls(frozenset(clips), frozenset(), frozenset(), empty(ADJUDICATIONS), {})


def approve(
    store: Store, batch: str, clip_ids: Collection[str], actor: str, comment: str = ""
) -> list[Decision]:
    """Approve clips. Raises `DecisionError` for a clip that is not of the batch or that nobody completed."""
    return _judge(store, batch, clip_ids, "approve", actor, comment)


def reject(store: Store, batch: str, clip_ids: Collection[str], actor: str, comment: str) -> list[Decision]:
    """Reject clips; the comment tells the annotators why and may not be empty."""
    if not comment.strip():
        raise DecisionError("A rejection needs a comment.", "Say what the annotators should mend.")
    return _judge(store, batch, clip_ids, "reject", actor, comment)


def reopen(
    store: Store, batch: str, clip_ids: Collection[str], actor: str, comment: str = ""
) -> list[Decision]:
    """Take an approval or rejection back."""
    return _judge(store, batch, clip_ids, "reopen", actor, comment)


def reopen_redone(store: Store, batch: str) -> list[str]:
    """Take the rejection back of clips that all their annotators have completed again since; returns the clips.

    What was rejected is work that exists no more: the clip waits for a review like any other.
    """
    rejected: dict[str, Decision] = {}
    for decision in decisions_of(store, batch):
        if decision.action in QC_STATUS:
            rejected.pop(decision.subject, None)
            if decision.action == "reject":
                rejected[decision.subject] = decision
    if not rejected:
        return []
    wanted = select(Job).where(Job.batch == batch, Job.of_annotator, Job.clip_id.in_(rejected))
    jobs: dict[str, list[Job]] = {}
    with store.session() as session:
        for job in session.scalars(wanted):
            jobs.setdefault(job.clip_id, []).append(job)
    redone = []
    for clip, own in sorted(jobs.items()):
        moments = [job.completed_at for job in own if job.is_done]
        known = [moment for moment in moments if moment is not None]
        if len(moments) == len(own) and known and max(known) > rejected[clip].decided_at:
            redone.append(clip)
    if redone:
        reopen(store, batch, redone, "platform", "annotated again")
    return redone


def exclude_annotator(store: Store, batch: str, annotator: str, actor: str, comment: str) -> Decision:
    """Leave an annotator's work out of the batch's consensus."""
    return _set_trust(store, batch, annotator, "exclude", actor, comment)


def include_annotator(store: Store, batch: str, annotator: str, actor: str, comment: str = "") -> Decision:
    """Take an exclusion back."""
    return _set_trust(store, batch, annotator, "include", actor, comment)


def mark_gold(store: Store, batch: str, clip_id: str, expert: str, actor: str, comment: str = "") -> Decision:
    """Make an expert's completed work on a clip the measure of the others' work on it.

    It is an annotator's job, or the parent job in which the expert adjudicated the clip. Raises `DecisionError` where
    the expert has not completed the clip.
    """
    _check_clips(store, batch, [clip_id])
    names = {expert} - {""}
    if decision_state(store, batch).experts.get(clip_id) == expert:
        names.add("")  # a parent job has no annotator
    with store.session() as session:
        wanted = select(Job.job_id).where(Job.clip_id == clip_id, Job.annotator.in_(names), Job.is_done)
        if session.scalar(wanted.limit(1)) is None:
            raise DecisionError(
                f"{expert!r} has not completed {clip_id}.", "A gold clip needs its expert's completed job."
            )
    return _set_gold(store, batch, clip_id, expert, actor, comment)


def note_expert(
    store: Store, batch: str, clip_id: str, expert: str, job_id: int, actor: str, comment: str = ""
) -> Decision:
    """Note that a clip was given to an expert, whose completed work replaces its consensus from then on.

    An empty `expert` takes it back: the annotators' consensus holds again.
    """
    _check_clips(store, batch, [clip_id])
    before = decision_state(store, batch).experts.get(clip_id, "")
    decision = Decision(
        batch=batch, action="expert", subject=clip_id, actor=actor, comment=comment,
        before={"expert": before}, after={"expert": expert, "job_id": job_id},
    )  # fmt: skip
    return _append(store, [decision])[0]


def unmark_gold(store: Store, batch: str, clip_id: str, actor: str, comment: str = "") -> Decision:
    """Make a gold clip an ordinary one again."""
    _check_clips(store, batch, [clip_id])
    return _set_gold(store, batch, clip_id, "", actor, comment)


def _set_gold(store: Store, batch: str, clip_id: str, expert: str, actor: str, comment: str) -> Decision:
    before = decision_state(store, batch).gold.get(clip_id, "")
    decision = Decision(
        batch=batch, action="gold", subject=clip_id, actor=actor, comment=comment,
        before={"expert": before}, after={"expert": expert},
    )  # fmt: skip
    return _append(store, [decision])[0]


def adjudicate(
    store: Store,
    batch: str,
    *,
    clip_id: str,
    second: int,
    person_id: int,
    group: str,
    action_ids: Collection[int],
    actor: str,
    comment: str = "",
) -> Decision:
    """Decide what a person does at a keyframe, whatever the annotators said.

    Raises `DecisionError` for group `presence`, which `settle_presence` decides.
    """
    if group == PRESENCE:
        raise DecisionError(
            f"Whether person {person_id} of {clip_id} is there at second {second} is no action.",
            "Settle the person's presence: yes or no.",
        )
    at = {"clip_id": clip_id, "second": second, "person_id": person_id, "group": group}
    return _adjudicate(store, batch, at, sorted(action_ids), actor, comment)


def settle_presence(
    store: Store,
    batch: str,
    *,
    clip_id: str,
    second: int,
    person_id: int,
    present: bool,
    actor: str,
    comment: str = "",
) -> Decision:
    """Decide whether a person is there at a keyframe at all, however many annotators drew a box.

    Where nobody is, box and labels leave the consensus, whatever was decided on the labels.
    """
    at = {"clip_id": clip_id, "second": second, "person_id": person_id, "group": PRESENCE}
    return _adjudicate(store, batch, at, presence_ids(present), actor, comment)


def _adjudicate(
    store: Store, batch: str, at: dict[str, Any], action_ids: list[int], actor: str, comment: str
) -> Decision:
    _check_clips(store, batch, [at["clip_id"]])
    subject = "{clip_id}/{second}/{person_id}/{group}".format(**at)
    with store.session() as session:
        same = select(Decision.after).where(
            Decision.batch == batch, Decision.action == "adjudicate", Decision.subject == subject
        )
        before = session.scalar(same.order_by(Decision.decision_id.desc()).limit(1))
    decision = Decision(
        batch=batch, action="adjudicate", subject=subject, actor=actor, comment=comment,
        before=before or {}, after=at | {"action_ids": action_ids},
    )  # fmt: skip
    return _append(store, [decision])[0]


def action_ids(ontology: Ontology, group: str, names: Collection[str]) -> list[int]:
    """Ids of a group's actions by name. Raises `DecisionError` for what the ontology does not hold."""
    groups = {one.name: {action.name: action.id for action in one.actions} for one in ontology.groups}
    if group not in groups:
        raise DecisionError(f"The ontology has no group {group!r}.", f"It has {', '.join(sorted(groups))}.")
    unknown = [name for name in names if name not in groups[group]]
    if unknown:
        raise DecisionError(
            f"Group {group} has no action {unknown[0]!r}.", f"It has {', '.join(groups[group])}."
        )
    return sorted(groups[group][name] for name in names)


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


def decisions_after(store: Store, decision_id: int) -> list[Decision]:
    """All decisions after the one of that id, oldest first."""
    with store.session() as session:
        wanted = select(Decision).where(Decision.decision_id > decision_id)
        return list(session.scalars(wanted.order_by(Decision.decision_id)))


def decision_state(store: Store, batch: str) -> DecisionState:
    """What the log of a batch says now: the newest decision on each subject holds."""
    wanted = select(*ENTRY).where(Decision.batch == batch)
    with store.session() as session:
        rows = session.execute(wanted.order_by(Decision.decision_id)).all()
    return _folded(row._tuple() for row in rows)


def decision_states(store: Store) -> dict[str, DecisionState]:
    """`decision_state` of every batch by name, from one query: a page about all batches needs no other."""
    wanted = select(Batch.name, *ENTRY)
    ordered = wanted.outerjoin(Decision, Decision.batch == Batch.name).order_by(
        Batch.name, Decision.decision_id
    )
    logs: defaultdict[str, list[Entry]] = defaultdict(list)
    with store.session() as session:
        for name, action, subject, after in session.execute(ordered):
            own = logs[name]
            if action is not None:
                own.append((action, subject, after))
    return {name: _folded(log) for name, log in logs.items()}


def _folded(log: Iterable[Entry]) -> DecisionState:
    """Fold a log, oldest first."""
    clips: dict[str, str] = {}
    annotators: dict[str, str] = {}
    labels: dict[str, dict[str, Any]] = {}
    named: dict[str, dict[str, str]] = {"gold": {}, "expert": {}}
    for action, subject, after in log:
        if action in QC_STATUS:
            clips[subject] = action
        elif action in ("exclude", "include"):
            annotators[subject] = action
        elif action == "adjudicate":
            labels[subject] = after
        elif action in named:
            named[action][subject] = str(after["expert"])
    return DecisionState(
        approved=frozenset(clip for clip, action in clips.items() if action == "approve"),
        rejected=frozenset(clip for clip, action in clips.items() if action == "reject"),
        excluded=frozenset(name for name, action in annotators.items() if action == "exclude"),
        adjudications=pl.DataFrame(list(labels.values()), schema=dict(ADJUDICATIONS)),
        gold={clip: name for clip, name in named["gold"].items() if name},
        experts={clip: name for clip, name in named["expert"].items() if name},
    )


def _judge(
    store: Store, batch: str, clip_ids: Collection[str], action: DecisionAction, actor: str, comment: str
) -> list[Decision]:
    clips = sorted(set(clip_ids))
    before = _check_clips(store, batch, clips)
    if action == "approve":
        done = _clips_with_work(store, batch)
        unfinished = [clip for clip in clips if clip not in done]
        if unfinished:
            raise DecisionError(
                f"Nobody has completed {unfinished[0]}.",
                "Approve a clip once an annotator's job is completed.",
            )
    after = {"qc_status": QC_STATUS[action]}
    decisions = [
        Decision(
            batch=batch, action=action, subject=clip, actor=actor, comment=comment,
            before={"qc_status": before[clip]}, after=after,
        )
        for clip in clips
    ]  # fmt: skip
    with store.session() as session:
        session.add_all(decisions)
        session.execute(update(Task).where(Task.batch == batch, Task.clip_id.in_(clips)).values(**after))
    return decisions


def _set_trust(
    store: Store, batch: str, annotator: str, action: DecisionAction, actor: str, comment: str
) -> Decision:
    with store.session() as session:
        wanted = select(Job.job_id).where(Job.batch == batch, Job.annotator == annotator)
        if session.scalar(wanted.limit(1)) is None:
            raise DecisionError(f"{annotator!r} has no job in batch {batch}.", "Names must match exactly.")
    was = annotator in decision_state(store, batch).excluded
    decision = Decision(
        batch=batch, action=action, subject=annotator, actor=actor, comment=comment,
        before={"excluded": was}, after={"excluded": action == "exclude"},
    )  # fmt: skip
    return _append(store, [decision])[0]


def _check_clips(store: Store, batch: str, clips: Collection[str]) -> dict[str, QcStatus]:
    with store.session() as session:
        rows = session.execute(select(Task.clip_id, Task.qc_status).where(Task.batch == batch)).all()
    known = dict(row._tuple() for row in rows)
    unknown = [clip for clip in clips if clip not in known]
    if unknown:
        raise DecisionError(
            f"Batch {batch} has no task for clip {unknown[0]!r}.", "`ava batch list` shows batches."
        )
    return known


def _clips_with_work(store: Store, batch: str) -> set[str]:
    wanted = select(Job.clip_id).where(Job.batch == batch, Job.of_annotator, Job.is_done)
    with store.session() as session:
        return set(session.scalars(wanted))


def _append(store: Store, decisions: list[Decision]) -> list[Decision]:
    with store.session() as session:
        session.add_all(decisions)
    return decisions
