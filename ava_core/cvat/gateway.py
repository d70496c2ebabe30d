"""The one way to the annotation server: `cvat-sdk` behind few methods that speak of projects, clips and people.

The organisation is always set: what is made without it lies outside and is seen by nobody. Answers are plain
dictionaries, as the API gives them. Credentials are never shown.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from ava_core.errors import CvatError, CvatLoginError, CvatUnreachableError
from ava_core.ontology import Ontology
from ava_core.ontology.form import LABEL, cvat_labels
from ava_core.settings import Settings

PAGE_SIZE: Final = 500
POLL_SECONDS: Final = 0.2
TIMEOUT_SECONDS: Final = 60.0
UPLOAD_TIMEOUT_SECONDS: Final = 1800.0
RETRIES: Final = 4
RETRY_STATUS: Final = frozenset({429, 502, 503, 504})


@dataclass(frozen=True)
class ProjectInfo:
    """A project and its form: id of the person label, ids of the attributes by name."""

    project_id: int
    label_id: int
    specs: dict[str, int]


class CvatGateway:
    """A session on the annotation server. Use it in a `with` block, from one thread."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.url = settings.resolved_cvat_url
        self._client: Any = None

    def __enter__(self) -> CvatGateway:
        import urllib3
        from cvat_sdk.core.client import AccessTokenCredentials, Client, Config, PasswordCredentials

        token = self.settings.cvat_token
        credentials: Any
        if token is not None:
            credentials = AccessTokenCredentials(token.get_secret_value())
        else:
            credentials = PasswordCredentials(self.settings.cvat_username, self._password())
        with self._explained("sign in"):
            client = Client(
                self.url, check_server_version=False, config=Config(status_check_period=POLL_SECONDS)
            )
            client.api_client.rest_client.pool_manager.connection_pool_kw["timeout"] = urllib3.Timeout(
                TIMEOUT_SECONDS
            )
            client.login(credentials)
        self._client = client
        client.organization_slug = self.settings.cvat_organisation
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Not logged out: that would end the key of every other client of the same user.
        if self._client is not None:
            self._client.api_client.close()

    def about(self) -> str:
        """The server's version."""
        return str(self._read("server_api", "retrieve_about")["version"])

    def ensure_organisation(self) -> None:
        """Make the organisation where it does not exist."""
        slug = self.settings.cvat_organisation
        self._client.organization_slug = None
        try:
            known = {organisation["slug"] for organisation in self._list("organizations_api")}
            if slug not in known:
                self._write(
                    "organizations_api",
                    "create",
                    self._model("OrganizationWriteRequest")(slug=slug, name=slug),
                )
        finally:
            self._client.organization_slug = slug

    def ensure_project(self, name: str, ontology: Ontology) -> ProjectInfo:
        """The project of that name, made with the ontology's form where it does not exist.

        Raises `CvatError` where the project has another form: annotations made with it would be misread.
        """
        found = [p for p in self._list("projects_api", name=name) if p["name"] == name]
        if not found:
            request = self._model("ProjectWriteRequest")(
                name=name,
                labels=[self._model("PatchedLabelRequest")(**label) for label in cvat_labels(ontology)],
            )
            found = [self._write("projects_api", "create", request)]
        project_id = int(found[0]["id"])
        labels = {label["name"]: label for label in self._list("labels_api", project_id=project_id)}
        wanted = {a["name"]: list(a["values"]) for a in cvat_labels(ontology)[0]["attributes"]}
        actual = {a["name"]: list(a["values"]) for a in labels.get(LABEL, {"attributes": []})["attributes"]}
        if any(actual.get(attribute) != values for attribute, values in wanted.items()):
            raise CvatError(
                f"Project {name!r} on {self.url} has another form than ontology {ontology.name} {ontology.version}.",
                "Name another project (AVA_CVAT_PROJECT), or use the ontology that it was made with.",
            )
        label = labels[LABEL]
        return ProjectInfo(
            project_id, int(label["id"]), {a["name"]: int(a["id"]) for a in label["attributes"]}
        )

    def members(self) -> dict[str, int]:
        """Active members of the organisation: user ids by exact user name."""
        rows = self._list("memberships_api") if self._client.organization_slug else []
        return {
            row["user"]["username"]: int(row["user"]["id"])
            for row in rows
            if row["is_active"] and row["user"]
        }

    def register_annotator(self, username: str, password: str, email: str) -> int:
        """Make an account and take it into the organisation as a worker; returns the user's id.

        A member is left as it is. Invites by e-mail, which adds known addresses at once without a mail.
        """
        known = self.members()
        if username in known:
            return known[username]
        if username not in {user["username"] for user in self._list("users_api", search=username)}:
            request = self._model("RegisterSerializerExRequest")(
                username=username, email=email, password1=password, password2=password
            )
            self._write("auth_api", "create_register", request)
        request = self._model("InvitationWriteRequest")(email=email, role="worker")
        self._write("invitations_api", "create", request)
        return self.members()[username]

    def tasks_named(self, project_id: int, name: str) -> list[dict[str, Any]]:
        """Tasks of the project with exactly that name, oldest first."""
        found = [t for t in self._list("tasks_api", project_id=project_id, name=name) if t["name"] == name]
        return sorted(found, key=lambda task: int(task["id"]))

    def create_task(self, project_id: int, name: str, video: Path, *, replicas: int) -> dict[str, Any]:
        """Make a task of one video, with `replicas` copies of its job (0, or 2 to 11); waits until it is ready.

        A failed upload poisons a task on CVAT: it is removed before the error is raised.
        """
        request = self._model("TaskWriteRequest")(
            name=name, project_id=project_id, segment_size=0, overlap=0, consensus_replicas=replicas
        )
        task = self._write("tasks_api", "create", request)
        try:
            with self._explained(f"upload {video.name}"):
                proxy = self._client.tasks.retrieve(task["id"])
                proxy.upload_data(
                    [str(video)], params={"image_quality": 90, "use_cache": True}, wait_for_completion=True
                )
            return self._read("tasks_api", "retrieve", task["id"])
        except BaseException:
            self.remove_task(int(task["id"]))
            raise

    def remove_task(self, task_id: int) -> None:
        """Remove a task with everything in it."""
        with self._explained(f"remove task {task_id}"):
            self._client.api_client.tasks_api.destroy(task_id)

    def jobs_of_task(self, task_id: int) -> list[dict[str, Any]]:
        """Jobs of a task by id."""
        return sorted(self._list("jobs_api", task_id=task_id), key=lambda job: int(job["id"]))

    def jobs_changed_since(self, moment: str) -> list[dict[str, Any]]:
        """Jobs whose `updated_date` is `moment` or later; all where it is empty."""
        rule = {"filter": json.dumps({">=": [{"var": "updated_date"}, moment]})} if moment else {}
        return self._list("jobs_api", **rule)

    def set_job(self, job_id: int, **values: Any) -> dict[str, Any]:
        """Set `assignee` (user id), `stage` or `state` of a job."""
        request = self._model("PatchedJobWriteRequest")(**values)
        return self._write("jobs_api", "partial_update", job_id, patched_job_write_request=request)

    def annotations(self, job_id: int) -> dict[str, Any]:
        """A job's annotations: keyframes, attributes carried forward."""
        return self._read("jobs_api", "retrieve_annotations", job_id)

    def put_tracks(self, job_id: int, tracks: list[dict[str, Any]]) -> None:
        """Replace a job's annotations by tracks in the API's form."""
        models = self._models()
        request = models.LabeledDataRequest(
            version=0, tags=[], shapes=[], tracks=[_track_request(models, track) for track in tracks]
        )
        self._write("jobs_api", "update_annotations", job_id, labeled_data_request=request)

    def job_url(self, task_id: int, job_id: int, frame: int = 0) -> str:
        """The page on which a person opens a job at a frame."""
        return f"{self.url}/tasks/{task_id}/jobs/{job_id}?frame={frame}"

    def _password(self) -> str:
        if self.settings.cvat_password is not None:
            return self.settings.cvat_password.get_secret_value()
        if self.settings.cvat_is_embedded:
            from ava_core.cvat.server.state import embedded_password

            return embedded_password(self.settings.home_dir / "cvat")
        raise CvatLoginError(
            "No password or token for CVAT is set.", "Set AVA_CVAT_TOKEN, or AVA_CVAT_PASSWORD."
        )

    def _list(self, api: str, **query: Any) -> list[dict[str, Any]]:
        """All pages of a list."""
        found: list[dict[str, Any]] = []
        number = 1
        while True:
            content = self._read(api, "list", page=number, page_size=PAGE_SIZE, **query)
            found += content["results"]
            if not content["next"]:
                return found
            number += 1

    def _read(self, api: str, method: str, *arguments: Any, **query: Any) -> dict[str, Any]:
        """A reading call, tried again where the server is only busy; the body as plain JSON."""
        for attempt in range(RETRIES + 1):
            try:
                return self._call(api, method, *arguments, **query)
            except _BusyError as busy:
                if attempt == RETRIES:
                    raise CvatError(f"{self.url} stays busy: {busy.message}", "Try again later.") from None
                time.sleep(busy.wait or 0.5 * 2**attempt)
        raise AssertionError("not reached")

    def _write(self, api: str, method: str, *arguments: Any, **query: Any) -> dict[str, Any]:
        """A changing call; done once, since the server may have acted although its answer was lost."""
        try:
            return self._call(api, method, *arguments, **query)
        except _BusyError as busy:
            raise CvatError(
                f"{self.url} is busy: {busy.message}", "Run it again; what was made is kept."
            ) from None

    def _call(self, api: str, method: str, *arguments: Any, **query: Any) -> dict[str, Any]:
        with self._explained(f"{method} {api.removesuffix('_api')}"):
            function = getattr(getattr(self._client.api_client, api), method)
            _, response = function(*arguments, **query, _parse_response=False)
            content: dict[str, Any] = json.loads(response.data) if response.data else {}
            return content
        raise AssertionError("not reached")

    def _models(self) -> Any:
        from cvat_sdk import models

        return models

    def _model(self, name: str) -> Any:
        return getattr(self._models(), name)

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        """Turn the SDK's exceptions into errors for people."""
        import urllib3
        from cvat_sdk.core import exceptions as sdk
        from cvat_sdk.exceptions import ApiException

        try:
            yield
        except ApiException as error:
            raise self._explain(what, error) from None
        except (urllib3.exceptions.HTTPError, sdk.InvalidHostException, OSError) as error:
            raise CvatUnreachableError(
                f"The annotation server does not answer at {self.url} ({type(error).__name__}).",
                "Start it (`ava up`), or check AVA_CVAT_URL.",
            ) from None
        except (sdk.CvatSdkException, ValueError) as error:
            raise CvatError(f"{self.url} could not {what}: {_short(error)}") from None

    def _explain(self, what: str, error: Any) -> Exception:
        body = error.body.decode(errors="replace") if isinstance(error.body, bytes) else str(error.body or "")
        if error.status in RETRY_STATUS:
            wait = float((error.headers or {}).get("Retry-After") or 0)
            return _BusyError(f"{error.status} for {what}", wait)
        if error.status == 401 or (error.status == 400 and "Unable to log in" in body):
            return CvatLoginError(
                f"{self.url} does not accept the credentials of {self.settings.cvat_username!r}.",
                "Check AVA_CVAT_TOKEN, or AVA_CVAT_USERNAME and AVA_CVAT_PASSWORD.",
            )
        if error.status == 403:
            return CvatError(
                f"{self.url} does not allow this account to {what}.", "Use an account with more rights."
            )
        return CvatError(f"{self.url} refused to {what} ({error.status}): {_short(body)}")


class _BusyError(CvatError):
    def __init__(self, message: str, wait: float) -> None:
        self.wait = wait
        super().__init__(message)


def _short(text: object) -> str:
    """The beginning of an answer on one line; error pages are long."""
    return " ".join(str(text).split())[:300]


def _track_request(models: Any, track: dict[str, Any]) -> Any:
    shapes = [
        models.TrackedShapeRequest(
            type="rectangle",
            frame=shape["frame"],
            points=shape["points"],
            outside=shape["outside"],
            occluded=False,
            attributes=[models.AttributeValRequest(**a) for a in shape["attributes"]],
        )
        for shape in track["shapes"]
    ]
    return models.LabeledTrackRequest(
        label_id=track["label_id"],
        frame=track["frame"],
        group=0,
        source="auto",
        attributes=[models.AttributeValRequest(**a) for a in track["attributes"]],
        shapes=shapes,
    )
