"""Recordings of a real CVAT 2.73 server, and what they leave out: who called, and what is not supported here.

A recording is a list of exchanges. Secrets are redacted, and with them the names of the callers, so these are
written down below, as they follow from the answers. All recordings in the order of time are one history of one
server (the last two of a second server), which is how they are replayed.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[1] / "data"

ADMIN, WORKER, OTHER, SUPERVISOR = "admin", "annotator1", "annotator2", "annotator3"
ANONYMOUS, WRONG_PASSWORD = "", "wrong password"
FULL_TOKEN, READ_TOKEN, OLD_TOKEN, MISPLACED_TOKEN, LOGIN_KEY = "ci", "ro", "old", "ci as key", "key"

FLOWS = (
    "misc", "01_auth_users_org", "02_project_labels", "03a_task_images_tus", "03b_task_video_consensus",
    "03c_task_images_gt", "03d_task_video_plain", "03e_task_reads", "04a_annotations_direct",
    "04b_tracks_across_jobs", "04c_overlap", "05a_formats", "05b_export_cvat_video", "05c_import_cvat_xml_task",
    "05d_import_cvat_xml_replica_job", "05e_import_bad", "05f_export_images_coco", "06_jobs_assign_state",
    "07a_webhooks_create", "07b_webhook_deliveries", "08a_consensus", "08b_quality",
    "08c_quality_right_frames", "09_tokens", "10_lists_filters", "11_errors", "11b_data_bad_gt_frames",
    "11b_data_corrupt", "11b_data_mixed", "11b_data_truncated", "12_rate_limit", "13a_video_start_step",
    "13b_frames", "13c_task_status", "13d_gt_pool", "13e_consensus_img", "13f_deletes", "14_sdk273",
    "14_sdk280", "15_roles_maintainer", "16_concurrency", "17_webhook_down", "18_reupload_after_failure",
    "19_task_media_by_tus",
)  # fmt: skip
"""Every recording of requests."""

CALLERS: dict[str, dict[str, range | tuple[int, ...]]] = {
    "01_auth_users_org": {WRONG_PASSWORD: (2, 3), ANONYMOUS: (4,)},
    "06_jobs_assign_state": {WORKER: (0, 1, *range(7, 25), 26, 28, 29, 30, 31), SUPERVISOR: (25, 27)},
    "07a_webhooks_create": {WORKER: (8,)},
    "08a_consensus": {WORKER: (8,), OTHER: (6, 7)},
    "08b_quality": {WORKER: (17,)},
    "09_tokens": {
        FULL_TOKEN: (4, 5, 6, 7, 10, 12, 13, 14, 15, 16, 17),
        READ_TOKEN: (8, 9, 11, 25),
        OLD_TOKEN: (18,),
        MISPLACED_TOKEN: (19,),
        WORKER: (20,),
        LOGIN_KEY: (21, 22, 23),
    },
    "14_sdk273": {FULL_TOKEN: (27,)},
    "14_sdk280": {FULL_TOKEN: (27,)},
    "15_roles_maintainer": {OTHER: range(1, 10), WORKER: (11, 12, 15)},
}
"""Who called: everybody else was the administrator."""

ACCEPT = {("11_errors", 6): "application/xml", ("11_errors", 8): "application/vnd.cvat+json; version=99.0"}
"""The `Accept` headers that mattered; they were not recorded."""


@dataclass(frozen=True)
class Unsupported:
    """Exchanges that the embedded server refuses on purpose: it answers one of `statuses`, and never else."""

    reason: str
    path: str
    """Regular expression that the whole path matches, without `/api`."""
    method: str = "GET|POST|PATCH|PUT|DELETE"
    body: str = ""
    """Regular expression that is found in the request's JSON."""
    statuses: tuple[int, ...] = (404, 405)


UNSUPPORTED = (
    Unsupported("annotations leave by the API alone", r"/(tasks|jobs)/\d+/dataset/(export|download)"),
    Unsupported("annotations come by the API alone", r"/server/annotation/formats"),
    Unsupported("annotations come by the API alone", r"/(tasks|jobs)/\d+/annotations/", "POST"),
    Unsupported("annotations come by the API alone", r"/(tasks|jobs)/\d+/annotations/1_[-0-9a-f]+", "PATCH"),
    Unsupported("only the creation of a task is a request", r"/requests/action%3D(?!create).*", "GET"),
    Unsupported("CVAT's merge loses tracks: consensus is made by the platform", r"/consensus/.*"),
    Unsupported("quality is measured by the platform", r"/quality/.*"),
    Unsupported("no ground-truth jobs", r"/tasks/\d+/validation_layout"),
    Unsupported("no ground-truth jobs", r"/jobs", "POST"),
    Unsupported("no ground-truth jobs", r"/jobs/(13|15)(/.*)?"),
    Unsupported("no ground-truth jobs", r"/tasks/\d+/data/", "POST", r'"validation_params"', (501,)),
)
"""All that a real CVAT has and the embedded server has not."""

BROUGHT_ABOUT: dict[tuple[str, int], tuple[tuple[str, int], ...]] = {
    ("05c_import_cvat_xml_task", 4): (("05c_import_cvat_xml_task", 8), ("05c_import_cvat_xml_task", 11)),
    ("05d_import_cvat_xml_replica_job", 31): (("05d_import_cvat_xml_replica_job", 34),),
    ("08a_consensus", 9): (("08a_consensus", 12), ("08a_consensus", 13)),
    ("13a_video_start_step", 21): (("13a_video_start_step", 24),),
}
"""What a refused request had brought about on the recorded server, as later readings show it.

It is written by other means, so that the rest of the history goes on from the same state. A refused upload is
made again without its ground truth.
"""

UNREPEATABLE = {
    ("12_rate_limit", 3): "no limit of calls a minute on one's own machine",
    ("05a_formats", 0): "an accident of the recorded server",
    ("10_lists_filters", 6): "a list of ground-truth jobs",
    ("10_lists_filters", 40): "a list of requests that are refused here",
    ("17_webhook_down", 3): "a list with deliveries of CVAT's merge",
    ("11b_data_bad_gt_frames", 4): "no ground truth to get wrong",
    ("11b_data_bad_gt_frames", 5): "no ground truth to get wrong",
}
"""Exchanges that are left out."""

SHAPE_ALONE = {
    "the server says its own name": r"GET /api/server/about",
    "deliveries go out at once and end in any order": r"GET /api/webhooks/\d+/deliveries.*",
    "honeypots would repeat frames": r"GET /api/tasks/13",
}
"""Exchanges whose values are not compared, by what their text (`str(exchange)`) ends with."""


@dataclass(frozen=True)
class Exchange:
    """One recorded request with its answer."""

    flow: str
    number: int
    time: float
    """When it was answered, in seconds since 1970."""
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    """Those of uploads and of the organisation, and the media type."""
    request: Any
    """The request's JSON, its length and maybe `text` for other content, or `None`."""
    status: int
    content_type: str
    answer: Any
    """JSON; `None` for other content."""

    def __str__(self) -> str:
        query = "?" + "&".join(f"{name}={value}" for name, value in self.query.items()) if self.query else ""
        return f"{self.flow}#{self.number} {self.method} {self.path}{query}"

    @property
    def caller(self) -> str:
        """Who called: an account's name, or one of the other constants of this module."""
        for name, numbers in CALLERS.get(self.flow, {}).items():
            if self.number in numbers:
                return name
        return ADMIN

    @property
    def unsupported(self) -> Unsupported | None:
        """Why the embedded server refuses this, if it does."""
        body = json.dumps(self.request)
        for one in UNSUPPORTED:
            if (
                re.fullmatch(one.path, self.path.removeprefix("/api"))
                and re.fullmatch(one.method, self.method)
                and re.search(one.body, body)
            ):
                return one
        return None

    @property
    def by_shape(self) -> bool:
        """Whether the values in the answer may differ: listed ones, and requests that were still running."""
        text = str(self).split(" ", 1)[1]
        is_running = "/requests/" in self.path and self.answer["status"] in ("queued", "started")
        return is_running or any(re.fullmatch(pattern, text) for pattern in SHAPE_ALONE.values())

    @property
    def is_json(self) -> bool:
        """Whether the answer is JSON."""
        return self.content_type.endswith("json")


@dataclass(frozen=True)
class Delivery:
    """A webhook's delivery as it came."""

    path: str
    signature: str
    """The header `X-Signature-256`."""
    content_type: str
    signed: bool
    """Whether the signature was found to be right when it came, with the secret that the tests use."""
    whole: bool
    """Whether the body's text can be had back from `body` to the byte."""
    body: dict[str, Any]


def read_recordings() -> list[Exchange]:
    """All exchanges of `FLOWS`, in the order of time."""
    return [Exchange(**one) for one in _lines("cvat_exchanges.jsonl.gz")]


def read_deliveries() -> list[Delivery]:
    """What the server sent to its webhooks in the same history."""
    return [Delivery(**one) for one in _lines("cvat_deliveries.jsonl.gz")]


def _lines(name: str) -> Iterator[dict[str, Any]]:
    with gzip.open(DATA / name, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)
