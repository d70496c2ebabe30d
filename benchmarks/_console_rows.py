"""The planted home's database: people, tasks, jobs, readings, decisions, annotations, the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import polars as pl
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from ava_core.base.settings import Settings
from ava_core.store import Store, makings
from ava_core.store.tables import AuditLogEntry, Batch, Decision, Job, Reading, Task
from benchmarks._console_work import (
    BATCH_MARK,
    BIG_CREW,
    EPOCH,
    PASSWORD,
    POOL,
    SECONDS,
    Size,
    Work,
    cvat_jobs,
    renamed,
)
from tests.support.home import Home


def write_people(home: Home) -> None:
    """Reviewers of the console, and everybody who annotates."""
    home.add_users({f"reviewer_{number}": "reviewer" for number in range(5)}, PASSWORD)
    home.add_annotators(f"annotator_{number:02d}" for number in range(POOL))
    home.add_annotators(f"expert_{number:02d}" for number in range(BIG_CREW))


def write_rows(
    session: Session, settings: Settings, work: Work, number: int, names: Mapping[str, str]
) -> None:
    """The batch, its tasks, jobs, readings and decisions in the database."""
    batch, created = names[BATCH_MARK], EPOCH + timedelta(hours=12 * number)
    own = renamed(cvat_jobs(work).with_columns(done=pl.col("clip_id").is_in(work.done)), names)
    first = number * 10_000
    own = own.with_columns(pl.col("task_id", "job_id") + first, by=pl.col("job_id").rank("ordinal"))
    judged = {clip.replace(BATCH_MARK, batch): clip in work.approved for clip in work.judged}
    status = {clip: "approved" if good else "rejected" for clip, good in judged.items()}
    clips = own.unique("clip_id", maintain_order=True)
    jobs = [_job(row, work.predrawn, created) for row in own.iter_rows(named=True)]
    read = [job for job in jobs if job["annotator"] and job["state"] == "completed"]
    session.execute(insert(Batch), [
        {"name": batch, "source_path": str(settings.inbox_dir / f"{batch}.zip"), "options": {}, "created_at": created}
    ])  # fmt: skip
    session.execute(insert(AuditLogEntry), [
        {"at": created + timedelta(hours=hours), "actor": makings.MAKER, "action": makings.action(asset),
         "subject": batch}
        for hours, asset in enumerate(("source_videos", "clips", "tracks"), start=1)
    ])  # fmt: skip
    session.execute(insert(Task), [
        {"task_id": task, "project_id": 1, "name": clip, "batch": batch, "clip_id": clip,
         "qc_status": status.get(clip, "pending")}
        for task, clip in clips.select("task_id", "clip_id").iter_rows()
    ])  # fmt: skip
    session.execute(insert(Job), jobs)
    session.execute(insert(Reading), [
        {"job_id": job["job_id"], "version": 1, "annotator": job["annotator"], "content_hash": "x",
         "server_updated_at": job["server_updated_at"], "read_at": created + timedelta(hours=job["job_id"] % 60)}
        for job in read
    ])  # fmt: skip
    if judged:
        gold = {clip.replace(BATCH_MARK, batch): names[name] for clip, name in work.gold.items()}
        session.execute(insert(Decision), _decisions(batch, number, judged, gold, own, created))


def _job(row: dict[str, Any], predrawn: list[dict[str, Any]], created: datetime) -> dict[str, Any]:
    """Jobs of a clip that is not done: begun, or still new."""
    open_state = "in progress" if row["job_id"] % 2 else "new"
    done = row["done"] and row["annotator"]
    begun, changed = (created + timedelta(hours=row["job_id"] % 60 + hours) for hours in (1, 3))
    state = "completed" if done else open_state
    return {
        "job_id": row["job_id"], "task_id": row["task_id"], "batch": row["batch"], "clip_id": row["clip_id"],
        "job_type": row["job_type"], "annotator": row["annotator"], "stage": "annotation",
        "state": state, "frames": row["frames"], "predrawn": predrawn, "created_at": created,
        "started_at": begun if state != "new" else None, "completed_at": changed if done else None,
        "server_updated_at": f"{changed:%Y-%m-%dT%H:%M:%S.000000Z}",
    }  # fmt: skip


def _decisions(
    batch: str,
    number: int,
    judged: Mapping[str, bool],
    gold: Mapping[str, str],
    jobs: pl.DataFrame,
    created: datetime,
) -> list[dict[str, Any]]:
    """Every clip judged; in some batches an annotator left out, in some a few answers adjudicated."""

    def row(action: str, subject: str, hours: float, comment: str = "", **after: Any) -> dict[str, Any]:
        at = created + timedelta(hours=hours)
        return {"batch": batch, "action": action, "subject": subject, "actor": f"reviewer_{number % 5}",
                "comment": comment, "before": {}, "after": after, "decided_at": at}  # fmt: skip

    rows = [
        row("approve", clip, 70 + n / 60, qc_status="approved") if good
        else row("reject", clip, 70 + n / 60, "a person is missing at second 6", qc_status="rejected")
        for n, (clip, good) in enumerate(judged.items())
    ]  # fmt: skip
    rows += [row("gold", clip, 79, expert=name) for clip, name in gold.items()]
    if number % 10 == 3:
        name = jobs.filter(pl.col("annotator") != "")["annotator"][0]
        rows.append(row("exclude", name, 80, "answers at random", excluded=True))
    for second, clip in enumerate(list(judged)[:5] if number % 5 == 4 else []):
        place = {"clip_id": clip, "second": second, "person_id": 1, "group": "pose"}
        subject = f"{clip}/{second}/1/pose"
        rows.append(row("adjudicate", subject, 81, **place, action_ids=[1]))
    return rows


def write_annotations_table(store: Store, wanted: int) -> None:
    """Keyframe shapes of every reading, that many in all or a few more."""
    with store.session() as session:
        readings = session.scalar(text("SELECT count(*) FROM readings"))
        session.execute(
            text(
                "INSERT INTO annotations (reading_id, task_id, job_id, track_id, frame, xtl, ytl, xbr, ybr, outside,"
                " attributes, annotator)"
                " WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :each)"
                " SELECT r.reading_id, j.task_id, j.job_id, n.i / :seconds, n.i % :seconds * 30, 100.0, 100.0, 180.0,"
                ' 300.0, :no, \'{"pose": "stand"}\', j.annotator'
                " FROM readings r JOIN jobs j ON j.job_id = r.job_id CROSS JOIN n"
            ),
            {"each": -(-wanted // readings), "seconds": SECONDS, "no": False},
        )


def write_audit_log(store: Store, size: Size) -> None:
    actions = ("sign in", "process", "add batch", "re-assign", "retry run", "top up", "sign out")
    minutes = 100 * 24 * 60 / size.audit_lines
    rows = [
        {"at": EPOCH + timedelta(minutes=minutes * n), "actor": f"reviewer_{n % 5}",
         "action": actions[n % len(actions)], "subject": size.names[n * size.batches // size.audit_lines],
         "detail": {"jobs": n % 97, "stage": "tracks and proposals"} if n % 3 else {}}
        for n in range(size.audit_lines)
    ]  # fmt: skip
    with store.session() as session:
        session.execute(insert(AuditLogEntry), rows)
