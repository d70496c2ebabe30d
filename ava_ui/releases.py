"""Releases as they lie in storage."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from upath import UPath

from ava_core.errors import InputError
from ava_core.storage import Storage

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")


@dataclass(frozen=True)
class ReleaseInfo:
    """A release: its name, when it was made, and its record (`release.json`)."""

    name: str
    made_at: datetime
    record: dict[str, Any]


def releases(storage: Storage) -> list[ReleaseInfo]:
    """All releases, newest first."""
    root = storage.path("releases")
    found = [path for path in root.iterdir() if _NAME.fullmatch(path.name)] if root.exists() else []
    infos = [_info(path) for path in found if (path / "release.json").exists()]
    return sorted(infos, key=lambda info: info.made_at, reverse=True)


def release_folder(storage: Storage, name: str) -> UPath:
    """The folder of a release. Raises `InputError` where there is none of that name."""
    folder = storage.path("releases", name)
    if not _NAME.fullmatch(name) or not (folder / "release.json").exists():
        raise InputError(f"There is no release {name!r}.", "The dataset page lists them.")
    return folder


def _info(path: UPath) -> ReleaseInfo:
    record = path / "release.json"
    made = datetime.fromtimestamp(record.stat().st_mtime, UTC)
    return ReleaseInfo(path.name, made, json.loads(record.read_text("utf-8")))
