"""What an annotator may ask of the console: own work. All else is closed, whatever is added to it later."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

from sqlalchemy import select

from ava_core.store import Store, practice
from ava_core.store.tables import ActionExample, Job, User
from ava_ui import addresses

OPEN: Final = frozenset({addresses.WORK, addresses.LOGIN, addresses.LOGOUT, "/favicon.ico"})
BELOW: Final = (
    *(route.partition("{")[0] for route in (addresses.LABEL, addresses.LABELLING)),
    f"{addresses.LABELLING_SCRIPTS}/", "/_nicegui",
)  # fmt: skip
"""Jobs, which the annotation server guards by account, and what pages are made of."""

_EXAMPLE: Final = re.compile(re.escape(addresses.EXAMPLE.partition("{")[0]) + r"(\d{1,9})")
_CLIP: Final = re.compile(re.escape(addresses.CLIP_VIDEO.partition("{")[0]) + r"([^/]+)/([^/]+)")


def may_see(store: Store, user: User, path: str) -> bool:
    """Whether a path is of the annotator's own work: the list, jobs, and the clips of those."""
    if path in OPEN or path.startswith(BELOW):
        return True
    if example := _EXAMPLE.fullmatch(path):
        return _may_see_example(store, user.username, int(example[1]))
    found = _CLIP.fullmatch(path)
    return found is not None and _has_clip(store, user.username, unquote(found[1]), unquote(found[2]))


def _may_see_example(store: Store, annotator: str, example_id: int) -> bool:
    """Whether an example exists, and is of no clip of theirs: there it would tell an answer."""
    with store.session() as session:
        found = session.get(ActionExample, example_id)
    return found is not None and not _has_job(store, annotator, found.batch, found.clip_id)


def _has_clip(store: Store, annotator: str, batch: str, clip_id: str) -> bool:
    """Whether a clip is theirs to label, in a job or to practise."""
    if _has_job(store, annotator, batch, clip_id):
        return True
    return any((one.batch, one.clip_id) == (batch, clip_id) for one in practice.offered(store, annotator))


def _has_job(store: Store, annotator: str, batch: str, clip_id: str) -> bool:
    wanted = select(Job.job_id).where(Job.batch == batch, Job.clip_id == clip_id, Job.annotator == annotator)
    with store.session() as session:
        return session.scalar(wanted.limit(1)) is not None
