"""A job on the page for labelling: opened, saved track by track, finished; all as the person whose job it is.

Saving may be repeated without harm: a track that the server has already as it is wanted is left alone, and one that
somebody changed meanwhile, in another tab or on the server's own page, is never written over: it is given back as a
conflict. Only who holds a job may open it, and nobody learns whose another job is.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from ava_core.annotation.forms import form_of
from ava_core.annotation.gateway import CvatGateway, ProjectInfo
from ava_core.annotation.labelling.sheet import api_track, sheet_track, track_hash
from ava_core.annotation.session import CvatMissingError
from ava_core.base.errors import CvatError, InputError, UnreadableJobError
from ava_core.ontology import Ontology
from ava_core.store import Store, tasks
from ava_core.store.tables import DONE_STATE, Job

Json = dict[str, Any]

STAGE: Final = "annotation"
BEGUN: Final = "in progress"
State = Literal["in progress", "completed"]

_one_at_a_time: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)


class Desk:
    """One job of one person, whose `user_name` it is. `gateway`: a session of theirs; `ontology`: of the job's batch.

    Raises `InputError` where the job is not this person's to label.
    """

    def __init__(
        self, gateway: CvatGateway, store: Store, job: Job, ontology: Ontology, user_name: str
    ) -> None:
        self.gateway, self.job, self.ontology, self.user_name = gateway, job, ontology, user_name
        self.store = store
        try:
            self.seen = gateway.job(job.job_id)
        except CvatMissingError:
            raise _gone(job.job_id) from None
        except CvatError as error:
            if "does not allow" in error.message:
                raise _not_yours(job.job_id) from None
            raise
        assignee = self.seen.get("assignee") or {}
        if assignee.get("username") != user_name:
            raise _not_yours(job.job_id)
        self.form: ProjectInfo = form_of(store, gateway, tasks.project_of(store, job.task_id))
        self.predrawn = tasks.predrawn(store, [job.job_id])[job.job_id]
        self._names = {number: name for name, number in self.form.specs.items()}

    def open(self) -> Json:
        """What the page shows: `state`, `closed` (a sentence where nothing may be changed), `tracks`, `notes`
        (sentences about what is left alone), `issues` (`frame`, `said`) that are open."""
        content = self.gateway.annotations(self.job.job_id)
        shown, notes = [], []
        for track in content["tracks"]:
            if not track["shapes"]:
                notes.append(f"Track {track['id']} has no box, so it is not changed.")
                continue
            try:
                shown.append({"id": track["id"], **self._sheet(track)})
            except UnreadableJobError as error:
                notes.append(f"Track {track['id']} is not changed: {error.message} {error.cure}")
        if self.predrawn and not content["tracks"]:
            notes.append(
                "All tracks of this job were deleted on the annotation server. If you did not do that, tell "
                "an admin."
            )
        if content["shapes"] or content["tags"]:
            notes.append("Boxes and tags without a track are not changed; fix them in CVAT.")
        return {
            "state": self.seen["state"], "closed": self._closed(), "tracks": shown, "notes": notes,
            "issues": self.gateway.open_issues(self.job.job_id),
        }  # fmt: skip

    def following(self) -> Job | None:
        """The job that this person labels next, if there is one.

        What they finished a moment ago the platform may not know of yet, so the server is asked.
        """
        for job in tasks.next_jobs(self.store, self.user_name, self.job.job_id):
            try:
                now = self.gateway.job(job.job_id)
            except CvatError:
                continue  # gone, or somebody else's meanwhile
            if now["state"] != DONE_STATE and (now.get("assignee") or {}).get("username") == self.user_name:
                return job
        return None

    def save(self, edits: Sequence[Mapping[str, Any]]) -> Json:
        """Store tracks as the page has them.

        An edit: `key` (the page's own name of the track), `id` (`None`: a new one), `base` (hash of what the page
        began with), and either `gone` or `seed`, `keys`, `said`. Returns `stored` (by key: `id` and `hash`, `None`
        of what is gone) and `conflicts` (by key: the server's track as `open` gives it, `None` where it was removed).
        """
        if closed := self._closed():
            raise InputError(closed, "Your later changes are kept in this browser.")
        with _one_at_a_time[self.job.job_id]:
            now = self.gateway.annotations(self.job.job_id)["tracks"]
            result = self._write({track["id"]: track for track in now}, edits)
            if self.seen["state"] == "new" and result["stored"]:
                self.seen = self.gateway.set_job(self.job.job_id, state=BEGUN)
        return result | {"state": self.seen["state"]}

    def set_state(self, state: State) -> Json:
        """Finish the job, or take it up again; the same again changes nothing."""
        if self.seen["stage"] != STAGE:
            raise InputError(self._closed(), "Continue with another job.")
        if self.seen["state"] != state:
            self.seen = self.gateway.set_job(self.job.job_id, state=state)
        return {"state": self.seen["state"]}

    def _closed(self) -> str:
        if self.seen["stage"] != STAGE:
            return "This job is already in review."
        if self.seen["state"] == DONE_STATE:
            return "You have finished this job. Reopen it to make changes."
        return ""

    def _sheet(self, track: Mapping[str, Any]) -> Json:
        return sheet_track(track, self.ontology, self._names, self.form.label_id)

    def _hash(self, track: Mapping[str, Any]) -> str:
        return track_hash(track, self._names, self.form.label_id)

    def _write(self, now: Mapping[int, Json], edits: Sequence[Mapping[str, Any]]) -> Json:
        stored: dict[str, Any] = {}
        conflicts: dict[str, Any] = {}
        calls: dict[str, list[tuple[str, Json]]] = {"delete": [], "update": [], "create": []}
        taken = {edit["id"] for edit in edits}
        for edit in edits:
            key, there = edit["key"], now.get(edit["id"])
            if edit.get("gone"):
                if there is None:
                    stored[key] = None
                elif self._hash(there) == edit["base"]:
                    calls["delete"].append((key, there))
                else:
                    conflicts[key] = self._theirs(there)
                continue
            track = api_track(edit, self.ontology, self.form.specs, self.form.label_id, there)
            wanted = self._hash(_filled(track))
            if edit["id"] is None:  # an answer that was lost may have made it already
                there = next((t for n, t in now.items() if n not in taken and self._hash(t) == wanted), None)
                if there is None:
                    calls["create"].append((key, track))
                    continue
            if there is None:
                conflicts[key] = None
            elif self._hash(there) == wanted:
                taken.add(there["id"])
                stored[key] = {"id": there["id"], "hash": wanted}
            elif self._hash(there) == edit["base"]:
                calls["update"].append((key, track | {"id": there["id"]}))
            else:
                conflicts[key] = self._theirs(there)
        for action, given in calls.items():
            if given:
                answer = self._patched(action, [track for _, track in given])
                for (key, _), track in zip(given, answer, strict=True):
                    gone = action == "delete"
                    stored[key] = None if gone else {"id": track["id"], "hash": self._hash(_filled(track))}
        return {"stored": stored, "conflicts": conflicts}

    def _patched(self, action: str, given: Sequence[Json]) -> list[Json]:
        try:
            return self.gateway.patch_tracks(self.job.job_id, action, given)
        except CvatError as error:
            if "spec_id" in error.message or "label_id" in error.message:
                raise CvatError(
                    "The project's labels were changed on the annotation server, so it rejects answers in "
                    "the old form.",
                    "Ask an admin to restore the labels (Progress page); your work is kept in this browser.",
                ) from None
            raise

    def _theirs(self, track: Mapping[str, Any]) -> Json:
        return {"id": track["id"], **self._sheet(track)}


def job_of(store: Store, job_id: int) -> Job:
    """The job of that id, if the platform dealt it out. Raises `InputError` otherwise."""
    job = tasks.find_job(store, job_id)
    if job is None:
        raise _not_yours(job_id)
    return job


def _filled(track: Mapping[str, Any]) -> Json:
    """A track that was just written in the form in which hashes are taken: keyframes in order."""
    return {**track, "shapes": sorted(track["shapes"], key=lambda shape: int(shape["frame"]))}


def _gone(job_id: int) -> InputError:
    return InputError(f"Job {job_id} was deleted on the annotation server.", "Continue with another job.")


def _not_yours(job_id: int) -> InputError:
    # The same whether it is somebody else's or does not exist: nobody learns of others' work.
    return InputError(f"Job {job_id} is not yours.", "See your list of jobs.")
