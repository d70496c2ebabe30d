"""Readings of completed jobs: append-only versions of what annotators said. The newest that is not held counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from ava_core.base.errors import InputError
from ava_core.store import audit_log
from ava_core.store.database import Store
from ava_core.store.tables import Annotation, Job, Reading

SHAPE_COLUMNS: Final = ("track_id", "frame", "xtl", "ytl", "xbr", "ybr", "outside", "attributes")
AT_ONCE: Final = 500
"""Readings asked for at a time: databases limit the length of a question."""


def reading_name(annotator: str, job_id: int, version: int) -> str:
    """What a reading is called where one says what something was made from: readings are never overwritten."""
    return f"{annotator}:{job_id}:{version}"


def counting(session: Session, batch: str) -> dict[str, frozenset[str]]:
    """By clip, the names of the readings that count: of each annotator's completed job the newest that is not held."""
    newest = (
        select(Reading.job_id, func.max(Reading.version).label("version"))
        .join(Job, Job.job_id == Reading.job_id)
        .where(Job.batch == batch, Job.of_annotator, Job.is_done, Reading.held == "")
        .group_by(Reading.job_id)
        .subquery()
    )
    wanted = (
        select(Job.clip_id, Reading.annotator, Reading.job_id, Reading.version)
        .join(newest, (Reading.job_id == newest.c.job_id) & (Reading.version == newest.c.version))
        .join(Job, Job.job_id == Reading.job_id)
    )
    found: dict[str, set[str]] = {}
    for clip_id, *reading in session.execute(wanted):
        found.setdefault(clip_id, set()).add(reading_name(*reading))
    return {clip_id: frozenset(names) for clip_id, names in found.items()}


def latest(store: Store, job_ids: list[int], *, held: bool = False) -> dict[int, Reading]:
    """The reading that counts of each job that has one; with `held` the newest, whether it counts or not."""
    wanted = select(Reading.job_id, func.max(Reading.version).label("version")).where(
        Reading.job_id.in_(job_ids)
    )
    if not held:
        wanted = wanted.where(Reading.held == "")
    newest = wanted.group_by(Reading.job_id).subquery()
    with store.session() as session:
        rows = session.scalars(
            select(Reading).join(
                newest, (Reading.job_id == newest.c.job_id) & (Reading.version == newest.c.version)
            )
        )
        return {reading.job_id: reading for reading in rows}


def append(
    store: Store,
    *,
    job_id: int,
    task_id: int,
    annotator: str,
    server_updated_at: str,
    content_hash: str,
    shapes: list[dict[str, Any]],
) -> Reading:
    """Keep a reading with its shapes; the newest version's content makes no new one, and keeps its author.

    `shapes` hold the columns of `annotations` from `track_id` to `attributes`.
    """
    given = {
        "job_id": job_id,
        "annotator": annotator,
        "server_updated_at": server_updated_at,
        "content_hash": content_hash,
    }
    [reading] = append_all(store, [given | {"task_id": task_id, "shapes": shapes}])
    return reading


def append_all(store: Store, given: Sequence[Mapping[str, Any]]) -> list[Reading]:
    """Keep readings of different jobs, all or none; each holds what `append` takes, and may say why it is `held`."""
    newest = latest(store, [one["job_id"] for one in given], held=True)
    kept: list[Reading] = []
    new: list[tuple[Mapping[str, Any], Reading]] = []
    with store.session() as session:
        for one in given:
            before = newest.get(one["job_id"])
            if before is not None and before.content_hash == one["content_hash"]:
                kept.append(session.merge(before))
                kept[-1].server_updated_at = one["server_updated_at"]
                continue
            names = ("job_id", "annotator", "server_updated_at", "content_hash")
            reading = Reading(
                **{name: one[name] for name in names}, version=before.version + 1 if before else 1,
                held=one.get("held", ""),
            )  # fmt: skip
            session.add(reading)
            kept.append(reading)
            new.append((one, reading))
        session.flush()
        rows = [
            {"task_id": one["task_id"], "job_id": one["job_id"], "annotator": one["annotator"],
             "reading_id": reading.reading_id} | shape
            for one, reading in new for shape in one["shapes"]
        ]  # fmt: skip
        if rows:
            session.execute(insert(Annotation), rows)
    return kept


def versions(store: Store, job_id: int) -> list[Reading]:
    """All readings of a job, oldest first."""
    wanted = select(Reading).where(Reading.job_id == job_id).order_by(Reading.version)
    with store.session() as session:
        return list(session.scalars(wanted))


def take_up(store: Store, job_id: int, version: int, actor: str) -> None:
    """Let a version count from now on, whether it was held back or is an older one; newer ones are set aside.

    Raises `InputError` where there is none of that number.
    """
    with store.session() as session:
        known = {one.version: one for one in session.scalars(select(Reading).where(Reading.job_id == job_id))}
        if version not in known:
            has = f"It has {', '.join(map(str, sorted(known)))}." if known else "It has not been read yet."
            raise InputError(f"Job {job_id} has no version {version}.", has)
        for number, reading in known.items():
            if number == version:
                reading.held, reading.judged_by = "", actor
            elif number > version:
                reading.held = reading.held or f"{actor} took version {version} up instead"
                reading.judged_by = actor
    audit_log.note(store, actor, "take_up_reading", str(job_id), version=version)


def judged(store: Store) -> dict[int, str]:
    """By job, what people decided on its readings, as a text that changes with it."""
    wanted = select(Reading.job_id, Reading.version, Reading.held).where(Reading.judged_by != "")
    found: dict[int, str] = {}
    with store.session() as session:
        for job_id, version, held in session.execute(wanted.order_by(Reading.job_id, Reading.version)):
            found[job_id] = found.get(job_id, "") + f" {version}{'-' if held else '+'}"
    return found


def shapes_of(store: Store, reading_id: int) -> list[dict[str, Any]]:
    """The shapes of one reading, by track and frame: what `append` was given."""
    return shapes_of_all(store, [reading_id])[reading_id]


def shapes_of_all(store: Store, reading_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """The shapes of several readings."""
    found: dict[int, list[dict[str, Any]]] = {number: [] for number in reading_ids}
    columns = [getattr(Annotation, name) for name in SHAPE_COLUMNS]
    with store.session() as session:
        for start in range(0, len(reading_ids), AT_ONCE):
            some = reading_ids[start : start + AT_ONCE]
            wanted = select(Annotation.reading_id, *columns).where(Annotation.reading_id.in_(some))
            ordered = wanted.order_by(Annotation.reading_id, Annotation.track_id, Annotation.frame)
            for number, *values in session.execute(ordered):
                found[number].append(dict(zip(SHAPE_COLUMNS, values, strict=True)))
    return found
