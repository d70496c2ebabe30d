"""Removing a batch that nobody has worked on: what would go, and letting it go.

What people did is never removed: a batch with tasks, decisions or clips in a release stays.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, func, select

from ava_core.base.errors import InputError
from ava_core.base.text import plural
from ava_core.batch import BatchContext
from ava_core.dataset.export.released_clips import ReleasedClips
from ava_core.store import audit_log, batches
from ava_core.store.tables import Audit, Batch, Decision, Task


@dataclass(frozen=True)
class Removal:
    """What goes with a batch: files made of its videos and their bytes; `source`: its input, "" where that stays.

    `stays`: why the batch cannot be removed; "" where it can.
    """

    batch: str
    files: int
    bytes: int
    source: str
    stays: str


def what_goes(at: BatchContext) -> Removal:
    """What removing a batch would take away. Raises `InputError` where there is no such batch."""
    found = batches.get(at.store, at.batch)
    sizes = [
        path.stat().st_size for path in at.storage.path("batches", at.batch).rglob("*") if path.is_file()
    ]
    source = Path(found.source_path)
    own = source.exists() and source.is_relative_to(at.settings.inbox_dir)
    return Removal(at.batch, len(sizes), sum(sizes), str(source) if own else "", _stays(at))


def remove(at: BatchContext, actor: str) -> Removal:
    """Remove a batch with what was made of it and its copy in the inbox; returns what went.

    Raises `InputError` where people have worked on it, and removes nothing then.
    """
    going = what_goes(at)
    if going.stays:
        raise InputError(f"{at.batch} stays: {going.stays}.", f"Archive it: `ava batch archive {at.batch}`.")
    with _set_aside(going.source) as aside:
        # The database refuses where somebody has begun to work on it meanwhile.
        with at.store.session() as session:
            session.execute(delete(Batch).where(Batch.name == at.batch))
        folder = at.storage.path("batches", at.batch)
        if folder.exists():
            folder.fs.rm(folder.path, recursive=True)
        if aside is not None:
            shutil.rmtree(aside) if aside.is_dir() else aside.unlink()
    audit_log.note(at.store, actor, "remove batch", at.batch, files=going.files, bytes=going.bytes)
    return going


@contextmanager
def _set_aside(source: str) -> Iterator[Path | None]:
    """The input under a name that the inbox never takes; back in its place where the block raises."""
    if not source:
        yield None
        return
    aside = Path(source).with_name(f".{Path(source).name}.part")
    Path(source).rename(aside)
    try:
        yield aside
    except BaseException:
        if aside.exists():
            aside.rename(source)
        raise


def _stays(at: BatchContext) -> str:
    held = {"task": Task.batch, "decision": Decision.batch, "blind audit": Audit.batch}
    with at.store.session() as session:
        for name, column in held.items():
            count = session.scalar(select(func.count()).where(column == at.batch))
            if count:
                return f"it has {plural(count, name)}"
    released = ReleasedClips(at.storage).by_batch().get(at.batch)
    return f"{len(released)} of its clips are in a release" if released else ""
