"""From raw tables to panels: which readings count, who is whom, which answers the ontology knows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core.base.errors import InputError
from ava_core.base.schemas import BOX_COLUMNS, PERSONS, conform
from ava_core.ontology import Ontology
from ava_core.quality.agreement.dependence import dependent_pairs
from ava_core.quality.agreement.match import TRACK, match_persons
from ava_core.quality.agreement.pairs import PairSums, pair_sums
from ava_core.quality.agreement.panel import Panel
from ava_core.quality.agreement.untangle import untangle

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

LARGEST_CREW: Final = 32
"""Annotators of one clip; votes are kept as bits."""

JOB: Final = ["job_id", "version"]
IGNORED: Final = {"what": pl.String, "rows": pl.Int64, "reason": pl.String}


@dataclass(frozen=True)
class Work:
    """A batch's work, matched: what agreement and consensus start from.

    `panel`; `tangled`, the same before swapped identities were undone; `completed`, `schemas.COMPLETED_JOBS`.
    """

    panel: Panel
    tangled: Panel
    completed: pl.DataFrame

    @cached_property
    def pairs(self) -> PairSums:
        """What every two annotators of a clip have in common."""
        return pair_sums(self.panel, self.tangled)

    @cached_property
    def dependent(self) -> pl.DataFrame:
        """`schemas.DEPENDENT`: pairs that are more alike than what each has with the rest allows."""
        return dependent_pairs(self.panel, self.pairs)


def match_work(
    raw_boxes: pl.DataFrame, raw_labels: pl.DataFrame, completed: pl.DataFrame, ontology: Ontology
) -> Work:
    """Match `schemas.RAW_BOXES`, `RAW_LABELS` and `COMPLETED_JOBS` of a batch; raises as `build_panel`."""
    tangled = build_panel(raw_boxes, raw_labels, completed, ontology)
    return Work(untangle(tangled), tangled, completed)


def build_panel(
    raw_boxes: pl.DataFrame, raw_labels: pl.DataFrame, completed: pl.DataFrame, ontology: Ontology
) -> Panel:
    """The panel of `schemas.RAW_BOXES`, `RAW_LABELS` and `COMPLETED_JOBS`.

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
