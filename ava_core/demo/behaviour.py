"""What walkers do, in words, and what those words are called in an ontology.

A walker's behaviour at a moment is a set of words: the action names of the ontology `street`. Another ontology
says the same with its own names (`SYNONYMS`); what it asks and the words do not answer is drawn from a seed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from ava_core.ontology import Group, Ontology

SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    "normal_walk": ("walk",),
    "fast_walk": ("walk",),
    "slow_walk": ("walk",),
    "jogging": ("run/jog",),
    "standing_still": ("stand",),
    "window_shopping": ("stand", "watch (e.g., TV)"),
    "talking_phone": ("answer phone",),
    "texting": ("text on/look at a cellphone",),
    "listening_music": ("listen (e.g., to music)",),
    "taking_photo": ("take a photo",),
    "talking_companion": ("talk to (e.g., self, a person, a group)", "listen to (a person)"),
    "group_walking": ("watch (a person)",),
    "shopping_bags": ("carry/hold (an object)",),
    "backpack": ("carry/hold (an object)",),
    "briefcase_bag": ("carry/hold (an object)",),
    "umbrella": ("carry/hold (an object)",),
    "bowing_gesture": ("bend/bow (at the waist)",),
}
"""Names in AVA's 80 actions by the word of `street`."""

GAITS: Final = {"slow_walk": 0.5, "normal_walk": 0.8, "fast_walk": 1.15, "jogging": 1.7}
"""Speed in body heights a second: a usual walk of 1.35 m/s is 0.8 heights of 1.7 m."""

STANDING: Final = 0.15
"""Below this speed, in body heights a second, somebody stands."""

HOURS: Final = ("rush_hour", "leisure_time", "shopping_time", "lunch_break", "evening_stroll")


@dataclass(frozen=True)
class Habits:
    """What stays with one walker: companion, things carried, clothing; and phone use, which comes and goes.

    `phone` holds `(from second, word)`, ascending: each holds until the next.
    """

    company: str
    carries: str
    clothing: str
    hour: str
    phone: tuple[tuple[int, str], ...]

    def words(self, second: int, gait: str, place: str) -> frozenset[str]:
        """Everything the walker does at that second."""
        phone = [word for start, word in self.phone if start <= second][-1]
        posture = "looking_down" if phone == "texting" else "upright_normal"
        if gait == "standing_still" and phone == "no_phone":
            posture = "hands_in_pockets"
        return frozenset({gait, place, phone, posture, self.company, self.carries, self.clothing, self.hour})


def draw_habits(
    rng: np.random.Generator, hour: str, gait: str, seconds: int, company: str = "alone"
) -> Habits:
    """Habits of one walker who is watched for that many seconds."""
    if gait == "jogging":
        return Habits(company, "empty_hands", "sports_wear", hour, ((0, "listening_music"),))
    clothing = rng.choice(["business_attire", "casual_wear", "tourist_style"], p=[0.3, 0.5, 0.2])
    carries = rng.choice(
        ["empty_hands", "backpack", "shopping_bags", "briefcase_bag"], p=[0.4, 0.2, 0.2, 0.2]
    )
    first, then = rng.permutation(["no_phone", "no_phone", "texting", "talking_phone"])[:2]
    phone = [(0, str(first))]
    if seconds > 4:
        phone.append((int(rng.integers(2, seconds - 1)), str(then)))
    return Habits(company, str(carries), str(clothing), hour, tuple(phone))


def gait_of(speed: float) -> str:
    """The word for a speed in body heights a second."""
    if speed < STANDING:
        return "standing_still"
    return min(GAITS, key=lambda gait: abs(GAITS[gait] - speed))


def labels_of(ontology: Ontology, words: Iterable[str], walker: str, seed: int) -> dict[str, list[int]]:
    """Actions by group, sorted; every group of the ontology is there.

    A group without a single action that the words could mean gets actions drawn from `seed` for that walker.
    """
    meant = {name for word in words for name in (word, *SYNONYMS.get(word, ()))}
    labels = {}
    for group in ontology.groups:
        ids = sorted(action.id for action in group.actions if action.name in meant)[: group.max_active]
        if not ids and (group.kind == "exclusive" or not _speaks_of(group)):
            ids = _draw(group, generator(seed, walker, group.name))
        labels[group.name] = ids
    return labels


def _speaks_of(group: Group) -> bool:
    known = {name for names in SYNONYMS.values() for name in names}
    return any(action.name in known for action in group.actions)


def _draw(group: Group, rng: np.random.Generator) -> list[int]:
    most = min(group.max_active, len(group.ids))
    count = 1 if group.kind == "exclusive" else int(rng.integers(0, most + 1))
    return sorted(int(action) for action in rng.choice(group.ids, size=count, replace=False))


def generator(*names: object) -> np.random.Generator:
    """A generator for those names, a seed among them: what one thing draws never moves what another draws."""
    text = "\x1f".join(map(str, names))
    return np.random.default_rng(list(hashlib.sha256(text.encode()).digest()))
