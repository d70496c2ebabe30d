"""What waits for somebody, each item a sentence with its count and where it is done; and the first steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import func, select

from ava_core.base.settings import Settings
from ava_core.base.text import plural
from ava_core.operations.overview import Counts
from ava_core.store import Store, annotators
from ava_core.store.tables import Batch, Job, Task

Place = Literal["batches", "tasks", "progress", "quality", "run", "dataset"]
"""Where an item is done: the name of an address. `run` is the page of the run that `ToDo.subject` names."""


@dataclass(frozen=True)
class ToDo:
    """One thing that waits for somebody.

    `count`: of what the sentence is about. `subject`: the batch or run that it is about; "" where it is about
    several, or none.
    """

    sentence: str
    count: int
    place: Place
    subject: str = ""


@dataclass(frozen=True)
class Step:
    """A step of a platform's first hour: what to do, what for, whether it is done, and where."""

    sentence: str
    purpose: str
    done: bool
    place: Place


def first_steps(store: Store, counts: Mapping[str, Counts]) -> list[Step]:
    """The way from an empty platform to a first dataset, in order."""

    def come_as_far(stage: str) -> bool:
        return any(row[stage] for row in counts.values())

    return [
        Step("Add annotators", "members of your organisation on the annotation server get work",
             bool(annotators.everyone(store)), "tasks"),
        Step("Add a batch", "upload a zip of videos; clips, tracks and tasks are created automatically",
             bool(counts), "batches"),
        Step("Let people annotate",
            "annotators find their jobs on the annotation server, with tracks pre-drawn",
             come_as_far("annotated"), "progress"),
        Step("Review the first clips", "approve correct clips, send the others back",
             come_as_far("approved"), "quality"),
        Step("Make a release", "an AVA dataset of all approved clips", come_as_far("released"), "dataset"),
    ]  # fmt: skip


def to_do(
    store: Store, settings: Settings, counts: Mapping[str, Counts], failed_runs: Sequence[str] = ()
) -> list[ToDo]:
    """What waits, the most urgent first: failed runs, annotators, dealing out, review, release.

    `counts`: `overview.Overview.counts` of the batches; `failed_runs`: ids of runs that nothing has mended since.
    """
    found = [
        _failed(failed_runs),
        _no_batches(counts),
        _no_annotators(store),
        _undealt(store, settings, counts),
        _unjudged(store, counts),
        _unreleased(counts),
    ]
    return [item for item in found if item is not None]


def _failed(runs: Sequence[str]) -> ToDo | None:
    if not runs:
        return None
    return ToDo(f"{plural(len(runs), 'run')} failed", len(runs), "run", runs[0])


def _no_batches(counts: Mapping[str, Counts]) -> ToDo | None:
    return None if counts else ToDo("No batch yet: upload a zip of videos", 0, "batches")


def _no_annotators(store: Store) -> ToDo | None:
    """Nobody gets work: nobody was added, or all are paused."""
    if annotators.available(store):
        return None
    known = len(annotators.everyone(store))
    said = "No annotators yet: add members of your organisation"
    if known:
        said = f"No active annotators: {plural(known, 'annotator')} paused, inactive or still at practice"
    return ToDo(said, known, "tasks")


def _undealt(store: Store, settings: Settings, counts: Mapping[str, Counts]) -> ToDo | None:
    """Batches whose tracks are there and whose tasks wait for somebody to see the plan."""
    ready = [name for name, row in counts.items() if row["tracks"] and not row["tasks"]]
    if not ready:
        return None
    with store.session() as session:
        rows = session.execute(select(Batch.name, Batch.options).where(Batch.name.in_(ready)))
        own = {name: options.get("deal_out", settings.deal_out) for name, options in rows}
    waiting = [name for name in ready if own.get(name) == "on request"]
    return _of_batches(waiting, len(waiting), f"{plural(len(waiting), 'batch')} to assign", "tasks")


def _unjudged(store: Store, counts: Mapping[str, Counts]) -> ToDo | None:
    """Clips that all their annotators have completed, and on which nobody has decided."""
    unfinished = select(Job.clip_id).where(Job.of_annotator, ~Job.is_done)
    completed = select(Job.clip_id).where(Job.of_annotator, Job.is_done)
    wanted = (
        select(Task.batch, func.count(Task.clip_id.distinct()))
        .where(Task.qc_status == "pending", Task.clip_id.in_(completed), Task.clip_id.not_in(unfinished))
        .group_by(Task.batch)
    )
    with store.session() as session:
        waiting = {name: int(clips) for name, clips in session.execute(wanted) if name in counts}
    clips = sum(waiting.values())
    return _of_batches(list(waiting), clips, f"{plural(clips, 'clip')} to review", "quality")


def _unreleased(counts: Mapping[str, Counts]) -> ToDo | None:
    """Approved clips that stand in no release."""
    left = {name: (row["approved"] or 0) - (row["released"] or 0) for name, row in counts.items()}
    waiting = {name: clips for name, clips in left.items() if clips > 0}
    clips = sum(waiting.values())
    return _of_batches(list(waiting), clips, f"{plural(clips, 'approved clip')} in no release", "dataset")


def _of_batches(names: Sequence[str], count: int, sentence: str, place: Place) -> ToDo | None:
    """An item about batches, which names the one where there is one alone."""
    if not names:
        return None
    return ToDo(sentence, count, place, names[0] if len(names) == 1 else "")
