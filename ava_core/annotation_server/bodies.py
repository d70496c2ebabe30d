"""What the bodies of requests may hold, but for annotations, which `shapes` has."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, field_validator
from pydantic_core import PydanticCustomError

from ava_core.annotation_server.events import KNOWN
from ava_core.annotation_server.fields import Count, Fields, Moment, Name, Text, Whole

EMAIL: Final = re.compile(r"[^@\s\"(),:;<>\[\]\\]+@(localhost|([^\W_]([\w-]{0,61}[^\W_])?\.)+[^\W\d_]{2,63})")


def _address(text: str) -> str:
    if not EMAIL.fullmatch(text):
        raise PydanticCustomError("email", "Enter a valid email address.")
    return text


def _slug(text: str) -> str:
    if not re.fullmatch(r"[-a-zA-Z0-9_]+", text):
        sentence = 'Enter a valid "slug" consisting of letters, numbers, underscores or hyphens.'
        raise PydanticCustomError("slug", sentence)
    return text


def _username(text: str) -> str:
    if not re.fullmatch(r"[\w.@+-]+", text):
        sentence = (
            "Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters."
        )
        raise PydanticCustomError("username", sentence)
    return text


Email = Annotated[Name, Field(max_length=254), AfterValidator(_address)]
PersonName = Annotated[Text, Field(max_length=150)]
Password = Annotated[Text, Field(min_length=8, max_length=256)]
Title = Annotated[Name, Field(max_length=256)]
Address = Annotated[Text, Field(max_length=2000)]
Role = Literal["worker", "supervisor", "maintainer", "owner"]
Group = Literal["admin", "business", "user", "worker"]


class Login(Fields):
    """POST /auth/login."""

    username: Text = ""
    password: Name


class NewPassword(Fields):
    """PUT /users/N/password."""

    password1: Password
    password2: Password


class Registration(NewPassword):
    """POST /auth/register."""

    username: Annotated[Text, Field(min_length=5, max_length=150), AfterValidator(_username)]
    email: Email | None = None
    first_name: PersonName = ""
    last_name: PersonName = ""


class UserChange(Fields):
    """PATCH /users/N."""

    first_name: PersonName = ""
    last_name: PersonName = ""
    email: Email = ""
    groups: list[Group] = []
    is_active: bool = True


class AccessToken(Fields):
    """POST /auth/access_tokens."""

    name: Annotated[Name, Field(max_length=50)]
    expiry_date: Moment | None = None
    read_only: bool = True


class AccessTokenChange(AccessToken):
    """PATCH /auth/access_tokens/N."""

    name: Annotated[Name, Field(max_length=50)] = "-"


class Organisation(Fields):
    """POST /organizations."""

    slug: Annotated[Name, Field(max_length=16), AfterValidator(_slug)]
    name: Annotated[Text, Field(max_length=64)] = ""
    description: Text = ""
    contact: dict[Text, Text] = {}


class OrganisationChange(Organisation):
    """PATCH /organizations/N."""

    slug: Annotated[Name, Field(max_length=16), AfterValidator(_slug)] = "-"


class Invitation(Fields):
    """POST /invitations."""

    role: Role
    email: Email


class MembershipChange(Fields):
    """PATCH /memberships/N."""

    role: Role


class Attribute(Fields):
    """An attribute of a label; with `id` one that is there."""

    id: Whole | None = None
    name: Annotated[Name, Field(max_length=64)] = "-"
    mutable: bool = False
    input_type: Literal["checkbox", "radio", "number", "text", "select"] = "select"
    default_value: Annotated[Text, Field(max_length=128)] | None = None
    values: list[Annotated[Text, Field(max_length=200)]] = []
    deleted: bool = False

    @field_validator("values", mode="before")
    @classmethod
    def _none(cls, values: Any) -> Any:
        return [] if values is None else values


class Label(Fields):
    """A label; with `id` one that is there."""

    id: Whole | None = None
    name: Annotated[Name, Field(max_length=64)] = "-"
    color: Annotated[Text, Field(max_length=16)] = ""
    type: Literal[
        "any", "cuboid", "ellipse", "mask", "points", "polygon", "polyline", "rectangle", "skeleton", "tag"
    ] = "any"
    attributes: list[Attribute] = []
    deleted: bool = False


class Project(Fields):
    """POST /projects."""

    name: Title
    bug_tracker: Address = ""
    assignee_id: Whole | None = None
    labels: list[Label] = []


class ProjectChange(Project):
    """PATCH /projects/N."""

    name: Title = "-"


class Task(Fields):
    """POST /tasks."""

    name: Title
    project_id: Whole | None = None
    bug_tracker: Address = ""
    assignee_id: Whole | None = None
    subset: Annotated[Text, Field(max_length=64)] = ""
    overlap: Count | None = None
    segment_size: Count = 0
    consensus_replicas: Count = 0
    labels: list[Label] = []


class TaskChange(Task):
    """PATCH /tasks/N."""

    name: Title = "-"


class Media(Fields):
    """What an upload says of its media."""

    image_quality: Annotated[int, Field(ge=1, le=100)] = 70
    start_frame: Count = 0
    stop_frame: Count | None = None
    frame_filter: Annotated[Text, Field(max_length=256)] = ""
    validation_params: dict[str, Any] | None = None


class JobChange(Fields):
    """PATCH /jobs/N."""

    assignee: Whole | None = None
    stage: Literal["annotation", "validation", "acceptance"] = "annotation"
    state: Literal["new", "in progress", "completed", "rejected"] = "new"


class Issue(Fields):
    """POST /issues."""

    frame: Count
    position: list[float]
    job: Whole
    message: Name
    assignee: Whole | None = None
    resolved: bool = False


class IssueChange(Fields):
    """PATCH /issues/N."""

    position: list[float] = []
    assignee: Whole | None = None
    resolved: bool = False


class Comment(Fields):
    """POST /comments."""

    issue: Whole
    message: Name


class CommentChange(Fields):
    """PATCH /comments/N."""

    message: Name = "-"


class WebhookChange(Fields):
    """PATCH /webhooks/N."""

    target_url: Annotated[Name, Field(max_length=8192)] = "-"
    description: Annotated[Text, Field(max_length=128)] = ""
    content_type: Literal["application/json"] = "application/json"
    secret: Annotated[Text, Field(max_length=64)] = ""
    is_active: bool = True
    enable_ssl: bool = True
    events: list[Text] = []

    @field_validator("events")
    @classmethod
    def _known(cls, events: list[str]) -> list[str]:
        for event in events:
            if event not in KNOWN:
                raise PydanticCustomError("choice", '"{event}" is not a valid choice.', {"event": event})
        return events


class Webhook(WebhookChange):
    """POST /webhooks."""

    target_url: Annotated[Name, Field(max_length=8192)]
    type: Literal["organization", "project"] = "project"
    project_id: Whole | None = None
    events: list[Text]
