"""The events that webhooks listen to, by the groups in which CVAT lists them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ava_core.annotation_server.state import Document

ALL: Final = ("create", "update", "delete")
COMPLETED: Final = {
    "Dataset export": ("export:annotations", "export:dataset"),
    "Backup export": ("export:backup",),
    "Task data creation": ("create:task",),
    "Consensus merge": ("merge:job", "merge:task"),
    "Quality report creation": ("calculate:quality",),
}
"""Long requests of CVAT. A webhook may ask for their end; the embedded server tells of none."""
WITHIN_PROJECT: Final = {"Task": ALL, "Job": ALL, "Issue": ALL, "Comment": ALL}
OF_PROJECT: Final = {"Project": ("update", "delete")}
OF_ORGANISATION: Final = {
    "Organization": ("update",),
    "Invitation": ("create", "delete"),
    "Membership": ALL,
}


def listed(webhook_type: str) -> list[Document]:
    """The events of a webhook's type, `project` or `organization`, as CVAT lists them."""
    if webhook_type == "organization":
        return [*_of({"Project": ALL}), *_of(WITHIN_PROJECT), *_of(OF_ORGANISATION), *_completed()]
    return [*_of(WITHIN_PROJECT), *_completed(), *_of(OF_PROJECT)]


def _of(groups: Mapping[str, tuple[str, ...]]) -> list[Document]:
    return [_event(group, f"{verb}:{group.lower()}") for group, verbs in groups.items() for verb in verbs]


def _completed() -> list[Document]:
    return [
        _event(group, f"completed:request[{kind}]") for group, kinds in COMPLETED.items() for kind in kinds
    ]


def _event(group: str, key: str) -> Document:
    return {"key": key, "group": {"display_name": group}}


KNOWN: Final = frozenset(event["key"] for kind in ("project", "organization") for event in listed(kind))
"""Every event that a webhook may name."""
