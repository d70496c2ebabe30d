"""The tables. `projects`, `tasks` and `annotations` keep the columns that the older schema had."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final, Literal

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


def now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite forgets time zones, so they are put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


JsonColumn = JSON().with_variant(JSONB(), "postgresql")
NullableJson = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""For columns in which nothing is NULL, not JSON's null."""


class Base(DeclarativeBase):
    """Root of all tables."""

    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: JsonColumn, list[Any]: JsonColumn}


class Batch(Base):
    """One zip or folder of source videos; a partition in Dagster."""

    __tablename__ = "batches"
    name: Mapped[str] = mapped_column(String(63), primary_key=True)
    source_path: Mapped[str] = mapped_column(Text)
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    note: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    archived_at: Mapped[datetime | None]


class Project(Base):
    """A project on the annotation server, identified by its id; `name` is its name at the time of its creation.

    `form`: ids of the label (`label_id`) and of its attributes by name (`specs`), at the time when tasks were created.
    """

    __tablename__ = "projects"
    project_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(256))
    form: Mapped[dict[str, Any] | None] = mapped_column(NullableJson)
    created_at: Mapped[datetime] = mapped_column(default=now)


class Clip(Base):
    """A clip's id is unique on a platform, whatever its case, and belongs to one batch."""

    __tablename__ = "clips"
    key: Mapped[str] = mapped_column(String(200), primary_key=True)  # the id, casefolded
    clip_id: Mapped[str] = mapped_column(String(200))
    batch: Mapped[str] = mapped_column(ForeignKey("batches.name"))
    __table_args__ = (Index("clips_of_batch", "batch"),)


TaskStatus = Literal["annotation", "completed", "missing"]
"""Of a task as a whole: completed once all annotators' jobs are; missing where the server does not have it any more."""

QcStatus = Literal["pending", "approved", "rejected"]
"""What was decided on a clip; all its tasks have the same."""


class Task(Base):
    """A task on the annotation server: one clip. A clip has further tasks for annotators who were added later."""

    __tablename__ = "tasks"
    task_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.project_id"))
    name: Mapped[str] = mapped_column(String(256))
    status: Mapped[TaskStatus] = mapped_column(String(32), default="annotation")
    assignee: Mapped[str | None] = mapped_column(String(150))
    retrieved_at: Mapped[datetime | None]
    qc_status: Mapped[QcStatus] = mapped_column(String(32), default="pending")
    batch: Mapped[str] = mapped_column(ForeignKey("batches.name"))
    clip_id: Mapped[str] = mapped_column(String(200))
    __table_args__ = (
        Index("tasks_of_batch", "batch", "qc_status"),
        Index("tasks_of_clip", "clip_id"),
        Index("tasks_by_name", "project_id", "name", unique=True),
    )


JobType = Literal["annotation", "consensus_replica", "ground_truth"]
JobStage = Literal["annotation", "validation", "acceptance"]
JobState = Literal["new", "in progress", "completed", "rejected", "missing"]
"""CVAT's words for its jobs; missing is the platform's, for work that was removed there before it was read."""

MISSING: Final = "missing"
"""Status of a task and state of a job that the server does not have any more."""

DONE_STAGE: Final[JobStage] = "annotation"
DONE_STATE: Final[JobState] = "completed"
"""The stage in which annotators work, and the state in which they leave it; the legacy status says otherwise."""

REJECTED_STATE: Final[JobState] = "rejected"
"""Work that is to be done again, in whatever stage that was said."""

BEGUN_STATE: Final[JobState] = "in progress"
"""An annotator works on a job that is in `DONE_STAGE` and in this state."""


class Job(Base):
    """A job on the annotation server: one annotator's copy of one clip, or the parent of such copies."""

    __tablename__ = "jobs"
    job_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.task_id"))
    batch: Mapped[str] = mapped_column(String(63))
    clip_id: Mapped[str] = mapped_column(String(200))
    job_type: Mapped[JobType] = mapped_column(String(32))
    annotator: Mapped[str] = mapped_column(String(150), default="")
    stage: Mapped[JobStage] = mapped_column(String(32), default="annotation")
    state: Mapped[JobState] = mapped_column(String(32), default="new")
    server_updated_at: Mapped[str] = mapped_column(String(40), default="")
    frames: Mapped[int] = mapped_column(Integer)
    # Kilobytes a row: read where it is asked for (`tasks.predrawn`), so that to look at jobs costs what changed.
    predrawn: Mapped[list[Any]] = mapped_column(default=list, deferred=True)
    created_at: Mapped[datetime | None] = mapped_column(default=now)  # when it was ready for its annotator
    started_at: Mapped[
        datetime | None
    ]  # when it was first seen in progress, by the annotation server's clock
    completed_at: Mapped[datetime | None]  # when it was completed; NULL while it is open (again)
    __table_args__ = (
        Index("jobs_of_batch", "batch", "state"),
        Index("jobs_of_annotator", "annotator", "state"),
        Index("jobs_of_task", "task_id"),
        # What is counted over all jobs is read from this index: rows are long, `predrawn` makes them so.
        Index(
            "jobs_at_a_glance", "batch", "clip_id", "annotator", "stage", "state", "created_at", "started_at",
            "completed_at", "server_updated_at", "task_id",
        ),
    )  # fmt: skip

    # Both are properties of a job, and expressions in questions to the database.

    @hybrid_property
    def of_annotator(self) -> bool:
        """Whether it is an annotator's; else it is the parent of a clip's replicas, which an expert may get."""
        return self.annotator != ""

    @hybrid_property
    def is_done(self) -> bool:
        """Whether the annotator completed it.

        CVAT's own people may move it on: a job that is completed in a later stage is done, and one that was completed
        stays so while they look at it, since moving it sets its state back to new.
        """
        was_completed = self.completed_at != None  # noqa: E711 - IS NOT NULL in a question to the database
        moved_on = (self.stage != DONE_STAGE) & (self.state != REJECTED_STATE) & was_completed
        return (self.state == DONE_STATE) | moved_on


DiscrepancyKind = Literal[
    "task_missing", "project_missing", "task_moved", "form_changed", "member_missing", "half_made"
]
"""A task or a whole project was removed on the server; a task was moved to another project; the form lacks what the
ontology has; somebody who has work is no member; a task's making never came to its end."""


class Discrepancy(Base):
    """A difference between the annotation server and the platform, as of their last comparison."""

    __tablename__ = "discrepancies"
    kind: Mapped[DiscrepancyKind] = mapped_column(String(32), primary_key=True)
    subject: Mapped[str] = mapped_column(
        String(256), primary_key=True
    )  # task, project: id; member: user name
    batch: Mapped[str] = mapped_column(String(63), default="")  # "" where it is of no batch alone
    clip_id: Mapped[str] = mapped_column(String(200), default="")
    said: Mapped[str] = mapped_column(Text)
    cure: Mapped[str] = mapped_column(Text)
    found_at: Mapped[datetime] = mapped_column(default=now)


class Annotator(Base):
    """A person who annotates, identified by the exact user name on the annotation server."""

    __tablename__ = "annotators"
    username: Mapped[str] = mapped_column(String(150), primary_key=True)
    cvat_user_id: Mapped[int | None]
    email: Mapped[str] = mapped_column(String(254), default="")
    capacity: Mapped[int | None]  # clips at a time; NULL = no limit
    paused: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    preferences: Mapped[dict[str, Any]] = mapped_column(default=dict)
    qualified_at: Mapped[datetime | None]  # passed the practice set, or was let in without it


class LabellerSession(Base):
    """A signed-in annotator's session at the console, with the token from the annotation server.

    `sealed`: that token, encrypted with the session's own token, which only the browser has.
    """

    __tablename__ = "labeller_sessions"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    username: Mapped[str] = mapped_column(ForeignKey("annotators.username"))
    user_id: Mapped[int]
    sealed: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now)
    __table_args__ = (Index("labeller_sessions_of_annotator", "username"),)


class ActiveTime(Base):
    """A stretch of work on a job with the page in focus. Append-only.

    `track`: the page's key of the person worked on, "" for no particular one; `action_id`: the class answered at
    the end, 0 if none; `answers`: their number.
    """

    __tablename__ = "active_times"
    event_id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(Integer)
    annotator: Mapped[str] = mapped_column(String(150))
    track: Mapped[str] = mapped_column(String(40), default="")
    action_id: Mapped[int] = mapped_column(default=0)
    seconds: Mapped[float] = mapped_column(Float)
    answers: Mapped[int] = mapped_column(default=0)
    at: Mapped[datetime] = mapped_column(default=now)
    __table_args__ = (Index("active_times_of_job", "job_id"), Index("active_times_of_annotator", "annotator"))


class PracticeClip(Base):
    """A practice clip, frozen when it was chosen: later decisions on the clip do not change the right answers.

    `measure`: the source of the right answers, an annotator or `CONSENSUS`; `predrawn`: as for a job; `truth`: for each
    person and second `[second, person, [x1, y1, x2, y2], {group: [action id, …]}]`, in pixels of the clip. Practice is
    not a job: its answers are in `PracticeTry` only, which nothing else reads.
    """

    __tablename__ = "practice_clips"
    practice_id: Mapped[int] = mapped_column(primary_key=True)
    batch: Mapped[str] = mapped_column(String(63))
    clip_id: Mapped[str] = mapped_column(String(200))
    measure: Mapped[str] = mapped_column(String(150))
    frames: Mapped[int]
    predrawn: Mapped[list[Any]]
    truth: Mapped[list[Any]]
    chosen_by: Mapped[str] = mapped_column(String(150))
    chosen_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]  # taken out of the set; tries at it are kept
    __table_args__ = (Index("practice_of_clip", "batch", "clip_id"),)


CONSENSUS: Final = "consensus"
"""The measure of a practice clip whose right answers are the approved consensus."""


class PracticeTry(Base):
    """An annotator's attempt at a practice clip: tracks as in the label sheet, and the marks.

    `asked`: answers that count; `correct`: the right ones; `remarks`: `{"frame", "said"}` for each stretch with a wrong
    answer. All three are empty until the attempt is finished.
    """

    __tablename__ = "practice_tries"
    try_id: Mapped[int] = mapped_column(primary_key=True)
    practice_id: Mapped[int] = mapped_column(ForeignKey("practice_clips.practice_id"))
    annotator: Mapped[str] = mapped_column(String(150))
    number: Mapped[int]  # 1, 2, … of this annotator at this clip
    tracks: Mapped[list[Any]]
    begun_at: Mapped[datetime] = mapped_column(default=now)
    finished_at: Mapped[datetime | None]
    asked: Mapped[int] = mapped_column(default=0)
    correct: Mapped[int] = mapped_column(default=0)
    remarks: Mapped[list[Any]] = mapped_column(default=list)
    __table_args__ = (UniqueConstraint("practice_id", "annotator", "number"),)


class PracticeRule(Base):
    """The pass mark of practice, and whether it must be passed before real work. The newest row counts."""

    __tablename__ = "practice_rules"
    rule_id: Mapped[int] = mapped_column(primary_key=True)
    pass_mark: Mapped[float] = mapped_column(Float)
    required: Mapped[bool]
    set_by: Mapped[str] = mapped_column(String(150))
    set_at: Mapped[datetime] = mapped_column(default=now)


class ActionExample(Base):
    """A person at a second of a clip who shows an action of an ontology well."""

    __tablename__ = "action_examples"
    example_id: Mapped[int] = mapped_column(primary_key=True)
    ontology: Mapped[str] = mapped_column(String(100))
    action_id: Mapped[int]
    batch: Mapped[str] = mapped_column(String(63))
    clip_id: Mapped[str] = mapped_column(String(200))
    second: Mapped[int]
    x1: Mapped[float] = mapped_column(Float)
    y1: Mapped[float] = mapped_column(Float)
    x2: Mapped[float] = mapped_column(Float)
    y2: Mapped[float] = mapped_column(Float)
    marked_by: Mapped[str] = mapped_column(String(150))
    marked_at: Mapped[datetime] = mapped_column(default=now)
    __table_args__ = (Index("examples_of_action", "ontology", "action_id"),)


class Reading(Base):
    """One reading of a completed job. Append-only; the same content never makes a second version.

    The newest reading that is not `held` counts. `held`: why a reading was held back or set aside, "" if it was not;
    `judged_by`: the person who decided that instead of the platform.
    """

    __tablename__ = "readings"
    reading_id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.job_id"))
    version: Mapped[int]
    annotator: Mapped[str] = mapped_column(String(150))
    server_updated_at: Mapped[str] = mapped_column(String(40))
    content_hash: Mapped[str] = mapped_column(String(64))
    read_at: Mapped[datetime] = mapped_column(default=now)
    held: Mapped[str] = mapped_column(Text, default="")
    judged_by: Mapped[str] = mapped_column(String(150), default="")
    __table_args__ = (UniqueConstraint("job_id", "version"),)


class Annotation(Base):
    """A keyframe shape of a reading, as the annotation server gave it: pixels of the clip, job frame."""

    __tablename__ = "annotations"
    annotation_id: Mapped[int] = mapped_column(primary_key=True)
    reading_id: Mapped[int] = mapped_column(ForeignKey("readings.reading_id"))
    task_id: Mapped[int]
    job_id: Mapped[int]
    track_id: Mapped[int]  # position of the track in the reading
    frame: Mapped[int]
    xtl: Mapped[float] = mapped_column(Float)
    ytl: Mapped[float] = mapped_column(Float)
    xbr: Mapped[float] = mapped_column(Float)
    ybr: Mapped[float] = mapped_column(Float)
    outside: Mapped[bool]
    attributes: Mapped[dict[str, Any]]
    annotator: Mapped[str] = mapped_column(String(150))
    __table_args__ = (Index("annotations_of_reading", "reading_id"), Index("annotations_of_job", "job_id"))


DecisionAction = Literal[
    "approve", "reject", "reopen", "exclude", "include", "gold", "adjudicate", "expert", "pair"
]  # fmt: skip
"""On clips, on annotators, on gold clips, on answers, on the expert that a clip was given to, on whether two
annotators are independent of each other."""


class Decision(Base):
    """A decision of an admin or reviewer. Append-only: a later decision reverses an earlier one."""

    __tablename__ = "decisions"
    decision_id: Mapped[int] = mapped_column(primary_key=True)
    batch: Mapped[str] = mapped_column(ForeignKey("batches.name"))
    action: Mapped[DecisionAction] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(200))
    actor: Mapped[str] = mapped_column(String(150))
    comment: Mapped[str] = mapped_column(Text, default="")
    before: Mapped[dict[str, Any]] = mapped_column(default=dict)
    after: Mapped[dict[str, Any]] = mapped_column(default=dict)
    decided_at: Mapped[datetime] = mapped_column(default=now)
    __table_args__ = (Index("decisions_of_batch", "batch", "decision_id"),)


class WebhookEvent(Base):
    """A webhook delivery of the annotation server, stored once however often it arrives."""

    __tablename__ = "webhook_events"
    event_id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    event: Mapped[str] = mapped_column(String(64))
    job_id: Mapped[int | None]
    payload: Mapped[dict[str, Any]]
    received_at: Mapped[datetime] = mapped_column(default=now)
    deliveries: Mapped[int] = mapped_column(default=1)


class AuditLogEntry(Base):
    """An action with its author, time and object."""

    __tablename__ = "audit"
    audit_id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now, index=True)
    actor: Mapped[str] = mapped_column(String(150))
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(200), default="")
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)


class MadeOf(Base):
    """The inputs of an asset's newest version, as a text that differs as soon as the asset is out of date."""

    __tablename__ = "made_of"
    batch: Mapped[str] = mapped_column(ForeignKey("batches.name", ondelete="CASCADE"), primary_key=True)
    asset: Mapped[str] = mapped_column(String(64), primary_key=True)
    state: Mapped[str] = mapped_column(Text, default="")


class TakenIn(Base):
    """A source video of a batch, usable or not; `sha256` of its content, "" if it could not be read."""

    __tablename__ = "taken_in"
    batch: Mapped[str] = mapped_column(ForeignKey("batches.name", ondelete="CASCADE"), primary_key=True)
    source_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    usable: Mapped[bool]
    __table_args__ = (Index("taken_in_by_content", "sha256"),)


class BatchNeed(Base):
    """The next need of a batch, and the number of requests for it; times are seconds since 1970."""

    __tablename__ = "batch_needs"
    batch: Mapped[str] = mapped_column(ForeignKey("batches.name", ondelete="CASCADE"), primary_key=True)
    stage: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(Text)  # what is to be made of
    sentence: Mapped[str] = mapped_column(Text)
    tries: Mapped[int] = mapped_column(default=0)
    since: Mapped[float]  # when this state was seen first
    first_at: Mapped[float]  # when the stage was first seen to be behind
    asked_at: Mapped[float | None]
    next_at: Mapped[float | None]  # not before; null where only a person helps
    problem: Mapped[str] = mapped_column(Text, default="")  # of the last try


class User(Base):
    """A person with an account of the console. Annotators are not here: their accounts are the annotation server's."""

    __tablename__ = "users"
    username: Mapped[str] = mapped_column(String(150), primary_key=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(16))
    active: Mapped[bool] = mapped_column(default=True)
    preferences: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=now)


class SignInTry(Base):
    """Failed sign-ins since the last success, for a name ("" for all) and a network address."""

    __tablename__ = "sign_in_tries"
    source: Mapped[str] = mapped_column(String(64), primary_key=True)
    username: Mapped[str] = mapped_column(String(150), primary_key=True)
    tries: Mapped[int] = mapped_column(default=0)
    at: Mapped[datetime] = mapped_column(default=now)  # of the last try that was checked
    __table_args__ = (Index("sign_in_tries_by_time", "at"),)


class ConsoleSession(Base):
    """A signed-in person's session. The token itself is only in that person's browser."""

    __tablename__ = "console_sessions"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    username: Mapped[str] = mapped_column(ForeignKey("users.username"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now)
    __table_args__ = (Index("console_sessions_of_user", "username"),)


class Audit(Base):
    """A blind audit: a random sample of a batch's approved answers, frozen when the audit was started."""

    __tablename__ = "audits"
    audit_id: Mapped[int] = mapped_column(primary_key=True)
    batch: Mapped[str] = mapped_column(ForeignKey("batches.name"))
    size: Mapped[int]  # items asked for; there are fewer where fewer were approved
    seed: Mapped[int] = mapped_column(BigInteger)
    started_by: Mapped[str] = mapped_column(String(150))
    started_at: Mapped[datetime] = mapped_column(default=now)
    note: Mapped[str] = mapped_column(Text, default="")
    __table_args__ = (Index("audits_of_batch", "batch", "audit_id"),)


class AuditItem(Base):
    """An answer that an audit checks: a group of a person at a second. `expected` is hidden until it is answered."""

    __tablename__ = "audit_items"
    item_id: Mapped[int] = mapped_column(primary_key=True)
    audit_id: Mapped[int] = mapped_column(ForeignKey("audits.audit_id"))
    position: Mapped[int]  # from 1, in the order of drawing
    clip_id: Mapped[str] = mapped_column(String(200))
    second: Mapped[int]
    person_id: Mapped[int]
    group: Mapped[str] = mapped_column(Text)
    x1: Mapped[float] = mapped_column(Float)
    y1: Mapped[float] = mapped_column(Float)
    x2: Mapped[float] = mapped_column(Float)
    y2: Mapped[float] = mapped_column(Float)
    expected: Mapped[list[Any]]  # action ids of the consensus
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str] = mapped_column(String(150), default="")
    present: Mapped[bool | None]
    answer: Mapped[list[Any] | None] = mapped_column(NullableJson)  # action ids
    wrong: Mapped[bool | None]
    comment: Mapped[str] = mapped_column(Text, default="")
    __table_args__ = (UniqueConstraint("audit_id", "position"),)
