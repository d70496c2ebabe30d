"""Readings of completed jobs: append-only versions of what annotators said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import func, insert, select

from ava_core.store.database import Store
from ava_core.store.tables import Annotation, Reading

SHAPE_COLUMNS: Final = ("track_id", "frame", "xtl", "ytl", "xbr", "ybr", "outside", "attributes")
AT_ONCE: Final = 500
"""Readings asked for at a time: databases limit the length of a question."""


def latest(store: Store, job_ids: list[int]) -> dict[int, Reading]:
    """The newest reading of each job that has one."""
    newest = (
        select(Reading.job_id, func.max(Reading.version).label("version"))
        .where(Reading.job_id.in_(job_ids))
        .group_by(Reading.job_id)
        .subquery()
    )
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
    """Keep a reading with its shapes; the newest version's content by the same annotator makes no new one.

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
    """Keep readings of different jobs, all or none; each holds what `append` takes."""
    newest = latest(store, [one["job_id"] for one in given])
    kept: list[Reading] = []
    new: list[tuple[Mapping[str, Any], Reading]] = []
    with store.session() as session:
        for one in given:
            before = newest.get(one["job_id"])
            said_before = (before.content_hash, before.annotator) if before else None
            if before is not None and said_before == (one["content_hash"], one["annotator"]):
                kept.append(session.merge(before))
                kept[-1].server_updated_at = one["server_updated_at"]
                continue
            names = ("job_id", "annotator", "server_updated_at", "content_hash")
            reading = Reading(
                **{name: one[name] for name in names}, version=before.version + 1 if before else 1
            )
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
