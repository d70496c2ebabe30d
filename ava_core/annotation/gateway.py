"""The one way to the annotation server: `cvat-sdk` behind few methods that speak of projects, clips and people.

The organisation is always set: what is made without it lies outside and is seen by nobody. Answers are plain
dictionaries, as the API gives them. Credentials are never shown.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ava_core.annotation.refusal import reason_in
from ava_core.annotation.session import (
    API_KEY,
    POLL_SECONDS,
    CvatLostError,
    CvatMissingError,
    CvatSession,
    made_once,
    tried_again,
)
from ava_core.base.errors import CvatError, UnusableClipError
from ava_core.ontology import Ontology
from ava_core.ontology.form import LABEL, cvat_labels

UPLOAD_TIMEOUT_SECONDS: Final = 1800.0
"""How long CVAT may take to make a task of an uploaded clip."""

STILL_SECONDS: Final = 180.0
"""How long a request that was begun may show no progress. A clip of seconds takes seconds; a request whose worker was
killed stays "started" until CVAT's queue is tidied up, which may be never."""


@dataclass(frozen=True)
class ProjectInfo:
    """A project and its form: id of the person label, ids of the attributes by name."""

    project_id: int
    label_id: int
    specs: dict[str, int]


class CvatGateway(CvatSession):
    """What the platform asks of the annotation server. Use it in a `with` block, from one thread."""

    def about(self) -> str:
        """The server's version."""
        return str(self._read("server_api", "retrieve_about")["version"])

    def whoami(self) -> dict[str, Any]:
        """The account of this session: `username`, `is_superuser`, …"""
        with self._outside():
            return self._read("users_api", "retrieve_self")

    def may_write(self) -> bool:
        """Whether the credentials may change anything: personal access tokens are read-only unless told otherwise."""
        token = self.settings.cvat_token
        if token is None or API_KEY.fullmatch(token.get_secret_value()):
            return True
        with self._outside():
            return not self._read("auth_api", "retrieve_access_tokens_self")["read_only"]

    def ensure_organisation(self) -> bool:
        """Make the organisation where it does not exist; returns whether it was made."""
        slug = self.settings.cvat_organisation
        if self.has_organisation():
            return False
        request = self._model("OrganizationWriteRequest")(slug=slug, name=slug)
        with self._outside():
            return made_once(
                lambda: self.has_organisation() or None,
                lambda: bool(self._write("organizations_api", "create", request)),
            )

    def has_organisation(self) -> bool:
        """Whether the organisation exists, and this account sees it."""
        with self._outside():
            known = self._list("organizations_api")
        return self.settings.cvat_organisation in {organisation["slug"] for organisation in known}

    @contextmanager
    def _outside(self) -> Iterator[None]:
        """Calls about what lies in no organisation: inside one that does not exist, every call is 404."""
        before, self._client.organization_slug = self._client.organization_slug, None
        try:
            yield
        finally:
            self._client.organization_slug = before

    def ensure_project(self, name: str, ontology: Ontology) -> ProjectInfo:
        """The project of that name, made with the ontology's form where it does not exist.

        Raises `CvatError` where the project's form lacks something: annotations made with it would be misread.
        """
        request = self._model("ProjectWriteRequest")(
            name=name, labels=[self._model("PatchedLabelRequest")(**label) for label in cvat_labels(ontology)]
        )
        project = made_once(
            lambda: self.project_named(name), lambda: self._write("projects_api", "create", request)
        )
        return self._fitting(int(project["id"]), name, ontology)

    def project_of(self, project_id: int, ontology: Ontology) -> ProjectInfo | None:
        """The project of that id, whatever its name; `None` where it is gone. Raises as `ensure_project`."""
        try:
            name = str(self._read("projects_api", "retrieve", project_id)["name"])
        except CvatMissingError:
            return None
        return self._fitting(project_id, name, ontology)

    def form_of(self, project_id: int) -> ProjectInfo:
        """The form of a project as it is, whatever it asks. Raises `CvatError` where it has no person label."""
        label = self._label(project_id)
        if label is None:
            raise CvatError(
                f"Project {project_id} on {self.url} has no label {LABEL!r}.",
                "Create it again there, with that name.",
            )
        return ProjectInfo(
            project_id, int(label["id"]), {a["name"]: int(a["id"]) for a in label["attributes"]}
        )

    def _fitting(self, project_id: int, name: str, ontology: Ontology) -> ProjectInfo:
        """The form of a project that asks for all that the ontology has. Values that were added there do no harm."""
        label = self._label(project_id) or {"attributes": []}
        actual = {a["name"]: set(a["values"]) for a in label["attributes"]}
        wanted = {a["name"]: set(a["values"]) for a in cvat_labels(ontology)[0]["attributes"]}
        if any(not values <= actual.get(attribute, set()) for attribute, values in wanted.items()):
            raise CvatError(
                f"Project {name!r} on {self.url} does not match ontology {ontology.name} {ontology.version}.",
                "Use another project (AVA_CVAT_PROJECT), or the ontology it was created with.",
            )
        return self.form_of(project_id)

    def _label(self, project_id: int) -> dict[str, Any] | None:
        return next((label for label in self.labels(project_id) if label["name"] == LABEL), None)

    def project_named(self, name: str) -> dict[str, Any] | None:
        """The oldest project of exactly that name: names may repeat."""
        return next((p for p in self._list("projects_api", name=name) if p["name"] == name), None)

    def members(self) -> dict[str, int]:
        """Active members of the organisation: user ids by exact user name."""
        rows = self._list("memberships_api") if self._client.organization_slug else []
        return {
            row["user"]["username"]: int(row["user"]["id"])
            for row in rows
            if row["is_active"] and row["user"]
        }

    def account(self, username: str) -> dict[str, Any] | None:
        """The account of exactly that name, member or not; `None` where there is none that this account sees."""
        with self._outside():
            listed = self._list("users_api", search=username)
        return next((user for user in listed if user["username"] == username), None)

    def set_account(self, user_id: int, *, is_active: bool) -> None:
        """Let an account in, or shut it out and end its sessions."""
        request = self._model("PatchedUserRequest")(is_active=is_active)
        with self._outside():
            self._rewrite("users_api", "partial_update", user_id, patched_user_request=request)

    def set_password(self, user_id: int, password: str) -> None:
        """Give an account of the embedded server a new password. CVAT has no such call."""
        body = {"password1": password, "password2": password}

        def put() -> None:
            with self._explained("set the password"):
                self._client.api_client.call_api(
                    f"/api/users/{user_id}/password", "PUT", body=body,
                    header_params={"Content-Type": "application/json", "Accept": "application/json"},
                    auth_settings=["basicAuth", "csrfAuth", "sessionAuth", "signatureAuth", "tokenAuth"],
                    _parse_response=False,
                )  # fmt: skip

        tried_again(put)

    def register_annotator(self, username: str, password: str, email: str) -> int:
        """Make an account and take it into the organisation as a worker; returns the user's id.

        A member is left as it is. Invites by e-mail, which adds known addresses at once without a mail.
        """

        def account() -> str | None:
            return username if self.account(username) else None

        def register() -> str:
            request = self._model("RegisterSerializerExRequest")(
                username=username, email=email, password1=password, password2=password
            )
            self._write("auth_api", "create_register", request)
            return username

        known = self.members().get(username)
        if known is not None:
            return known
        made_once(account, register)
        return self._invited(username, email)

    def has_project(self, project_id: int) -> bool:
        """Whether there is a project of that id."""
        with suppress(CvatMissingError):
            return bool(self._read("projects_api", "retrieve", project_id))
        return False

    def labels(self, project_id: int) -> list[dict[str, Any]]:
        """Labels of a project with their attributes."""
        return self._list("labels_api", project_id=project_id)

    def put_label(self, project_id: int, label: dict[str, Any]) -> None:
        """Add a label to a project, or change the one of its `id`; attributes likewise."""
        request = self._model("PatchedLabelRequest")(**label)
        if "id" in label:
            self._rewrite("labels_api", "partial_update", label["id"], patched_label_request=request)
        else:
            project = self._model("PatchedProjectWriteRequest")(labels=[request])
            self._write("projects_api", "partial_update", project_id, patched_project_write_request=project)

    def invite(self, username: str, email: str = "") -> int:
        """Take somebody who has an account into the organisation as a worker; returns the user's id.

        `email`: "" for the one that the account has, where this account may see it. A member is left as it is.
        """
        known = self.members().get(username)
        if known is not None:
            return known
        found = self.account(username)
        if found is None:
            raise CvatError(
                f"{self.url} has no account {username!r}.",
                "Create it: `ava annotator add NAME --email ADDRESS`.",
            )
        address = email or found.get("email") or ""
        if not address:
            raise CvatError(
                f"The e-mail address of {username!r} is not known.",
                f"Invite them on CVAT, or run `ava annotator add {username} --email ADDRESS`.",
            )
        return self._invited(username, address)

    def _invited(self, username: str, email: str) -> int:
        def invite() -> int:
            request = self._model("InvitationWriteRequest")(email=email, role="worker")
            self._write("invitations_api", "create", request)
            return self.members()[username]

        return made_once(lambda: self.members().get(username), invite)

    def tasks_named(self, project_id: int, name: str) -> list[dict[str, Any]]:
        """Tasks of the project with exactly that name, oldest first."""
        return [t for t in self._list("tasks_api", project_id=project_id, name=name) if t["name"] == name]

    def has_task(self, task_id: int) -> bool:
        """Whether there is a task of that id."""
        with suppress(CvatMissingError):
            return bool(self.task(task_id))
        return False

    def task(self, task_id: int) -> dict[str, Any]:
        """One task; its `size` counts frames, and is missing before its media are there."""
        return self._read("tasks_api", "retrieve", task_id)

    def tasks_of_project(self, project_id: int) -> list[dict[str, Any]]:
        """All tasks of the project, oldest first."""
        return self._list("tasks_api", project_id=project_id)

    def create_task(
        self, project_id: int, name: str, video: Path, *, replicas: int, subset: str = ""
    ) -> dict[str, Any]:
        """Make a task of one video, with `replicas` copies of its job (0, or 2 to 11); waits until it is ready.

        `subset`: a word of at most 64 letters that stays with the task.

        A failed upload poisons a task on CVAT: it is removed before the error is raised, where the server lets.
        """
        request = self._model("TaskWriteRequest")(
            name=name, project_id=project_id, segment_size=0, overlap=0, consensus_replicas=replicas,
            subset=subset,
        )  # fmt: skip
        task_id = int(self._write("tasks_api", "create", request)["id"])
        try:
            return self._upload(task_id, video)
        except BaseException:
            with suppress(CvatError):  # what stays is known by its name, and removed before the next try
                self.remove_task(task_id)
            raise

    def remove_task(self, task_id: int) -> None:
        """Remove a task with everything in it; one that is gone already is no error."""
        with suppress(CvatMissingError):
            self._rewrite("tasks_api", "destroy", task_id)

    def jobs_of_task(self, task_id: int) -> list[dict[str, Any]]:
        """Jobs of a task by id."""
        return self._list("jobs_api", task_id=task_id)

    def jobs_changed_since(self, moment: str) -> list[dict[str, Any]]:
        """Jobs whose `updated_date` is `moment` or later; all where it is empty."""
        rule = {"filter": json.dumps({">=": [{"var": "updated_date"}, moment]})} if moment else {}
        return self._list("jobs_api", **rule)

    def job(self, job_id: int) -> dict[str, Any]:
        """One job."""
        return self._read("jobs_api", "retrieve", job_id)

    def set_job(self, job_id: int, **values: Any) -> dict[str, Any]:
        """Set `assignee` (user id), `stage` or `state` of a job."""
        request = self._model("PatchedJobWriteRequest")(**values)
        return self._rewrite("jobs_api", "partial_update", job_id, patched_job_write_request=request)

    def annotations(self, job_id: int) -> dict[str, Any]:
        """A job's annotations: keyframes, attributes carried forward."""
        return self._read("jobs_api", "retrieve_annotations", job_id)

    def put_tracks(self, job_id: int, tracks: list[dict[str, Any]]) -> None:
        """Replace a job's annotations by tracks in the API's form."""
        from cvat_sdk import models

        with self._explained("take such tracks", ours=True):
            request = models.LabeledDataRequest(
                version=0, tags=[], shapes=[], tracks=[_track_request(models, track) for track in tracks]
            )
        self._rewrite("jobs_api", "update_annotations", job_id, labeled_data_request=request)

    def patch_tracks(
        self, job_id: int, action: str, tracks: Sequence[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """Add, change or remove (`create`, `update`, `delete`) tracks of a job; returns them as the server has them.

        Tracks that are added are added once: where the answer is lost, that is said (`CvatLostError`), not repeated.
        """
        from cvat_sdk import models

        with self._explained("take such tracks", ours=True):
            request = models.PatchedLabeledDataRequest(
                version=0, tags=[], shapes=[], tracks=[_track_request(models, track) for track in tracks]
            )
        call = self._write if action == "create" else self._rewrite
        answer = call(
            "jobs_api", "partial_update_annotations", action, job_id, patched_labeled_data_request=request
        )
        return list(answer["tracks"])

    def open_issues(self, job_id: int) -> list[dict[str, Any]]:
        """Issues of a job that are not resolved, by frame: `frame` and what was `said`."""
        found = []
        for issue in self._list("issues_api", job_id=job_id):
            if not issue["resolved"]:
                said = [comment["message"] for comment in self._list("comments_api", issue_id=issue["id"])]
                found.append({"frame": issue["frame"], "said": "\n".join(said)})
        return sorted(found, key=lambda issue: int(issue["frame"]))

    def ensure_issue(self, job_id: int, frame: int, message: str, box: Sequence[float]) -> bool:
        """Open an issue at a frame of a job unless the same one is open; returns whether it was opened.

        `box`: the region it is about, `(x1, y1, x2, y2)` in pixels.
        """
        request = self._model("IssueWriteRequest")(
            frame=frame, position=[float(side) for side in box], job=job_id, message=message
        )

        def said(issue: dict[str, Any]) -> list[str]:
            return [comment["message"] for comment in self._list("comments_api", issue_id=issue["id"])]

        def look() -> bool | None:
            same = (i for i in self._list("issues_api", job_id=job_id) if i["frame"] == frame)
            return False if any(message in said(i) for i in same if not i["resolved"]) else None

        return made_once(look, lambda: bool(self._write("issues_api", "create", request)))

    def ensure_webhook(
        self, project_id: int, url: str, secret: str, events: Sequence[str]
    ) -> tuple[int, bool]:
        """The project's webhook to `url`, made or brought up to date; returns its id and whether it was made."""
        hooks = [self._model("EventsEnum")(event) for event in events]
        request = self._model("WebhookWriteRequest")(
            target_url=url, type=self._model("WebhookType")("project"), project_id=project_id, secret=secret,
            events=hooks, is_active=True, enable_ssl=url.startswith("https"), description="AVA platform",
            content_type=self._model("WebhookContentType")("application/json"),
        )  # fmt: skip

        def look() -> int | None:
            found = [w for w in self._list("webhooks_api", project_id=project_id) if w["target_url"] == url]
            return int(found[0]["id"]) if found else None

        def make() -> int:
            return int(self._write("webhooks_api", "create", request)["id"])

        known = look()
        number = made_once(look, make)
        patch = self._model("PatchedWebhookWriteRequest")(
            target_url=url, secret=secret, events=hooks, is_active=True, enable_ssl=url.startswith("https")
        )
        self._rewrite("webhooks_api", "partial_update", number, patched_webhook_write_request=patch)
        return number, known is None

    def ping_webhook(self, webhook_id: int) -> int:
        """Let the server send a ping; returns the status that the receiver answered with (502: unreachable)."""
        return int(self._read("webhooks_api", "create_ping", webhook_id)["status_code"])

    def _upload(self, task_id: int, video: Path) -> dict[str, Any]:
        """Give a task its media, and wait until the server has made frames and jobs of it; returns the task."""
        try:
            with self._explained(f"upload {video.name}"):
                self._client.tasks.retrieve(task_id).upload_data(
                    [str(video)], params={"image_quality": 90, "use_cache": True}, wait_for_completion=False
                )
        except CvatError:
            # The last answer may be all that was lost, or a repeated request refused (409): then it is under way.
            if not (self._under_way(task_id) or self.task(task_id).get("size")):
                raise
        self._wait_for_import(task_id, video.name)
        task = self.task(task_id)
        if not task.get("size"):
            raise CvatLostError(f"{self.url} has lost the upload of {video.name}.", "Run it again.")
        return task

    def _wait_for_import(self, task_id: int, name: str) -> None:
        """Wait until the server has made a task of its media. Raises `CvatError` where it does not get on with it."""
        begun = moved = time.monotonic()
        before = None
        while request := self._under_way(task_id):
            now, shown = (
                time.monotonic(),
                (request["status"], request.get("progress"), request.get("message")),
            )
            if shown != before:
                before, moved = shown, now
            if request["status"] == "started" and now - moved > STILL_SECONDS:
                raise CvatError(
                    f"{self.url} has made no progress on {name} for {STILL_SECONDS / 60:.0f} minutes; its "
                    f"import worker was probably stopped.",
                    "Check that CVAT's import workers are running, then retry. The unfinished task will be "
                    "removed.",
                )
            if now - begun > UPLOAD_TIMEOUT_SECONDS:
                raise CvatError(f"{self.url} did not create a task for {name} in time.", "Check its workers.")
            time.sleep(POLL_SECONDS)

    def _under_way(self, task_id: int) -> dict[str, Any] | None:
        """The request in which the server works on a task's media, if it does; raises `CvatError` where that failed.

        A finished request is forgotten after minutes: then the task itself says how it went.
        """
        try:
            request = self._read("requests_api", "retrieve", f"action=create&target=task&target_id={task_id}")
        except CvatMissingError:
            return None
        if request["status"] == "failed":
            message = f"{self.url} cannot use the clip: {reason_in(request['message'])}"
            raise UnusableClipError(message, "Cut the clip again.")
        return request if request["status"] in ("queued", "started") else None


def _track_request(models: Any, track: dict[str, Any]) -> Any:
    shapes = [
        models.TrackedShapeRequest(
            type="rectangle",
            frame=shape["frame"],
            points=shape["points"],
            outside=shape["outside"],
            occluded=shape.get("occluded", False),
            attributes=[models.AttributeValRequest(**a) for a in shape["attributes"]],
        )
        for shape in track["shapes"]
    ]
    return models.LabeledTrackRequest(
        label_id=track["label_id"],
        frame=track["frame"],
        group=track.get("group") or 0,
        source=track.get("source", "auto"),
        attributes=[models.AttributeValRequest(**a) for a in track["attributes"]],
        shapes=shapes,
        **{name: track[name] for name in ("id",) if name in track},
    )
