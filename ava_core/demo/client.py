"""The annotation server as an annotator's browser sees it: own jobs, pictures, annotations, state. Nothing more."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Final

import httpx

from ava_core.base.errors import CvatError, CvatLoginError, CvatUnreachableError

PAGE_SIZE: Final = 100
TIMEOUT_SECONDS: Final = 60.0
PICTURE_STARTS: Final = (b"\xff\xd8", b"\x89PNG")


class AnnotatorClient:
    """A session of one annotator. Use it in a `with` block, from one thread.

    Raises `CvatLoginError`, `CvatUnreachableError`, `CvatError`.
    """

    def __init__(self, url: str, organisation: str, username: str, password: str) -> None:
        self.username = username
        self._password = password
        self._http = httpx.Client(
            base_url=url,
            timeout=TIMEOUT_SECONDS,
            headers={"X-Organization": organisation},
            transport=httpx.HTTPTransport(retries=2),
        )

    def __enter__(self) -> AnnotatorClient:
        body = {"username": self.username, "password": self._password}
        # An answer of 400, not 401, is how CVAT refuses a password.
        answer = self._send("POST", "/api/auth/login", json=body, refuse=False)
        if answer.status_code in (400, 401):
            self._http.close()
            raise CvatLoginError(f"The annotation server does not know {self.username!r} by that password.")
        _check(answer)
        self._http.headers["Authorization"] = f"Token {answer.json()['key']}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def own_jobs(self) -> list[dict[str, Any]]:
        """Jobs that are assigned to this annotator, by id."""
        jobs: list[dict[str, Any]] = []
        number = 1
        while True:
            answer = self._send("GET", "/api/jobs", params={"page": number, "page_size": PAGE_SIZE}).json()
            jobs += answer["results"]
            if not answer["next"]:
                break
            number += 1
        own = [job for job in jobs if (job["assignee"] or {}).get("username") == self.username]
        return sorted(own, key=lambda job: int(job["id"]))

    def media_name(self, job_id: int) -> str:
        """Name of the job's video or first picture."""
        meta = self._send("GET", f"/api/jobs/{job_id}/data/meta").json()
        return str(meta["frames"][0]["name"])

    def picture(self, job_id: int, frame: int) -> bytes:
        """A frame of the job as JPEG, or as PNG where it comes from a video."""
        query = {"type": "frame", "number": frame, "quality": "compressed"}
        content = self._send("GET", f"/api/jobs/{job_id}/data", params=query).content
        if not content.startswith(PICTURE_STARTS):
            raise CvatError(f"The annotation server shows no picture for frame {frame} of job {job_id}.")
        return content

    def labels(self, job_id: int) -> list[dict[str, Any]]:
        """Labels of the job with their attributes."""
        query = {"job_id": job_id, "page_size": PAGE_SIZE}
        return list(self._send("GET", "/api/labels", params=query).json()["results"])

    def tracks(self, job_id: int) -> list[dict[str, Any]]:
        """The job's tracks, keyframes only."""
        return list(self._send("GET", f"/api/jobs/{job_id}/annotations").json()["tracks"])

    def save(self, job_id: int, action: str, tracks: list[dict[str, Any]]) -> None:
        """Save changes: `action` is create, update or delete."""
        if tracks:
            body = {"version": 0, "tags": [], "shapes": [], "tracks": tracks}
            self._send("PATCH", f"/api/jobs/{job_id}/annotations", params={"action": action}, json=body)

    def set_state(self, job_id: int, state: str) -> None:
        """Say how far the job is: "in progress" or "completed"."""
        self._send("PATCH", f"/api/jobs/{job_id}", json={"state": state})

    def _send(self, method: str, path: str, *, refuse: bool = True, **options: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            raise CvatUnreachableError(
                f"The annotation server at {self._http.base_url} does not answer ({error}).", "Is it running?"
            ) from None
        if refuse:
            _check(answer)
        return answer


def _check(answer: httpx.Response) -> None:
    if answer.is_error:
        request = answer.request
        raise CvatError(
            f"{request.method} {request.url.path} was refused with {answer.status_code}: {answer.text[:200]}"
        )
