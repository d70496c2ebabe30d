"""All annotators' work on a batch, laid side by side in arrays: the one form that every figure starts from.

A place is a person at a second. Each clip has its crew, the annotators who completed it, in slots by name. What
somebody did not do is missing, never a "no": an absent track has no box and no rating, a group left unset has no
rating, a job not completed has no slot.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core.agreement.match import TRACK, match_persons
from ava_core.errors import InputError
from ava_core.ontology import Ontology
from ava_core.tables import BOX_COLUMNS, PERSONS, conform

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

LARGEST_CREW: Final = 32
"""Annotators of one clip; votes are kept as bits."""

JOB: Final = ["job_id", "version"]
IGNORED: Final = {"what": pl.String, "rows": pl.Int64, "reason": pl.String}


@dataclass(frozen=True)
class Named:
    """Places and classes to which somebody said yes: `place`, `column` `(n,)`, `votes` `(n, K)`."""

    place: Ints
    column: Ints
    votes: Flags

    @cached_property
    def yes(self) -> Ints:
        """How many said yes `(n,)`."""
        counts: Ints = self.votes.sum(axis=1)
        return counts


@dataclass(frozen=True)
class Panel:
    """Arrays over P places (sorted by clip, person, second), K slots, C classes (by id) and G groups."""

    ontology: Ontology
    clips: tuple[str, ...]
    annotators: tuple[str, ...]
    crew: Ints  # (clips, K): index into `annotators`, -1 for an empty slot
    persons: pl.DataFrame  # match.PERSONS
    clip: Ints  # (P,): index into `clips`
    person: Ints  # (P,)
    second: Ints  # (P,)
    boxes: Array  # (P, K, 4): x1, y1, x2, y2 in pixels; nan where absent
    edited: Flags  # (P, K)
    rated: Flags  # (P, K, G)
    votes: Flags  # (P, K, C)
    ignored: pl.DataFrame  # rows of the raw tables that do not count: `what, rows, reason`

    @cached_property
    def group_of(self) -> Ints:
        """Group of each class `(C,)`."""
        names = [group.name for group in self.ontology.groups]
        return np.array(
            [names.index(self.ontology.group_of(a.id).name) for a in self.ontology.actions], np.int64
        )

    @cached_property
    def action_ids(self) -> Ints:
        """Action id of each class `(C,)`."""
        return np.array([action.id for action in self.ontology.actions], np.int64)

    @cached_property
    def present(self) -> Flags:
        """Who has a box where: `(P, K)`."""
        return ~np.isnan(self.boxes[:, :, 0])

    @cached_property
    def who(self) -> Ints:
        """The annotator in each place's slots: `(P, K)`, -1 for an empty slot."""
        return self.crew[self.clip]

    @cached_property
    def raters(self) -> Ints:
        """Ratings of each group: `(P, G)`."""
        counts: Ints = self.rated.sum(axis=1)
        return counts

    @cached_property
    def named(self) -> Named:
        """Where anybody said yes: few of the P × C places and classes."""
        anybody = np.zeros((len(self.second), len(self.action_ids)), dtype=bool)
        for slot in range(self.votes.shape[1]):
            anybody |= self.votes[:, slot]
        place, column = np.nonzero(anybody)
        return Named(place, column, self.votes[place, :, column])

    def counts(self, columns: Ints) -> Array:
        """Votes for some classes: `(P, len(columns))`."""
        result = np.zeros((len(self.second), len(columns)))
        own = np.flatnonzero(np.isin(self.named.column, columns))
        result[self.named.place[own], np.searchsorted(columns, self.named.column[own])] = self.named.yes[own]
        return result

    @cached_property
    def tubes(self) -> Ints:
        """Where each person of a clip begins among the places."""
        return np.flatnonzero((np.diff(self.clip, prepend=-1) != 0) | (np.diff(self.person, prepend=-1) != 0))

    @cached_property
    def tube(self) -> Ints:
        """The person of each place, counted over all clips: `(P,)`."""
        starts = np.zeros(len(self.second), np.int64)
        starts[self.tubes] = 1
        return np.cumsum(starts) - 1

    def by_clip(self, values: npt.NDArray[Any]) -> Array:
        """Sums over the places of each clip: `(clips, …)` of `(P, …)`."""
        return sum_by(values, self.clip, len(self.clips))

    def by_tube(self, values: npt.NDArray[Any]) -> Array:
        """Sums over the seconds of each person: `(tubes, …)` of `(P, …)`."""
        return sum_by(values, self.tube, len(self.tubes))

    def tubes_by_clip(self, values: npt.NDArray[Any]) -> Array:
        """Sums over the people of each clip: `(clips, …)` of `(tubes, …)`."""
        return sum_by(values, self.clip[self.tubes], len(self.clips))

    def named_by_clip(self, values: npt.NDArray[Any]) -> Array:
        """Sums of a value of each row of `named`: `(clips, C)`."""
        return self._named_by(self.clip, len(self.clips), values)

    def named_by_tube(self, values: npt.NDArray[Any]) -> Array:
        """Sums of a value of each row of `named`: `(tubes, C)`."""
        return self._named_by(self.tube, len(self.tubes), values)

    def _named_by(self, index: Ints, count: int, values: npt.NDArray[Any]) -> Array:
        classes = len(self.action_ids)
        cell = index[self.named.place] * classes + self.named.column
        flat = np.bincount(cell, values, count * classes)
        return flat.reshape(count, classes).astype(float)

    def without(self, annotators: Collection[str]) -> Panel:
        """The same places as if those annotators had never worked; who is whom stays as it was."""
        return self.without_slots(
            np.isin(self.crew, [self.annotators.index(a) for a in annotators if a in self.annotators])
        )

    def without_slots(self, gone: Flags) -> Panel:
        """The same places as if some jobs, `(clips, K)`, had never been done."""
        if not gone.any():
            return self
        place, slot = np.nonzero(gone[self.clip])
        boxes, edited = self.boxes.copy(), self.edited.copy()
        boxes[place, slot], edited[place, slot] = np.nan, False
        panel = replace(self, crew=np.where(gone, -1, self.crew), boxes=boxes, edited=edited)
        return panel.without_ratings(place, slot)

    def without_ratings(self, place: Ints, slot: Ints) -> Panel:
        """The same panel with some places and slots unrated."""
        rated, votes = self.rated.copy(), self.votes.copy()
        rated[place, slot], votes[place, slot] = False, False
        return replace(self, rated=rated, votes=votes)

    def place_columns(self, where: npt.NDArray[Any]) -> dict[str, pl.Series]:
        """`clip_id, second, person_id` of some places (indices or flags)."""
        clip_ids = pl.Series("clip_id", list(self.clips), dtype=pl.String)
        return {
            "clip_id": clip_ids[self.clip[where]] if len(self.clips) else clip_ids,
            "second": pl.Series("second", self.second[where], dtype=pl.Int32),
            "person_id": pl.Series("person_id", self.person[where], dtype=pl.Int32),
        }


def sum_by(values: npt.NDArray[Any], index: Ints, count: int) -> Array:
    """Sums of rows with the same index, which must ascend: `(count, …)` of `(rows, …)`."""
    result = np.zeros((count, *values.shape[1:]))
    if len(index):
        starts = np.flatnonzero(np.diff(index, prepend=-1))
        dtype = np.int64 if values.dtype.kind in "bui" else values.dtype
        result[index[starts]] = np.add.reduceat(values, starts, axis=0, dtype=dtype)
    return result


def build_panel(
    raw_boxes: pl.DataFrame, raw_labels: pl.DataFrame, completed: pl.DataFrame, ontology: Ontology
) -> Panel:
    """The panel of `tables.RAW_BOXES`, `RAW_LABELS` and `COMPLETED_JOBS`.

    Of several readings of a job the newest completed one counts. Rows that do not count (older readings, jobs not
    completed, groups or actions outside the ontology) are told in `ignored`. Raises `InputError` where more than
    `LARGEST_CREW` annotators completed one clip.
    """
    jobs = _crews(completed)
    ignored: list[dict[str, Any]] = []
    keys = pl.concat([raw_boxes["track_key"].unique(), raw_labels["track_key"].unique()]).unique().sort()
    boxes = _of_jobs(raw_boxes, jobs, keys, "raw_boxes", ignored)
    persons = match_persons(boxes)
    boxes = boxes.join(persons, on=TRACK)
    labels = _of_jobs(raw_labels, jobs.join(persons, on=["clip", "who"]), keys, "raw_labels", ignored)
    clips, annotators = (tuple(jobs[name].unique().sort()) for name in ("clip_id", "annotator"))
    slots = int(jobs["slot"].max()) + 1 if jobs.height else 0  # type: ignore[arg-type]
    crew = np.full((len(clips), slots), -1)
    crew[jobs["clip"].to_numpy(), jobs["slot"].to_numpy()] = jobs["who"].to_numpy()
    places, box_at, label_at = _places(boxes, labels)
    where, who = box_at, boxes["slot"].to_numpy()
    tensor = np.full((len(places), slots, 4), np.nan)
    tensor[where, who] = boxes.select(BOX_COLUMNS).to_numpy()
    edited = np.zeros((len(places), slots), dtype=bool)
    edited[where, who] = boxes["edited"].to_numpy()
    rated, votes = _answers(labels, label_at, (len(places), slots), ontology, ignored)
    told = pl.DataFrame(ignored, schema=IGNORED).filter(pl.col("rows") > 0)
    return Panel(
        ontology, clips, annotators, crew, _named_persons(persons, jobs, keys), places[:, 0], places[:, 1],
        places[:, 2], tensor, edited, rated, votes, told,
    )  # fmt: skip


def _crews(completed: pl.DataFrame) -> pl.DataFrame:
    """The newest completed job of each annotator and clip: `JOB`, `clip`, `who` and `slot` as numbers."""
    newest = completed.sort("job_id", "version").unique(["clip_id", "annotator"], keep="last")
    jobs = newest.sort("clip_id", "annotator").with_columns(
        clip=pl.col("clip_id").rank("dense").cast(pl.Int64) - 1,
        who=pl.col("annotator").rank("dense").cast(pl.Int64) - 1,
        slot=pl.int_range(pl.len()).over("clip_id"),
    )
    crowded = jobs.filter(pl.col("slot") >= LARGEST_CREW)
    if crowded.height:
        raise InputError(
            f"Clip {crowded['clip_id'][0]} was completed by more than {LARGEST_CREW} annotators.",
            "Exclude some of them.",
        )
    return jobs


def _of_jobs(
    raw: pl.DataFrame, jobs: pl.DataFrame, keys: pl.Series, what: str, ignored: list[dict[str, Any]]
) -> pl.DataFrame:
    """Rows of the jobs (or, where `jobs` has them, tracks) that count, with their numbers; the others are noted."""
    numbered = raw.drop("clip_id", "annotator", "track_key", "flags", strict=False).with_columns(
        track=raw["track_key"].cast(pl.Enum(keys)).to_physical()
    )
    of_tracks = [name for name in ("track",) if name in jobs.columns]
    kept = numbered.join(jobs.drop("clip_id", "annotator"), on=[*JOB, *of_tracks])
    reason = "an older reading of a job, a job that is not completed, or a label without a box"
    ignored.append({"what": what, "rows": raw.height - kept.height, "reason": reason})
    return kept


def _named_persons(persons: pl.DataFrame, jobs: pl.DataFrame, keys: pl.Series) -> pl.DataFrame:
    """`PERSONS`: who is whom, with names."""
    names = pl.DataFrame({"track_key": keys}).with_row_index("track").cast({"track": persons["track"].dtype})
    found = persons.join(jobs.select("clip", "who", "clip_id", "annotator"), on=["clip", "who"]).join(
        names, on="track"
    )
    return conform(found, PERSONS, "persons").sort("clip_id", "annotator", "track_key")


def _places(boxes: pl.DataFrame, labels: pl.DataFrame) -> tuple[Ints, Ints, Ints]:
    """`(P, 3)` clip, person, second of all places, and the place of each row of both tables."""
    parts = [
        [table[c].to_numpy().astype(np.int64) for c in ("clip", "person_id", "second")]
        for table in (boxes, labels)
    ]
    shape = tuple(max((int(part[n].max(initial=-1)) for part in parts), default=-1) + 1 for n in range(3))
    keys = [(clip * shape[1] + person) * shape[2] + second for clip, person, second in parts]
    taken = np.zeros(int(np.prod(shape)), dtype=bool)
    for key in keys:
        taken[key] = True
    number = np.cumsum(taken) - 1
    places = np.stack(np.unravel_index(np.flatnonzero(taken), shape), axis=1)
    return places, number[keys[0]], number[keys[1]]


def _answers(
    labels: pl.DataFrame, at: Ints, shape: tuple[int, int], ontology: Ontology, ignored: list[dict[str, Any]]
) -> tuple[Flags, Flags]:
    """`rated` and `votes`. An exclusive group without an answer is not rated: one of its actions always holds."""
    names = {group.name: number for number, group in enumerate(ontology.groups)}
    column = {action.id: number for number, action in enumerate(ontology.actions)}
    exclusive = [group.name for group in ontology.groups if group.kind == "exclusive"]
    known = pl.col("group").is_in(list(names))
    rows = labels.select(
        "slot", "group", "action_ids", at=pl.Series(at),
        empty=pl.col("group").is_in(exclusive) & (pl.col("action_ids").list.len() == 0),
    )  # fmt: skip
    ignored.append({
        "what": "raw_labels", "rows": rows.filter(~known).height,
        "reason": "a group that the ontology does not have",
    })  # fmt: skip
    rows = rows.filter(known, ~pl.col("empty")).with_columns(
        number=pl.col("group").replace_strict(names, return_dtype=pl.Int64)
    )
    rated = np.zeros((*shape, len(names)), dtype=bool)
    rated[rows["at"].to_numpy(), rows["slot"].to_numpy(), rows["number"].to_numpy()] = True
    said = rows.select("at", "slot", "number", action="action_ids").explode("action").drop_nulls("action")
    class_group = {i: names[ontology.group_of(i).name] for i in column}
    fits = pl.col("action").replace_strict(class_group, default=None, return_dtype=pl.Int64) == pl.col(
        "number"
    )
    inside = said.filter(fits)
    ignored.append({
        "what": "raw_labels", "rows": said.height - inside.height,
        "reason": "an action that its group in the ontology does not have",
    })  # fmt: skip
    votes = np.zeros((*shape, len(column)), dtype=bool)
    classes = inside["action"].replace_strict(column, return_dtype=pl.Int64).to_numpy()
    votes[inside["at"].to_numpy(), inside["slot"].to_numpy(), classes] = True
    return rated, votes
