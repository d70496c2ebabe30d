"""Decisions on a batch: the one service that console, commands and demo call.

Every decision may say what it acts on: `seen` is the newest decision of the batch (`log.newest_decision`) when that was
read. Where somebody has decided on the same subject since, nothing is written, and `DecisionError` says who did, when
and why. Without `seen` a decision overrules whatever holds. What follows in Dagster is started by a sensor that reads
the log.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import select, update

from ava_core.base.errors import DecisionError
from ava_core.decisions.deciding import Deciding, deciding
from ava_core.decisions.log import QC_STATUS, READINGS, decisions_of, newest_decision
from ava_core.decisions.standing import reread, standing
from ava_core.decisions.words import told
from ava_core.store import Store, readings
from ava_core.store.tables import Decision, DecisionAction, Job, Task

PLATFORM: Final = "platform"
"""Who decides where it follows from what people did."""

Shown = Mapping[str, Collection[str]]
"""Names of the readings (`readings.reading_name`) that somebody looked at, by clip."""

LaterReadings = Literal["reopen", "list"]
"""What happens to an approved clip that is read anew: it waits for a review, or stays approved and is listed."""


@dataclass(frozen=True)
class BulkApproved:
    """What a bulk approval did: decisions, and a sentence about each clip that had moved and was left as it is."""

    made: list[Decision]
    moved: dict[str, str]


def approve(
    store: Store,
    batch: str,
    clip_ids: Collection[str],
    actor: str,
    comment: str = "",
    *,
    seen: int | None = None,
    shown: Shown | None = None,
) -> list[Decision]:
    """Approve clips. Raises `DecisionError` for a clip that is not in the batch, or without a completed job.

    The approval records the readings that count, and applies to these only. `shown`: the readings that the person
    looked at; if another one counts by now, nothing is approved.
    """
    return _judge(store, batch, clip_ids, "approve", actor, comment, seen, shown)


def approve_unmoved(
    store: Store,
    batch: str,
    clip_ids: Collection[str],
    actor: str,
    comment: str,
    *,
    seen: int,
    shown: Shown | None = None,
) -> BulkApproved:
    """Approve those clips that still are as they were seen: not decided on nor read since, completed by somebody."""
    with deciding(store, batch, actor, comment, seen) as now:
        moved = {one.subject: told(one) for one in now.moved("approve", clip_ids)}
        moved |= _read_since(now, clip_ids, shown or {})
        done = _clips_with_work(now)
        moved |= {clip: _nobody_completed(clip) for clip in clip_ids if clip not in done}
        made = _judged(now, set(clip_ids) - set(moved), "approve")
    return BulkApproved(made, dict(sorted(moved.items())))


def reject(
    store: Store,
    batch: str,
    clip_ids: Collection[str],
    actor: str,
    comment: str,
    *,
    seen: int | None = None,
) -> list[Decision]:
    """Reject clips; the comment tells the annotators why and may not be empty."""
    if not comment.strip():
        raise DecisionError("A rejection needs a comment.", "Write what the annotators should fix.")
    return _judge(store, batch, clip_ids, "reject", actor, comment, seen)


def reopen(
    store: Store,
    batch: str,
    clip_ids: Collection[str],
    actor: str,
    comment: str = "",
    *,
    seen: int | None = None,
) -> list[Decision]:
    """Take an approval or rejection back."""
    return _judge(store, batch, clip_ids, "reopen", actor, comment, seen)


def reopen_redone(store: Store, batch: str) -> list[str]:
    """Take the rejection back of clips that all their annotators have completed again since; returns the clips.

    What was rejected is work that exists no more: the clip waits for a review like any other.
    """
    seen = newest_decision(store, batch)
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
    redone = set()
    for clip, own in jobs.items():
        moments = [job.completed_at for job in own if job.is_done]
        known = [moment for moment in moments if moment is not None]
        if len(moments) == len(own) and known and max(known) > rejected[clip].decided_at:
            redone.add(clip)
    if not redone:
        return []
    with deciding(store, batch, PLATFORM, "annotated again", seen) as now:
        redone -= {one.subject for one in now.moved("reopen", redone)}
        _judged(now, redone, "reopen")
    return sorted(redone)


def review_reread(store: Store, batch: str, later: LaterReadings) -> list[str]:
    """Deal with approved clips that were read anew since: what was approved is not what there is. Returns the clips.

    `later`: they wait for a review again, or the approval is carried over to the new readings, in the platform's name,
    so that log and releases list them.
    """
    now = standing(store, batch)
    found = reread(now)
    if not found:
        return []
    action: DecisionAction = "reopen" if later == "reopen" else "approve"
    with deciding(
        store, batch, PLATFORM, "read again after it was approved", now.state.newest
    ) as deciding_now:
        clips = set(found) - {one.subject for one in deciding_now.moved(action, found)}
        _judged(deciding_now, clips, action)
    return sorted(clips)


def exclude_annotator(
    store: Store, batch: str, annotator: str, actor: str, comment: str, *, seen: int | None = None
) -> Decision:
    """Leave an annotator's work out of the batch's consensus."""
    return _set_trust(store, batch, annotator, "exclude", actor, comment, seen)


def include_annotator(
    store: Store, batch: str, annotator: str, actor: str, comment: str = "", *, seen: int | None = None
) -> Decision:
    """Take an exclusion back."""
    return _set_trust(store, batch, annotator, "include", actor, comment, seen)


def judge_pair(
    store: Store,
    batch: str,
    pair: tuple[str, str],
    actor: str,
    comment: str = "",
    *,
    independent: bool,
    seen: int | None = None,
) -> Decision:
    """Say whether two annotators who are conspicuously alike judge independently: each then has a vote of their own.

    Who copies can be excluded instead.
    """
    names = sorted(pair)
    subject = " + ".join(names)
    with deciding(store, batch, actor, comment, seen) as now:
        for name in names:
            _refuse_stranger(now, name)
        now.refuse_moved("pair", [subject])
        before = now.holds("pair", [subject]).get(subject, {"annotators": names, "independent": False})
        return now.add("pair", subject, before, {"annotators": names, "independent": independent})


def mark_gold(
    store: Store,
    batch: str,
    clip_id: str,
    expert: str,
    actor: str,
    comment: str = "",
    *,
    seen: int | None = None,
) -> Decision:
    """Make an expert's completed work on a clip the measure of the others' work on it.

    It is an annotator's job, or the parent job in which the expert adjudicated the clip. Raises `DecisionError` where
    the expert has not completed the clip.
    """
    with deciding(store, batch, actor, comment, seen) as now:
        now.statuses([clip_id])
        names = {expert} - {""}
        if names and now.holds("expert", [clip_id]).get(clip_id, {}).get("expert") == expert:
            names.add("")  # a parent job has no annotator
        wanted = select(Job.job_id).where(Job.clip_id == clip_id, Job.annotator.in_(names), Job.is_done)
        if now.session.scalar(wanted.limit(1)) is None:
            raise DecisionError(
                f"{expert!r} has not completed {clip_id}.", "A gold clip needs its expert's completed job."
            )
        return _set_expert(now, "gold", clip_id, {"expert": expert})


def unmark_gold(
    store: Store, batch: str, clip_id: str, actor: str, comment: str = "", *, seen: int | None = None
) -> Decision:
    """Make a gold clip an ordinary one again."""
    with deciding(store, batch, actor, comment, seen) as now:
        now.statuses([clip_id])
        return _set_expert(now, "gold", clip_id, {"expert": ""})


def note_expert(
    store: Store, batch: str, clip_id: str, expert: str, job_id: int, actor: str, comment: str = ""
) -> Decision:
    """Note that a clip was given to an expert, whose completed work replaces its consensus from then on.

    An empty `expert` takes it back: the annotators' consensus holds again.
    """
    with deciding(store, batch, actor, comment, None) as now:
        now.statuses([clip_id])
        return _set_expert(now, "expert", clip_id, {"expert": expert, "job_id": job_id})


def _judge(
    store: Store,
    batch: str,
    clip_ids: Collection[str],
    action: DecisionAction,
    actor: str,
    comment: str,
    seen: int | None,
    shown: Shown | None = None,
) -> list[Decision]:
    with deciding(store, batch, actor, comment, seen) as now:
        now.statuses(clip_ids)
        now.refuse_moved(action, clip_ids)
        if read := _read_since(now, clip_ids, shown or {}):
            raise DecisionError(next(iter(read.values())), "Reload and try again.")
        if action == "approve":
            done = _clips_with_work(now)
            unfinished = [clip for clip in sorted(clip_ids) if clip not in done]
            if unfinished:
                raise DecisionError(
                    _nobody_completed(unfinished[0]), "Approve a clip once an annotator's job is completed."
                )
        return _judged(now, clip_ids, action)


def _judged(now: Deciding, clip_ids: Collection[str], action: DecisionAction) -> list[Decision]:
    """Decide on clips, and let their tasks say so."""
    clips = sorted(set(clip_ids))
    before = now.statuses(clips)
    status = {"qc_status": QC_STATUS[action]}
    counting = readings.counting(now.session, now.batch) if action == "approve" else {}
    made = []
    for clip in clips:
        read: dict[str, Any] = {READINGS: sorted(counting[clip])} if clip in counting else {}
        made.append(now.add(action, clip, {"qc_status": before[clip]}, status | read))
    now.session.execute(update(Task).where(Task.batch == now.batch, Task.clip_id.in_(clips)).values(**status))
    return made


def _read_since(now: Deciding, clips: Collection[str], shown: Shown) -> dict[str, str]:
    """Clips of which readings count that were not shown, each with a sentence."""
    if not shown:
        return {}
    counting = readings.counting(now.session, now.batch)
    later = {clip: counting.get(clip, frozenset()).difference(shown[clip]) for clip in clips if clip in shown}
    return {
        clip: f"{clip} was read again in the meantime ({', '.join(sorted(names))})."
        for clip, names in sorted(later.items()) if names
    }  # fmt: skip


def _set_trust(
    store: Store,
    batch: str,
    annotator: str,
    action: DecisionAction,
    actor: str,
    comment: str,
    seen: int | None,
) -> Decision:
    with deciding(store, batch, actor, comment, seen) as now:
        _refuse_stranger(now, annotator)
        now.refuse_moved(action, [annotator])
        before = now.holds(action, [annotator]).get(annotator, {"excluded": False})
        return now.add(action, annotator, before, {"excluded": action == "exclude"})


def _refuse_stranger(now: Deciding, annotator: str) -> None:
    """Raise `DecisionError` where somebody has no job in the batch."""
    wanted = select(Job.job_id).where(Job.batch == now.batch, Job.annotator == annotator)
    if now.session.scalar(wanted.limit(1)) is None:
        raise DecisionError(f"{annotator!r} has no job in batch {now.batch}.", "Names must match exactly.")


def _set_expert(now: Deciding, action: DecisionAction, clip_id: str, after: dict[str, Any]) -> Decision:
    """Gold and expert: somebody whose work on a clip counts, or "" for nobody."""
    now.refuse_moved(action, [clip_id])
    before = now.holds(action, [clip_id]).get(clip_id, {}).get("expert", "")
    return now.add(action, clip_id, {"expert": before}, after)


def _clips_with_work(now: Deciding) -> set[str]:
    wanted = select(Job.clip_id).where(Job.batch == now.batch, Job.of_annotator, Job.is_done)
    return set(now.session.scalars(wanted))


def _nobody_completed(clip: str) -> str:
    return f"Nobody has completed {clip}."
