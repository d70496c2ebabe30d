"""Every page's address: where `main` puts it, and how links lead to it.

A constant is the address that a page is registered under, with its parts in braces; a function of the same name
gives the address of one page. Wherever a function takes a value it takes a `cell` too: then what it gives is an
address for a table's `links`, of which each row's own value becomes a part. A constant can stand there as well: its
parts are filled from the columns of the same names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from ava_core.base import console_pages
from ava_core.dataset.formats.ava import names

OVERVIEW: Final = "/"
BATCHES: Final = "/batches"
BATCH: Final = console_pages.BATCH
CLIP: Final = "/batches/{batch}/clips/{clip_id}"
RUN: Final = "/runs/{run_id}"
TASKS: Final = "/tasks"
PROGRESS: Final = "/progress"
READINGS: Final = "/readings/{batch}/{job_id}"
QUALITY: Final = "/quality"
AGREEMENT: Final = console_pages.AGREEMENT
ANNOTATORS: Final = "/quality/{batch}/annotators"
ADJUDICATION: Final = "/quality/{batch}/adjudication"
BLIND_AUDIT: Final = "/quality/{batch}/audit"
GOLD: Final = "/quality/{batch}/gold"
REVIEW: Final = "/quality/{batch}/clips/{clip_id}"
DATASET: Final = console_pages.DATASET
RELEASE: Final = console_pages.RELEASE
COMPARISON: Final = "/dataset/{release}/compare/{other}"
METRICS: Final = "/metrics"
ONTOLOGY: Final = "/ontology"
AUDIT_LOG: Final = "/audit"
SYSTEM: Final = "/system"
ACCOUNT: Final = "/account"
PEOPLE: Final = "/people"

WORK: Final = "/work"
LABEL: Final = console_pages.LABEL
PRACTISE: Final = "/work/practice/{practice_id}"

LOGIN: Final = "/login"
FIRST: Final = "/first"
LOGOUT: Final = "/logout"
WEBHOOK: Final = "/webhook"
UPLOAD: Final = "/upload/{key}"

CLIP_VIDEO: Final = "/media/clip/{batch}/{clip_id}"
KEYFRAME: Final = "/media/keyframe/{batch}/{clip_id}/{second}"
TRACKS_SHOWN: Final = "/media/tracks/{batch}/{clip_id}"
REVIEW_SHOWN: Final = "/media/review/{batch}/{clip_id}"
AUDIT_SHOWN: Final = "/media/audit/{batch}/{item_id}"
LABELLING: Final = "/labelling/{job_id}"
PRACTISING: Final = "/labelling/practice/{practice_id}"
LABELLING_SCRIPTS: Final = "/static/labelling"
EXAMPLE: Final = "/media/example/{example_id}"
CONTACT_SHEET: Final = "/media/sheet/{batch}"
RELEASE_PICTURE: Final = "/media/release/{release}/{path:path}"
RELEASE_CSV: Final = f"/download/{{release}}/{names.ALL_ROWS}"
RELEASE_ZIP: Final = "/download/{release}.zip"
RELEASE_FILE: Final = "/download/{release}/{path:path}"


class Cell(str):
    """What a row of a table has in a column, as it stands in an address for its `links`."""

    __slots__ = ()


def cell(column: str) -> Cell:
    """The value that a row has in a column."""
    return Cell("{" + column + "}")


Part = str | int
"""A value, which is quoted, or a `Cell`."""


def with_query(address: str, query: Mapping[str, Part], mark: str = "") -> str:
    """The address with what stands behind the question mark; an empty value is left out. `mark`: a part of the page."""
    asked = "&".join(f"{quote(name)}={_quoted(value)}" for name, value in query.items() if value != "")
    return address + (f"?{asked}" if asked else "") + (f"#{mark}" if mark else "")


def here(query: Mapping[str, Part], mark: str = "") -> str:
    """The page on which the link stands, with something else asked of it."""
    return with_query("", query, mark)


def batches(*, archived: bool) -> str:
    """The batches; with those in the archive where `archived` is true."""
    return with_query(BATCHES, {"archived": "yes" if archived else ""})


def batch(name: Part, mark: str = "") -> str:
    """A batch; `mark`: `videos` or `clips`."""
    return with_query(_filled(BATCH, batch=name), {}, mark)


def clip(batch: Part, clip_id: Part) -> str:
    """A clip with its tracks."""
    return _filled(CLIP, batch=batch, clip_id=clip_id)


def run(run_id: Part) -> str:
    """A run of Dagster."""
    return _filled(RUN, run_id=run_id)


def tasks(batch: Part = "") -> str:
    """Dealing out, with a batch's plan."""
    return with_query(TASKS, {"batch": batch})


def progress(batch: Part = "", *, clip: Part = "", annotator: Part = "", state: Part = "") -> str:
    """The jobs, or those of a batch, a clip, an annotator, in a state."""
    return with_query(PROGRESS, {"batch": batch, "clip": clip, "annotator": annotator, "state": state})


def example(example_id: Part, *, still: bool = False) -> str:
    """An example of an action: its loop, or its still picture."""
    return with_query(_filled(EXAMPLE, example_id=example_id), {"still": "yes" if still else ""})


def practise(practice_id: Part) -> str:
    """The page on which a practice clip is labelled."""
    return _filled(PRACTISE, practice_id=practice_id)


def practising(practice_id: Part) -> str:
    """What that page asks."""
    return _filled(PRACTISING, practice_id=practice_id)


def label(job_id: Part, *, frame: Part = "") -> str:
    """The page on which a job is labelled, at a frame."""
    return with_query(_filled(LABEL, job_id=job_id), {"frame": frame})


def labelling(job_id: Part) -> str:
    """Below it lies what that page asks of the console."""
    return _filled(LABELLING, job_id=job_id)


def readings(batch: Part, job_id: Part) -> str:
    """The versions of a job."""
    return _filled(READINGS, batch=batch, job_id=job_id)


def quality(batch: Part = "", status: Part = "") -> str:
    """The queue of clips of one batch or of all, that have a status of review."""
    return with_query(QUALITY, {"batch": batch, "status": status})


def agreement(batch: Part, query: Mapping[str, Part] | None = None, mark: str = "") -> str:
    """A batch's agreement. `query`: `statistic`, `group`, `a` and `b`, or what its tables show."""
    return with_query(_filled(AGREEMENT, batch=batch), query or {}, mark)


def annotators(batch: Part) -> str:
    """Scorecards of a batch's annotators."""
    return _filled(ANNOTATORS, batch=batch)


def adjudication(batch: Part, *, at: Part = "", clip: Part = "", named: bool = False) -> str:
    """A batch's doubtful answers, of all clips or one, with names or without; `at`: which is looked at, from 0."""
    asked = {"at": at, "clip": clip, "named": "yes" if named else ""}
    return with_query(_filled(ADJUDICATION, batch=batch), asked)


def answer(batch: Part, clip: Part, second: Part, person: Part, group: Part, *, named: bool = False) -> str:
    """One answer to adjudicate, settled or not; with names or without."""
    asked = {
        "clip": clip,
        "second": second,
        "person": person,
        "group": group,
        "named": "yes" if named else "",
    }
    return with_query(_filled(ADJUDICATION, batch=batch), asked)


def blind_audit(batch: Part, audit: Part = "") -> str:
    """A batch's blind audits; `audit`: which of them is shown."""
    return with_query(_filled(BLIND_AUDIT, batch=batch), {"audit": audit})


def gold(batch: Part) -> str:
    """A batch's gold clips."""
    return _filled(GOLD, batch=batch)


def review(batch: Part, clip_id: Part, frame: Part = "") -> str:
    """Judging a clip, at a frame."""
    return with_query(_filled(REVIEW, batch=batch, clip_id=clip_id), {"frame": frame})


def release(name: Part, mark: str = "") -> str:
    """A release; `mark`: a part of its page."""
    return with_query(_filled(RELEASE, release=name), {}, mark)


def comparison(release: Part, other: Part) -> str:
    """What changed from one release to another."""
    return _filled(COMPARISON, release=release, other=other)


def ontology(name: Part) -> str:
    """An action vocabulary, by name or by path."""
    return with_query(ONTOLOGY, {"name": name})


def login(after: Part) -> str:
    """Signing in, and where to be led then."""
    return with_query(LOGIN, {"next": after})


def clip_video(batch: Part, clip_id: Part) -> str:
    """A clip's file."""
    return _filled(CLIP_VIDEO, batch=batch, clip_id=clip_id)


def keyframe(batch: Part, clip_id: Part, second: Part) -> str:
    """The picture of a clip at a second."""
    return _filled(KEYFRAME, batch=batch, clip_id=clip_id, second=second)


def tracks_shown(batch: Part, clip_id: Part) -> str:
    """What the clip player shows of a clip's tracks."""
    return _filled(TRACKS_SHOWN, batch=batch, clip_id=clip_id)


def review_shown(batch: Part, clip_id: Part, *, named: bool = True) -> str:
    """What the clip player shows for a review, with annotators' names or without."""
    return with_query(_filled(REVIEW_SHOWN, batch=batch, clip_id=clip_id), {"named": "" if named else "no"})


def audit_shown(batch: Part, item_id: Part) -> str:
    """What the clip player shows of an item of a blind audit."""
    return _filled(AUDIT_SHOWN, batch=batch, item_id=item_id)


def contact_sheet(batch: Part) -> str:
    """All clips of a batch with their tracks, in one picture."""
    return _filled(CONTACT_SHEET, batch=batch)


def release_picture(release: Part, path: Part) -> str:
    """A picture of a release."""
    return _filled(RELEASE_PICTURE.replace(":path", ""), release=release, path=path)


def release_csv(release: Part) -> str:
    """The rows of a release, as one file."""
    return _filled(RELEASE_CSV, release=release)


def release_zip(release: Part) -> str:
    """Everything in a release."""
    return _filled(RELEASE_ZIP, release=release)


def release_file(release: Part, path: Part) -> str:
    """A file of a release."""
    return _filled(RELEASE_FILE.replace(":path", ""), release=release, path=path)


def _filled(route: str, **parts: Part) -> str:
    return route.format(**{name: _quoted(value) for name, value in parts.items()})


def _quoted(value: Part) -> str:
    return value if isinstance(value, Cell) else quote(str(value))
