"""Crews and batches of every kind, by name: what the bars of quality speak of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from ava_core.ontology import load_ontology
from tests.support.planted_work import (
    CONSTANT,
    LAZY,
    RANDOM,
    STAMPER,
    WRECKER,
    Nature,
    Planted,
    Profile,
    good_annotators,
    plant,
)

ORDINARY = Nature()


@dataclass(frozen=True)
class Scenario:
    """Who works (drawn anew with each seed) on what kind of batch. `gated`: suspects are left out."""

    crew: Callable[[int], dict[str, Profile]]
    per_clip: int | None = None
    clips: int = 60
    overlap: float = 1.0
    nature: Nature = ORDINARY
    ontology: str = "ava80"


@cache
def scenario(name: str, seed: int) -> Planted:
    """The scenarios that the bars speak of, by name (`SCENARIOS`)."""
    each = SCENARIOS[name]
    return plant(
        each.crew(seed), seed=seed, clips=each.clips, per_clip=each.per_clip, overlap=each.overlap,
        nature=each.nature, ontology=load_ontology(each.ontology),
    )  # fmt: skip


def _with(good: int, *others: Profile) -> Callable[[int], dict[str, Profile]]:
    def profiles(seed: int) -> dict[str, Profile]:
        return good_annotators(good, seed) | {f"other{n}": other for n, other in enumerate(others)}

    return profiles


MEDIOCRE = Profile(accuracy=0.5)
WEAK = Profile(accuracy=0.3)
LATE = Profile(late=1)
EARLY = Profile(late=-1)
COPIER = Profile(copies="other0")

SCENARIOS: dict[str, Scenario] = {
    "3 good": Scenario(_with(3)),
    "5 good": Scenario(_with(5)),
    "3 good, 4 clips": Scenario(_with(3), clips=4),
    "3 good, 10 clips": Scenario(_with(3), clips=10),
    "like the demo": Scenario(
        lambda _: {f"good{n}": Profile(accuracy=a) for n, a in enumerate((0.95, 0.89, 0.79))},
        clips=4, ontology="street",
    ),
    "2 good": Scenario(_with(2)),
    "2 good + mediocre": Scenario(_with(2, MEDIOCRE)),
    "2 good + 1 random": Scenario(_with(2, RANDOM)),
    "2 good + 1 constant": Scenario(_with(2, CONSTANT)),
    "2 good + 1 lazy": Scenario(_with(2, LAZY)),
    "3 good + 2 random": Scenario(_with(3, RANDOM, RANDOM)),
    "pool of 12": Scenario(_with(9, RANDOM, RANDOM, LAZY), per_clip=3),
    "2 good + 1 random, 4 clips": Scenario(_with(2, RANDOM), clips=4),
    "2 good + 1 random, 10 clips": Scenario(_with(2, RANDOM), clips=10),
    "rare classes": Scenario(_with(3), nature=Nature(zipf=2.0)),
    "two classes look alike": Scenario(_with(3), nature=Nature(alike=0.3)),
    "a bias that all share": Scenario(_with(3), nature=Nature(bias=0.3)),
    "one of three late": Scenario(_with(2, LATE)),
    "two of three late": Scenario(_with(1, LATE, LATE)),
    "one of three early": Scenario(_with(2, EARLY)),
    "20 % overlap, pool of 5": Scenario(_with(5), per_clip=3, overlap=0.2),
    "2 good + weak": Scenario(_with(2, WEAK)),
    "2 good + weak + its copier": Scenario(_with(2, WEAK, COPIER)),
    "2 good + random + its copier": Scenario(_with(2, RANDOM, COPIER)),
    "2 good + 1 rubber-stamper": Scenario(_with(2, STAMPER)),
    "2 good + 1 wrecker": Scenario(_with(2, WRECKER)),
}  # fmt: skip
