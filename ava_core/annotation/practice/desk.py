"""A practice clip on the page for labelling: opened, saved and finished as a job is, marked in the place of handed in.

It answers as `labelling.desk.Desk` does, so the page is the same. Nothing of it goes to the annotation server: tries
lie in a table of their own, which neither agreement nor consensus nor a release reads.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ava_core.annotation.labelling.desk import State
from ava_core.annotation.practice.marking import mark, result, share
from ava_core.base.errors import InputError
from ava_core.ontology import Ontology
from ava_core.store import Store, practice
from ava_core.store.tables import DONE_STATE, PracticeClip, PracticeTry, now

Json = dict[str, Any]

BEGUN: Final = "in progress"

_one_at_a_time: defaultdict[tuple[int, str], threading.Lock] = defaultdict(threading.Lock)


class PracticeDesk:
    """One practice clip of one annotator. `ontology`: of the clip's batch.

    Raises `InputError` where the clip is not offered to this person.
    """

    def __init__(self, store: Store, clip: PracticeClip, ontology: Ontology, user_name: str) -> None:
        self.store, self.clip, self.ontology, self.user_name = store, clip, ontology, user_name
        self._lock = _one_at_a_time[clip.practice_id, user_name]

    def open(self) -> Json:
        """As a job's desk: `state`, `closed`, `tracks`, `notes`, and the remarks of a finished try as `issues`."""
        own = self._try()
        done = own.finished_at is not None
        return {
            "state": DONE_STATE if done else BEGUN,
            "closed": "You have finished this attempt. Reopen it to start over." if done else "",
            "tracks": [track | {"hash": _hash(track)} for track in own.tracks],
            "notes": self._notes(own),
            "issues": own.remarks if done else [],
        }  # fmt: skip

    def save(self, edits: Sequence[Mapping[str, Any]]) -> Json:
        """As a job's desk: what was `stored`, and `conflicts` with another tab."""
        with self._lock:
            own = self._try()
            if own.finished_at is not None:
                raise InputError("You have finished this attempt.", "Reload the page to start another.")
            tracks = {track["id"]: track for track in own.tracks}
            stored: Json = {}
            conflicts: Json = {}
            for edit in edits:
                _write(tracks, edit, stored, conflicts)
            practice.keep(self.store, own.try_id, tracks=list(tracks.values()))
        return {"stored": stored, "conflicts": conflicts, "state": BEGUN}

    def set_state(self, state: State) -> Json:
        """Finish the try, which marks it, or begin another: then the page is to be `anew`."""
        with self._lock:
            own = self._try()
            if state == DONE_STATE and own.finished_at is None:
                marks = mark(self.clip.truth, own.tracks, self.ontology, self.clip.frames)
                practice.keep(
                    self.store, own.try_id, finished_at=now(), asked=marks.asked, correct=marks.correct,
                    remarks=marks.remarks,
                )  # fmt: skip
                if standing(self.store, self.user_name).passed:
                    practice.qualify(self.store, self.user_name)
            elif state != DONE_STATE and own.finished_at is not None:
                self._begin()
                return {"state": BEGUN, "anew": True}
        return {"state": state}

    def _try(self) -> PracticeTry:
        own = practice.tries(self.store, self.user_name, self.clip.practice_id)
        return own[-1] if own else self._begin()

    def _begin(self) -> PracticeTry:
        tracks = [
            {
                "id": number, "seed": str(track["seed_track"]), "said": {},
                "keys": [[shape["frame"], *shape["box"], shape["outside"]] for shape in track["shapes"]],
            }
            for number, track in enumerate(self.clip.predrawn, start=1)
        ]  # fmt: skip
        return practice.begin(self.store, self.clip, self.user_name, tracks)

    def _notes(self, own: PracticeTry) -> list[str]:
        mark_word = f"{practice.rule(self.store).pass_mark:.0%}"
        if own.finished_at is None:
            return [
                f"This is practice; it never enters a dataset. The pass mark is {mark_word} of all practice "
                f"clips."
            ]
        what = "Your mistakes are listed below the clip." if own.remarks else "Well done."
        return [f"Practice: {result(own.asked, own.correct)}; the pass mark is {mark_word}. {what}"]


class Standing:
    """How far an annotator is with the practice set: the newest finished try of each clip, and the first ones."""

    def __init__(self, clips: Sequence[PracticeClip], tries: Sequence[PracticeTry], pass_mark: float) -> None:
        done: dict[int, list[PracticeTry]] = {clip.practice_id: [] for clip in clips}
        for one in tries:
            if one.finished_at is not None and one.practice_id in done:
                done[one.practice_id].append(one)
        self.clips, self.tries = len(clips), sum(map(len, done.values()))
        self.finished = sum(bool(own) for own in done.values())
        self.first = _share([own[0] for own in done.values() if own])
        self.newest = _share([own[-1] for own in done.values() if own])
        self.passed = bool(clips) and self.finished == self.clips and (self.newest or 0.0) >= pass_mark

    @property
    def words(self) -> str:
        """For a list of people: `2 of 3 clips, 85 % right (64 % at first)`."""
        said = f"{self.finished} of {self.clips} practice clips"
        if self.newest is None or self.first is None:
            return said
        at_first = f" ({self.first:.0%} on the first attempt)" if self.tries > self.finished else ""
        return f"{said}, {self.newest:.0%} right{at_first}"


def standing(store: Store, annotator: str) -> Standing:
    """An annotator's standing among the clips that are offered to them."""
    offered, tries = practice.offered(store, annotator), practice.tries(store, annotator)
    return Standing(offered, tries, practice.rule(store).pass_mark)


def practice_clip(store: Store, practice_id: int, annotator: str) -> PracticeClip:
    """The clip of that id, where it is offered to the annotator. Raises `InputError` otherwise."""
    for clip in practice.offered(store, annotator):
        if clip.practice_id == practice_id:
            return clip
    raise InputError(f"You have no practice clip {practice_id}.", "See your list of practice clips.")


def _share(tries: Sequence[PracticeTry]) -> float | None:
    """The share of right answers of several tries together; `None` of none."""
    return share(sum(one.asked for one in tries), sum(one.correct for one in tries)) if tries else None


def _write(tracks: dict[int, Json], edit: Mapping[str, Any], stored: Json, conflicts: Json) -> None:
    """Put one edit among the tracks, unless it was made on something that has changed since."""
    key, there = edit["key"], tracks.get(edit["id"])
    wanted = {"seed": edit.get("seed", ""), "keys": edit.get("keys", []), "said": edit.get("said", {})}
    if edit["id"] is None:  # an answer that was lost may have made it already
        same = [track for track in tracks.values() if not track["seed"] and _hash(track) == _hash(wanted)]
        there = same[0] if same else {"id": max(tracks, default=0) + 1, **wanted}
        tracks[there["id"]] = there
        stored[key] = {"id": there["id"], "hash": _hash(there)}
    elif edit.get("gone"):
        if there is not None and _hash(there) != edit["base"]:
            conflicts[key] = there | {"hash": _hash(there)}
            return
        tracks.pop(edit["id"], None)
        stored[key] = None
    elif there is None:
        conflicts[key] = None
    elif _hash(there) in (edit["base"], _hash(wanted)):
        tracks[there["id"]] = {"id": there["id"], **wanted}
        stored[key] = {"id": there["id"], "hash": _hash(wanted)}
    else:
        conflicts[key] = there | {"hash": _hash(there)}


def _hash(track: Mapping[str, Any]) -> str:
    content = [track["seed"], track["keys"], track["said"]]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]
