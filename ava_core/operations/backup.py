"""Backup and restore: what belongs together lies in one folder, with a checksum of everything.

A backup holds the database as SQLite (whatever the platform's is), all files, and the embedded annotation server's
folder. The database is copied first, at one moment: a file that is newer than the log is made again or is no part of
anything yet, while a log that is newer than its files would name what is not there.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ava_core.base.errors import InputError, StoreError
from ava_core.base.progress import ProgressSink, ignore_progress
from ava_core.base.settings import Settings
from ava_core.base.storage import Storage
from ava_core.operations.moving import copy_files, copy_tables, differing, sha256_of
from ava_core.store import audit_log, open_store

RECORD: Final = "backup.json"
"""Written last of all: a folder without it is no backup (yet)."""
DATABASE, FILES, SERVER = "database.db", "storage", "cvat"
SERVER_DATABASE: Final = "cvat.db"


@dataclass(frozen=True)
class Part:
    """Something that belongs to a backup: its name, where it lies, and why it comes at its place in the order."""

    name: str
    where: str
    why: str


@dataclass(frozen=True)
class Copied:
    """What was copied: rows by table, and how many files."""

    rows: Mapping[str, int]
    files: int


def parts(settings: Settings, shown_database: str) -> list[Part]:
    """What belongs together, in the order in which it is copied and put back; the password is not shown."""
    found = [
        Part("database", shown_database, "First: its log refers to files, and all of them must exist."),
        Part(
            "files",
            settings.resolved_storage_url,
            "Second: files newer than the log do no harm.",
        ),
    ]
    if settings.cvat_is_embedded:
        where = str(settings.home_dir / "cvat")
        found.append(Part("annotation server", where, "Last: work done in the meantime is read later."))
    else:
        where = settings.resolved_cvat_url
        found.append(Part("CVAT", where, "Not included: back up CVAT with its own tools at the same time."))
    found.append(
        Part(
            "Dagster",
            str(settings.dagster_home),
            "Not needed: you lose the history of runs, but the graph still works.",
        )
    )
    return found


def back_up(settings: Settings, folder: Path, actor: str, sink: ProgressSink = ignore_progress) -> Copied:
    """Copy everything into a new or an unfinished folder. Raises `InputError` where there is a backup already."""
    if (folder / RECORD).exists():
        raise InputError(f"{folder} already contains a backup.", "Give a new folder.")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DATABASE).unlink(missing_ok=True)
    source = open_store(settings)
    copy = open_store(_database(folder))
    try:
        rows = copy_tables(source, copy)
    finally:
        copy.close()
    sums = copy_files(Storage(settings.resolved_storage_url), Storage(folder / FILES), sink)
    if settings.cvat_is_embedded:
        _copy_server(settings.home_dir / "cvat", folder / SERVER)
    about: dict[str, Any] = {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"), "rows": rows, "files": sums,
        "database": sha256_of(Storage(folder).path(DATABASE)),
    }  # fmt: skip
    (folder / RECORD).write_text(json.dumps(about, indent=2) + "\n", "utf-8")
    audit_log.note(source, actor, "back up", str(folder)[:200], files=len(sums))
    return Copied(rows, len(sums))


def restore(settings: Settings, folder: Path, actor: str, sink: ProgressSink = ignore_progress) -> Copied:
    """Put a backup back into an empty platform.

    Raises `InputError` where the folder is no backup or damaged, `StoreError` where the platform is not empty.
    """
    if not (folder / RECORD).exists():
        raise InputError(
            f"{folder} is not a backup: it has no {RECORD}.", "Give the folder that `ava backup` made."
        )
    about = json.loads((folder / RECORD).read_text("utf-8"))
    kept = Storage(folder / FILES)
    said = differing(kept, about["files"])
    if sha256_of(Storage(folder).path(DATABASE)) != about["database"]:
        said.insert(0, f"{DATABASE} has different content")
    if said:
        raise InputError(f"The backup {folder} is damaged: {said[0]}.", "Use another backup.")
    server = settings.home_dir / "cvat"
    if (folder / SERVER).exists() and (server / SERVER_DATABASE).exists():
        raise StoreError(
            f"{server} already contains an annotation server.", "Restore into an empty AVA_HOME."
        )
    target, copy = open_store(settings), open_store(_database(folder))
    try:
        rows = copy_tables(copy, target)
    finally:
        copy.close()
    sums = copy_files(kept, Storage(settings.resolved_storage_url), sink)
    if (folder / SERVER).exists():
        _copy_server(folder / SERVER, server)
    audit_log.note(target, actor, "restore", str(folder)[:200], made_at=about["made_at"])
    return Copied(rows, len(sums))


def _database(folder: Path) -> str:
    return f"sqlite:///{(folder / DATABASE).absolute()}"


def _copy_server(source: Path, target: Path) -> None:
    """The embedded annotation server's folder; its database as it is at one moment, whoever writes in it."""
    if not source.exists():
        return
    shutil.copytree(
        source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns(f"{SERVER_DATABASE}*", "*.lock")
    )
    if (source / SERVER_DATABASE).exists():
        with (
            closing(sqlite3.connect(source / SERVER_DATABASE)) as read,
            closing(sqlite3.connect(target / SERVER_DATABASE)) as write,
        ):
            read.backup(write)
