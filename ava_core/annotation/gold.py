"""Dealing gold clips out: they lie among the other work, and nothing about them tells that an expert did them."""

from __future__ import annotations

import random
from collections import Counter

from ava_core.annotation.staffing import experts_of, top_up
from ava_core.base.errors import AssignmentError
from ava_core.batch import BatchContext
from ava_core.decisions import decision_state
from ava_core.store import annotators, practice, tasks


def plan_gold(at: BatchContext, *, each: int) -> list[tuple[str, str]]:
    """Which gold clips go to whom so that everyone who gets work has `each` of them: `(clip, annotator)`.

    Nobody gets a clip whose expert that person is, as its measure or as its adjudicator, or on which they practised.
    The clip that fewest have goes first, among equals by lot. Raises `AssignmentError` where the batch has no gold
    clip; whoever has all of them gets no more.
    """
    gold = decision_state(at.store, at.batch).gold
    if not gold:
        raise AssignmentError(
            f"Batch {at.batch} has no gold clips.", "Make one with `ava qc gold BATCH CLIP EXPERT`."
        )
    told = {
        clip: experts_of(at.store, at.batch, clip) | practice.practised(at.store, at.batch, clip)
        for clip in gold
    }
    has = {(job.clip_id, job.annotator) for job in tasks.jobs_of(at.store, at.batch) if job.clip_id in gold}
    spread = Counter(clip for clip, name in has if name)
    draw = random.Random(at.settings.seed)  # noqa: S311 - a repeatable lot, not a secret
    plan: list[tuple[str, str]] = []
    for person in sorted(one.username for one in annotators.available(at.store)):
        others = [clip for clip in sorted(gold) if person not in told[clip]]
        own = [clip for clip in others if (clip, person) in has]
        free = [clip for clip in others if (clip, person) not in has]
        draw.shuffle(free)
        for clip in sorted(free, key=lambda clip: spread[clip])[: max(0, each - len(own))]:
            plan.append((clip, person))
            spread[clip] += 1
    return plan


def deal_gold(at: BatchContext, actor: str, *, each: int) -> list[tuple[str, str]]:
    """Carry `plan_gold` out; done again, it deals only what is missing. Returns what was dealt."""
    plan = plan_gold(at, each=each)
    for clip, person in plan:
        top_up(at, clip, actor, person)
    return plan
