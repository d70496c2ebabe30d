"""Annotation work with a known truth: people, their actions, and annotators who err in known ways.

`plant` draws a batch of clips with people who do things, and lets annotators of given `Profile`s work on it. What
comes back has the same tables as real work, so everything from matching to consensus can be held against truth.
Classes follow Zipf's law within AVA's groups; errors come by segment, not by second; some segments are hard for
everybody; pre-drawn boxes drift, some tracks are missing, some show nobody; annotators swap, split and renumber.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from ava_core.base.schemas import BOX_COLUMNS, COMPLETED_JOBS, RAW_BOXES, RAW_LABELS, conform
from ava_core.ontology import Ontology, load_ontology

WIDTH, HEIGHT = 1280, 720

# Calibrated to the design's own generator: three good annotators' majority has micro/macro F1 near .89/.89; one
# random annotator in the place of a good one pulls it to near .74/.70.
ACCURACIES = (0.72, 0.95)
HARD_SHARE = 0.2
"""Segments in which everybody errs more, and in the same way."""
HARDER = 0.3
CONFUSED, CONFUSED_WHERE_HARD = 0.1, 0.3
"""Of labels outside the pose group that are not kept: mistaken for another; the rest is forgotten."""
WALKERS, FASTEST = 0.5, 0.8
"""Share of people who walk, and their highest speed in body heights a second (1.4 m/s of 1.75 m)."""
INVENTED = 0.1
"""Labels of nothing, for each share of accuracy that is missing."""

PLACE = ["clip_id", "second", "person_id"]


@dataclass(frozen=True)
class Profile:
    """How somebody works. Shares are chances; box errors are in shares of the box's size."""

    accuracy: float = 0.85  # a label of an easy segment is kept; in a hard one, HARDER less
    labels: str = "own"  # own | random: base rates at every second | constant: always the commonest
    named: float = 1.0  # share of labels outside the pose group that are entered at all
    edits: float = 0.85  # boxes that are redrawn rather than left as pre-drawn
    noise: float = 0.035  # of each edge of a redrawn box
    offset: float = 0.0  # of all edges, to the right and down
    misses: float = 0.03  # people left out
    adds: float = 0.85  # people without a pre-drawn track whom they draw
    deletes: float = 0.85  # pre-drawn tracks of nobody whom they take out
    swaps: float = 0.2  # clips in which two people's tracks change places half-way
    splits: float = 0.15  # clips in which a track is cut in two
    late: int = 0  # seconds by which every change is noticed too late; negative: too early
    copies: str = ""  # the annotator whose answers are taken over instead of giving own ones
    copied: float = 0.95  # share of people whose answers are taken over, of who copies
    copies_boxes: bool = False  # whether the boxes are taken over too


@dataclass(frozen=True)
class Nature:
    """What the world is like, so that nothing is fitted to one world."""

    zipf: float = 1.0  # the n-th commonest class is seen n ** -zipf as often as the commonest
    segments: tuple[int, int] = (3, 9)  # seconds that an action lasts: from, to below
    hard: float = HARD_SHARE  # segments in which everybody errs more, and in the same way
    harder: float = HARDER
    alike: float = (
        0.0  # chance that one of the two commonest classes of an exclusive group is taken for the other
    )
    bias: float = 0.0  # chance that everybody, independently, takes each third class for its twin
    active: float = 0.9  # mean of the actions that hold in a multi group


GOOD = Profile()
RANDOM = Profile(labels="random")
CONSTANT = Profile(labels="constant")
LAZY = Profile(named=0.35)
STAMPER = Profile(edits=0.0, adds=0.0, deletes=0.0, misses=0.0, swaps=0.0, splits=0.0)
WRECKER = Profile(noise=0.16, offset=0.05, edits=1.0)


@dataclass(frozen=True)
class Planted:
    """Work and truth. `true_boxes`: `PLACE`, box; `true_labels`: `PLACE`, `action_id`."""

    ontology: Ontology
    true_boxes: pl.DataFrame
    true_labels: pl.DataFrame
    raw_boxes: pl.DataFrame
    raw_labels: pl.DataFrame
    completed: pl.DataFrame

    @property
    def work(self) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, Ontology]:
        """The arguments that agreement and consensus take."""
        return self.raw_boxes, self.raw_labels, self.completed, self.ontology

    @property
    def clip_ids(self) -> list[str]:
        return sorted(self.completed["clip_id"].unique())


def good_annotators(count: int, seed: int) -> dict[str, Profile]:
    """Annotators of 72 to 95 % accuracy."""
    draw = np.random.default_rng([seed, 7])
    return {f"good{n}": Profile(accuracy=float(draw.uniform(*ACCURACIES))) for n in range(count)}


def plant(
    profiles: dict[str, Profile],
    *,
    seed: int,
    clips: int = 60,
    seconds: int = 15,
    people: int | None = None,
    per_clip: int | None = None,
    ontology: Ontology | None = None,
    nature: Nature | None = None,
    overlap: float = 1.0,
) -> Planted:
    """Draw a batch. `people`: in each clip, 2 to 8 by default; `per_clip`: annotators of each, all by default;
    `overlap`: share of clips that they do, one annotator does each of the others."""
    ontology = ontology or load_ontology("ava80")
    draw = np.random.default_rng(seed)
    world = _World(ontology, draw, seconds, nature or Nature())
    boxes, labels, jobs, true_boxes, true_labels = [], [], [], [], []
    names = sorted(profiles)
    for number in range(clips):
        clip_id = f"clip_{number:04d}"
        scene = world.scene(people or int(draw.integers(2, 9)))
        true_boxes.append(_box_rows(scene.boxes).with_columns(clip_id=pl.lit(clip_id)))
        true_labels.append(_label_rows(scene.labels, world.action_ids).with_columns(clip_id=pl.lit(clip_id)))
        crew = names if per_clip is None else sorted(draw.choice(names, per_clip, replace=False))
        if overlap < 1 and number >= round(overlap * clips):
            crew = [str(draw.choice(names))]
        made: dict[str, list[list]] = {}
        for name in sorted(crew, key=lambda n: (profiles[str(n)].copies != "", n)):
            job = {"clip_id": clip_id, "annotator": str(name), "job_id": len(jobs) + 1, "version": 1}
            jobs.append(job)
            drawn, said = world.annotate(scene, profiles[str(name)], made, str(name))
            fixed = [pl.lit(value).alias(key) for key, value in job.items()]
            boxes.append(drawn.with_columns(fixed))
            labels.append(said.with_columns(fixed))
    return Planted(
        ontology,
        pl.concat(true_boxes).select(*PLACE, *BOX_COLUMNS),
        pl.concat(true_labels).select(*PLACE, "action_id"),
        conform(pl.concat(boxes), RAW_BOXES, "boxes"),
        conform(pl.concat(labels), RAW_LABELS, "labels"),
        conform(pl.DataFrame(jobs), COMPLETED_JOBS, "jobs"),
    )


@dataclass(frozen=True)
class _Scene:
    boxes: np.ndarray  # (people, seconds, 4)
    labels: np.ndarray  # (people, seconds, classes)
    segments: list[list[tuple[int, int, bool]]]  # of each person: from, to, hard
    seeds: list[tuple[int | None, np.ndarray]]  # pre-drawn tracks: the person, or nobody; boxes (seconds, 4)


class _World:
    """How often each class is seen and what it is mistaken for."""

    def __init__(self, ontology: Ontology, draw: np.random.Generator, seconds: int, nature: Nature) -> None:
        self.draw, self.seconds, self.nature = draw, seconds, nature
        self.action_ids = np.array([action.id for action in ontology.actions])
        self.groups = []
        for group in ontology.groups:
            columns = np.flatnonzero(np.isin(self.action_ids, group.ids))
            rate = 1 / np.arange(1, len(columns) + 1) ** nature.zipf
            twin = draw.permutation(len(columns))
            self.groups.append((group, draw.permutation(columns), rate / rate.sum(), twin))

    def scene(self, people: int) -> _Scene:
        boxes = np.stack([self._walk() for _ in range(people)])
        labels = np.zeros((people, self.seconds, len(self.action_ids)), dtype=bool)
        segments = []
        for person in range(people):
            ends = np.cumsum(self.draw.integers(*self.nature.segments, self.seconds))
            cuts = [0, *ends[ends < self.seconds].tolist(), self.seconds]
            own = [(a, b, bool(self.draw.random() < self.nature.hard)) for a, b in pairwise(cuts)]
            segments.append(own)
            for start, end, _ in own:
                for number in range(len(self.groups)):
                    labels[person, start:end, self._true_set(number)] = True
        seeds: list[tuple[int | None, np.ndarray]] = [
            (person, self._drifted(boxes[person])) for person in range(people) if self.draw.random() > 0.06
        ]
        seeds += [(None, self._walk()) for _ in range(self.draw.poisson(0.4))]
        return _Scene(boxes, labels, segments, seeds)

    def annotate(
        self, scene: _Scene, profile: Profile, made: dict[str, list[list]], name: str
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Boxes and labels of one annotator on one scene, without the job's columns. `made`: what those did of whom
        somebody may copy."""
        tracks = self._tracks(scene, profile)
        self._copy(tracks, profile, made)
        made[name] = [[part if part is None else np.copy(part) for part in track] for track in tracks]
        self._mix_up(tracks, profile)
        draw_order = self.draw.permutation(len(tracks))  # CVAT's own numbers do not survive
        boxes, labels = [], []
        for number, at in enumerate(draw_order):
            seed, drawn, edited, answers = tracks[at]
            seen = np.flatnonzero(~np.isnan(drawn[:, 0]))
            boxes.append(pl.DataFrame({
                "track_key": [f"t{number}"] * len(seen),
                "seed_track_id": pl.Series([seed] * len(seen), dtype=pl.Int32), "second": seen,
                **{c: drawn[seen, i] for i, c in enumerate(BOX_COLUMNS)}, "edited": edited[seen],
            }))  # fmt: skip
            for group, columns, _, _ in self.groups:
                own = np.sort(columns)
                sets = [self.action_ids[own[answers[second, own]]].tolist() for second in seen]
                labels.append(pl.DataFrame(
                    {"track_key": [f"t{number}"] * len(seen), "second": seen, "group": [group.name] * len(seen),
                     "action_ids": pl.Series(sets, dtype=pl.List(pl.Int32))}
                ))  # fmt: skip
        if not boxes:
            return _NO_BOXES.clone(), _NO_LABELS.clone()
        flags = pl.lit([], dtype=pl.List(pl.String))
        return pl.concat(boxes).with_columns(flags=flags), pl.concat(labels)

    def _walk(self) -> np.ndarray:
        """A box `(seconds, 4)` that moves through the picture."""
        size = self.draw.uniform([50, 120], [110, 260])
        low, high = np.array([80.0, 150.0]), np.array([WIDTH - 80.0, HEIGHT - 150.0])
        speed = self.draw.uniform(0, FASTEST) * size[1] * (self.draw.random() < WALKERS)
        angle = self.draw.uniform(0, 2 * np.pi)
        step = speed * np.array([np.cos(angle), 0.3 * np.sin(angle)])
        path = self.draw.uniform(0, high - low) + step * np.arange(self.seconds)[:, None]
        centre = low + (high - low) - np.abs(path % (2 * (high - low)) - (high - low))  # turns at the edges
        return np.concatenate([centre - size / 2, centre + size / 2], axis=1)

    def _drifted(self, boxes: np.ndarray) -> np.ndarray:
        """As a tracker draws it: the error of each edge wanders."""
        steps = self.draw.normal(0, 0.035, (self.seconds, 4))
        error = np.zeros_like(steps)
        for second in range(self.seconds):
            error[second] = 0.85 * (error[second - 1] if second else 0) + steps[second]
        return boxes + error * _size(boxes)

    def _true_set(self, number: int) -> np.ndarray:
        group, columns, rate, _ = self.groups[number]
        if group.kind == "exclusive":
            return columns[[self.draw.choice(len(columns), p=rate)]]
        count = min(int(self.draw.poisson(self.nature.active)), group.max_active, len(columns))
        return columns[self.draw.choice(len(columns), count, replace=False, p=rate)]

    def _tracks(self, scene: _Scene, profile: Profile) -> list[list]:
        """`[seed id, boxes, edited, answers]` of each track that the annotator leaves behind."""
        chance = self.draw.random
        tracks: list[list] = []
        seeded = {person for person, _ in scene.seeds if person is not None}
        for seed, (person, boxes) in enumerate(scene.seeds, start=1):
            if person is None:
                if chance() < profile.deletes:
                    continue
                tracks.append([seed, *self._redrawn(boxes, boxes, profile), self._guess(profile)])
            elif chance() >= profile.misses:
                drawn = self._redrawn(scene.boxes[person], boxes, profile)
                tracks.append([seed, *drawn, self._answers(scene, person, profile)])
        for person in set(range(len(scene.boxes))) - seeded:
            if chance() < profile.adds:
                boxes = scene.boxes[person]
                drawn = self._redrawn(
                    boxes, boxes, Profile(edits=1, noise=profile.noise, offset=profile.offset)
                )
                tracks.append([None, *drawn, self._answers(scene, person, profile)])
        return tracks

    def _redrawn(self, true: np.ndarray, seed: np.ndarray, profile: Profile) -> tuple[np.ndarray, np.ndarray]:
        edited = self.draw.random(self.seconds) < profile.edits
        error = self.draw.normal(profile.offset, profile.noise, (self.seconds, 4))
        return np.where(edited[:, None], true + error * _size(true), seed), edited

    def _answers(self, scene: _Scene, person: int, profile: Profile) -> np.ndarray:
        if profile.labels != "own":
            return self._guess(profile)
        answers = np.zeros_like(scene.labels[person])
        for start, end, hard in scene.segments[person]:
            accuracy = profile.accuracy - self.nature.harder * hard
            for number in range(len(self.groups)):
                said = self._perceived(number, scene.labels[person, start], accuracy, profile.named, hard)
                answers[start:end, said] = True
        if profile.late > 0:
            answers[profile.late :] = answers[: -profile.late].copy()
        elif profile.late < 0:
            answers[: profile.late] = answers[-profile.late :].copy()
        return answers

    def _copy(self, tracks: list[list], profile: Profile, made: dict[str, list[list]]) -> None:
        """Take over what somebody else answered about the same pre-drawn tracks."""
        theirs = {int(track[0]): track for track in made.get(profile.copies, []) if track[0] is not None}
        for track in tracks:
            if track[0] in theirs and self.draw.random() < profile.copied:
                track[3] = theirs[track[0]][3].copy()
                if profile.copies_boxes:
                    track[1], track[2] = theirs[track[0]][1].copy(), theirs[track[0]][2].copy()

    def _perceived(
        self, number: int, true: np.ndarray, accuracy: float, named: float, hard: bool
    ) -> list[int]:
        """What is entered for a group of a segment: each label kept, mistaken or forgotten."""
        group, columns, rate, twin = self.groups[number]
        said = set()
        exclusive = group.kind == "exclusive"
        for rank in np.flatnonzero(true[columns]):
            if exclusive and rank < 2 and self.nature.alike and self.draw.random() < self.nature.alike:
                said.add(int(columns[1 - rank]))
            elif self.nature.bias and rank % 3 == 1 and self.draw.random() < self.nature.bias:
                said.add(int(columns[twin[rank]]))
            elif self.draw.random() < accuracy:
                said.add(int(columns[rank]))
            elif exclusive or self.draw.random() < (CONFUSED_WHERE_HARD if hard else CONFUSED):
                wrong = (
                    twin[rank] if hard or self.draw.random() < 0.5 else self.draw.choice(len(columns), p=rate)
                )
                said.add(int(columns[wrong]))
        if exclusive:
            return list(said)
        if self.draw.random() < INVENTED * (1 - accuracy):
            said.add(int(columns[self.draw.choice(len(columns), p=rate)]))
        return [label for label in sorted(said) if self.draw.random() < named][: group.max_active]

    def _guess(self, profile: Profile) -> np.ndarray:
        """Answers that have nothing to do with what is seen."""
        answers = np.zeros((self.seconds, len(self.action_ids)), dtype=bool)
        for number, (_, columns, _, _) in enumerate(self.groups):
            if profile.labels == "constant":
                answers[:, columns[0]] = True
                continue
            for second in range(self.seconds):
                answers[second, self._true_set(number)] = True
        return answers

    def _mix_up(self, tracks: list[list], profile: Profile) -> None:
        """Swap two people from some second on; cut a track in two, of which the second half lost its seed."""
        cut = int(self.draw.integers(4, max(self.seconds - 3, 5)))
        if len(tracks) > 1 and self.draw.random() < profile.swaps:
            a, b = (tracks[i] for i in self.draw.choice(len(tracks), 2, replace=False))
            for part in (1, 2, 3):
                a[part][cut:], b[part][cut:] = b[part][cut:].copy(), a[part][cut:].copy()
        if tracks and self.draw.random() < profile.splits:
            whole = tracks[self.draw.integers(len(tracks))]
            rest = whole[1].copy()
            rest[:cut], whole[1][cut:] = np.nan, np.nan
            tracks.append([None, rest, whole[2].copy(), whole[3].copy()])


def _size(boxes: np.ndarray) -> np.ndarray:
    return np.tile(boxes[:, 2:] - boxes[:, :2], 2)


_NO_BOXES = pl.DataFrame(schema={
    "track_key": pl.String, "seed_track_id": pl.Int32, "second": pl.Int64, **dict.fromkeys(BOX_COLUMNS, pl.Float64),
    "edited": pl.Boolean, "flags": pl.List(pl.String),
})  # fmt: skip
_NO_LABELS = pl.DataFrame(schema={
    "track_key": pl.String, "second": pl.Int64, "group": pl.String, "action_ids": pl.List(pl.Int32),
})  # fmt: skip


def _box_rows(boxes: np.ndarray) -> pl.DataFrame:
    person, second = (part.ravel() for part in np.indices(boxes.shape[:2]))
    flat = boxes.reshape(-1, 4)
    return pl.DataFrame(
        {"second": second, "person_id": person + 1, **dict(zip(BOX_COLUMNS, flat.T, strict=True))}
    )


def _label_rows(labels: np.ndarray, action_ids: np.ndarray) -> pl.DataFrame:
    person, second, column = np.nonzero(labels)
    return pl.DataFrame({"second": second, "person_id": person + 1, "action_id": action_ids[column]})
