"""Who annotates which clip: a seeded plan, balanced in load and in pairs."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from ava_core.base.errors import AssignmentError
from ava_core.base.text import plural


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
    pair_floor: int = 0,
) -> AssignmentPlan:
    """Plan which annotators get which clips.

    `overlap`: share of clips that go to `k` annotators; the others go to one. `capacity`: maximum number of clips of
    each annotator. `pair_floor`: minimum number of clips shared by each pair of annotators; if `overlap` gives fewer,
    more clips are shared. The same input gives the same plan, whatever its order. Raises `AssignmentError` if there
    are too few annotators, too little capacity, or too few clips for the floor.

    >>> plan = plan_assignment(["a", "b", "c", "d"], ["anna", "ben", "cleo"], overlap=0.5, k=2, seed=0)
    >>> sorted(len(names) for names in plan.annotators.values()), sorted(plan.load.values())
    ([1, 1, 2, 2], [2, 2, 2])
    """
    names = sorted(set(annotators))
    if not names:
        raise AssignmentError("No annotator is available.", "Add one: `ava annotator add NAME`.")
    if overlap > 0 and k > len(names):
        raise AssignmentError(
            f"{k} annotators per clip are requested, but only {len(names)} are available.",
            "Add annotators, or lower AVA_ANNOTATORS_PER_CLIP.",
        )
    if pair_floor > 0 and len(names) > 1 and k < 2:
        raise AssignmentError(
            f"Each pair of annotators must share {plural(pair_floor, 'clip')}, but each clip has one annotator.",
            "Set AVA_ANNOTATORS_PER_CLIP to 2 or more, or AVA_PAIR_FLOOR to 0.",
        )
    clips = sorted(set(clip_ids))
    limits = {name: (capacity or {}).get(name, len(clips)) for name in names}
    pairs = list(combinations(names, 2)) if pair_floor > 0 else []
    least = -(-pair_floor * len(pairs) // (k * (k - 1) // 2)) if pairs else 0
    for shared in range(max(round(overlap * len(clips)), least), len(clips) + 1):
        plan = _deal(clips, names, shared, k, seed, limits)
        if all(plan.shared[pair] >= pair_floor for pair in pairs):
            return plan
    raise AssignmentError(
        f"{len(clips)} clips are too few for each pair of {len(names)} annotators to share {pair_floor}.",
        "Lower AVA_PAIR_FLOOR, raise AVA_ANNOTATORS_PER_CLIP, or choose fewer annotators for this batch.",
    )


def _deal(
    clips: list[str], names: list[str], shared: int, k: int, seed: int, limits: Mapping[str, int]
) -> AssignmentPlan:
    """Deal out, `shared` of the clips to `k` annotators each."""
    draw = random.Random(seed)  # noqa: S311 - a repeatable lot, not a secret
    order = clips[:]
    draw.shuffle(order)
    plan: dict[str, tuple[str, ...]] = {}
    load: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for number, clip in enumerate(order):
        plan[clip] = _choose(names, k if number < shared else 1, load, pairs, limits, draw, clip)
        load.update(plan[clip])
        pairs.update(combinations(sorted(plan[clip]), 2))
    return AssignmentPlan(dict(sorted(plan.items())))


def _choose(
    names: list[str],
    wanted: int,
    load: Counter[str],
    pairs: Counter[tuple[str, str]],
    limits: Mapping[str, int],
    draw: random.Random,
    clip: str,
) -> tuple[str, ...]:
    """The least loaded annotators; among equals those who have shared least, then by lot."""
    chosen: list[str] = []
    for _ in range(wanted):
        free = [name for name in names if name not in chosen and load[name] < limits[name]]
        if not free:
            raise AssignmentError(
                f"The annotators' capacity is used up at clip {clip}.",
                "Raise the capacity, add annotators, or lower the overlap.",
            )
        lots = {name: draw.random() for name in names}

        def rank(name: str, lots: dict[str, float] = lots) -> tuple[int, int, float]:
            met = sum(pairs[min(name, other), max(name, other)] for other in chosen)
            return load[name], met, lots[name]

        chosen.append(min(free, key=rank))
    draw.shuffle(chosen)
    return tuple(chosen)
