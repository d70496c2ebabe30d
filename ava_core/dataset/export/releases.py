"""Releases as they lie in storage: which there are, and their files by path."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from upath import UPath

from ava_core.base.errors import InputError
from ava_core.base.names import NAME
from ava_core.base.storage import Storage, changed_at
from ava_core.dataset.formats.ava import names

KEPT: Final = 1000
"""Records that are kept: releases never change."""


@dataclass(frozen=True)
class ReleaseInfo:
    """A release: its name, when it was made, and its record (`release.json`)."""

    name: str
    made_at: datetime
    record: dict[str, Any]

    @property
    def actor(self) -> str:
        """Who asked for it; "" where it was a command."""
        return str(self.record.get("options", {}).get("actor", ""))


def releases(storage: Storage) -> list[ReleaseInfo]:
    """All releases, newest first."""
    root = storage.path("releases")
    found = [path for path in root.iterdir() if NAME.fullmatch(path.name)] if root.exists() else []
    changes = [(path, changed_at(path / names.RECORD)) for path in found]
    infos = [_info(path, changed) for path, changed in changes if changed is not None]
    return sorted(infos, key=lambda info: (info.made_at, info.name), reverse=True)


def release_info(storage: Storage, name: str) -> ReleaseInfo:
    """One release. Raises `InputError` where there is none of that name."""
    folder = release_folder(storage, name)
    return _info(folder, changed_at(folder / names.RECORD) or 0.0)


def release_folder(storage: Storage, name: str) -> UPath:
    """The folder of a release. Raises `InputError` where there is none of that name."""
    folder = storage.path("releases", name)
    if not NAME.fullmatch(name) or not (folder / names.RECORD).exists():
        raise InputError(f"There is no release {name!r}.", "See the Dataset page.")
    return folder


def release_file(storage: Storage, name: str, path: str) -> UPath:
    """A file in a release. Raises `InputError` for a path that leaves it, or where nothing lies."""
    folder = release_folder(storage, name)
    parts = path.split("/")
    found = folder.joinpath(*parts)
    within = all(part not in ("", ".", "..") and "\\" not in part and "\0" not in part for part in parts)
    if within and storage.is_local:
        within = storage.local(found).resolve().is_relative_to(storage.local(folder).resolve())
    if not within or not found.is_file():
        raise InputError(f"Release {name} has no file {path!r}.", "See the release's page.")
    return found


def name_problem(storage: Storage, name: str) -> str | None:
    """What is wrong with a name for a new release, and what to do; `None` where it can be used."""
    if not NAME.fullmatch(name):
        return "Begin with a letter or digit; then letters, digits, '_', '.', '-', at most 63."
    if storage.path("releases", name).exists():
        return f"{name} already exists, and releases never change. Choose another name."
    return None


@lru_cache(maxsize=KEPT)
def _info(folder: UPath, changed: float) -> ReleaseInfo:
    record = json.loads((folder / names.RECORD).read_text("utf-8"))
    said = record.get("made_at")
    made_at = datetime.fromisoformat(said) if said else datetime.fromtimestamp(changed, UTC)
    return ReleaseInfo(folder.name, made_at.astimezone(UTC), record)
