"""Readings of completed jobs: append-only versions of what annotators said."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, insert, select

from ava_core.store.database import Store
from ava_core.store.tables import Annotation, Reading


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
    """Keep a reading with its shapes; content equal to the newest version makes no new one.

    `shapes` hold the columns of `annotations` from `track_id` to `attributes`.
    """
    with store.session() as session:
        newest = session.scalar(
            select(Reading).where(Reading.job_id == job_id).order_by(Reading.version.desc()).limit(1)
        )
        if newest is not None and newest.content_hash == content_hash:
            newest.server_updated_at = server_updated_at
            return newest
        reading = Reading(
            job_id=job_id,
            version=newest.version + 1 if newest else 1,
            annotator=annotator,
            server_updated_at=server_updated_at,
            content_hash=content_hash,
        )
        session.add(reading)
        session.flush()
        common = {
            "reading_id": reading.reading_id,
            "task_id": task_id,
            "job_id": job_id,
            "annotator": annotator,
        }
        if shapes:
            session.execute(insert(Annotation), [common | shape for shape in shapes])
        return reading


def shapes_of(store: Store, reading_id: int) -> list[Annotation]:
    """The shapes of one reading, by track and frame."""
    wanted = select(Annotation).where(Annotation.reading_id == reading_id)
    with store.session() as session:
        return list(session.scalars(wanted.order_by(Annotation.track_id, Annotation.frame)))
