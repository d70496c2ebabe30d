"""Who annotates which clip: a seeded plan, balanced in load and in pairs."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from ava_core.errors import AssignmentError


@dataclass(frozen=True)
class AssignmentPlan:
    """Annotators by clip, in the order of the clip's jobs."""

    annotators: dict[str, tuple[str, ...]]

    @property
    def load(self) -> Counter[str]:
        """Clips of each annotator."""
        return Counter(name for names in self.annotators.values() for name in names)

    @property
    def shared(self) -> Counter[tuple[str, str]]:
        """Clips that two annotators share, by pair in alphabetical order."""
        return Counter(pair for names in self.annotators.values() for pair in combinations(sorted(names), 2))


def plan_assignment(
    clip_ids: Sequence[str],
    annotators: Sequence[str],
    *,
    overlap: float,
    k: int,
    seed: int,
    capacity: Mapping[str, int] | None = None,
) -> AssignmentPlan:
    """Deal clips out.

    `overlap`: share of clips that `k` annotators do each; the others get one. `capacity`: most clips of an
    annotator. The same input gives the same plan, in whatever order it comes. Raises `AssignmentError` where
    there are too few annotators, or too little capacity.
    """
    names = sorted(set(annotators))
    if not names:
        raise AssignmentError(
            "There is no annotator to assign work to.", "Add one: `ava annotator add NAME`."
        )
    if overlap > 0 and k > len(names):
        raise AssignmentError(
            f"{k} annotators a clip are asked for, {len(names)} are available.",
            "Add annotators, or lower AVA_ANNOTATORS_PER_CLIP.",
        )
    left = {name: (capacity or {}).get(name, len(clip_ids)) for name in names}
    draw = random.Random(seed)  # noqa: S311 - a repeatable lot, not a secret
    clips = sorted(set(clip_ids))
    draw.shuffle(clips)
    shared_clips = round(overlap * len(clips))
    plan: dict[str, tuple[str, ...]] = {}
    load: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for number, clip in enumerate(clips):
        wanted = k if number < shared_clips else 1
        plan[clip] = _choose(names, wanted, load, pairs, left, draw, clip)
        load.update(plan[clip])
        pairs.update(combinations(sorted(plan[clip]), 2))
    return AssignmentPlan(dict(sorted(plan.items())))


def _choose(
    names: list[str],
    wanted: int,
    load: Counter[str],
    pairs: Counter[tuple[str, str]],
    left: dict[str, int],
    draw: random.Random,
    clip: str,
) -> tuple[str, ...]:
    """The least loaded annotators; among equals those who have shared least, then by lot."""
    chosen: list[str] = []
    for _ in range(wanted):
        free = [name for name in names if name not in chosen and load[name] < left[name]]
        if not free:
            raise AssignmentError(
                f"The annotators' capacity is used up at clip {clip}.",
                "Raise it, add annotators, or lower the overlap.",
            )
        lots = {name: draw.random() for name in names}

        def rank(name: str, lots: dict[str, float] = lots) -> tuple[int, int, float]:
            met = sum(pairs[min(name, other), max(name, other)] for other in chosen)
            return load[name], met, lots[name]

        chosen.append(min(free, key=rank))
    draw.shuffle(chosen)
    return tuple(chosen)
