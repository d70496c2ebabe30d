"""Archiving a batch that is done with: lists and automation leave it out, and nothing of it is lost."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from ava_core.base.errors import InputError
from ava_core.base.text import plural
from ava_core.batch import BatchContext
from ava_core.dataset.export.released_clips import ReleasedClips
from ava_core.store import audit_log, batches
from ava_core.store.tables import Decision, Job, Reading, Task


@dataclass(frozen=True)
class Kept:
    """What an archived batch leaves as it is.

    `decisions` on its clips, `readings` of its jobs, clips that are `approved`, clips that are `released`, and
    annotators' `open_jobs` on the annotation server.
    """

    batch: str
    decisions: int
    readings: int
    approved: int
    released: int
    open_jobs: int

    def sentences(self) -> list[str]:
        """What archiving means for this batch."""
        said = [
            "It is hidden from lists and the to-do list, and gets no new tasks or runs until you restore it.",
            f"{plural(self.decisions, 'decision')} and {plural(self.readings, 'reading')} stay.",
        ]
        if self.open_jobs:
            said.append(
                f"{plural(self.open_jobs, 'open job')} on CVAT; work done there is read after you restore it."
            )
        if self.released:
            said.append(f"Releases keep its {plural(self.released, 'clip')}.")
        if self.approved:
            said.append(
                f"Later releases include its {plural(self.approved, 'approved clip')} as before, "
                "unless you choose batches without it."
            )
        return said


def what_stays(at: BatchContext) -> Kept:
    """What archiving a batch would leave. Raises `InputError` where there is no such batch."""
    batches.get(at.store, at.batch)
    wanted = {
        "decisions": select(func.count()).where(Decision.batch == at.batch),
        "readings": select(func.count()).join_from(Reading, Job).where(Job.batch == at.batch),
        "approved": select(func.count(Task.clip_id.distinct())).where(
            Task.batch == at.batch, Task.qc_status == "approved"
        ),
        "open_jobs": select(func.count()).where(Job.batch == at.batch, Job.of_annotator, ~Job.is_done),
    }
    with at.store.session() as session:
        counted = {name: session.scalar(count) or 0 for name, count in wanted.items()}
    released = len(ReleasedClips(at.storage).by_batch().get(at.batch, ()))
    return Kept(at.batch, released=released, **counted)


def archive(at: BatchContext, actor: str) -> Kept:
    """Put a batch into the archive; returns what stays. Raises `InputError` where it is there already."""
    kept = what_stays(at)
    if not batches.set_archived(at.store, at.batch, True):
        raise InputError(f"{at.batch} is already archived.", "`ava batch list --archived` shows it.")
    audit_log.note(at.store, actor, "archive batch", at.batch)
    return kept


def take_back(at: BatchContext, actor: str) -> None:
    """Take a batch out of the archive: it goes on where it stopped. Raises `InputError` where it is not there."""
    if not batches.set_archived(at.store, at.batch, False):
        raise InputError(f"{at.batch} is not archived.", "See `ava batch list`.")
    audit_log.note(at.store, actor, "take batch back", at.batch)
