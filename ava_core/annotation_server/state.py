"""Everything the server knows: documents in memory, written through to SQLite, and media files beside it.

A few thousand tasks are small; annotations, which are large, stay in SQLite and are read when asked for.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ava_core.annotation_server.options import Options

Document = dict[str, Any]

LOOKED_UP: Final = {
    "user": ("username",),
    "session": ("key", "user"),
    "token": ("key", "user"),
    "access_token": ("key", "user"),
    "membership": ("user",),
    "label": ("project_id", "task_id"),
    "task": ("project_id",),
    "job": ("task_id",),
    "issue": ("job",),
    "comment": ("issue",),
    "delivery": ("webhook_id",),
}
"""Fields that never change and by which documents are found without looking at all of a kind."""


def timestamp() -> str:
    """Now, as CVAT writes it."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class State:
    """Documents by kind and id. Hold `lock` around whatever reads and then writes."""

    def __init__(self, home: Path, options: Options = Options()) -> None:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.options = options
        self.media = home / "media"
        self.lock = threading.RLock()
        self.uploads: dict[str, Document] = {}
        """Resumable uploads that have begun, by id: task, file name, length in bytes."""
        self.closed = False
        self.timers: set[threading.Timer] = set()
        """What is to be done later; given up when the state is closed."""
        self.requests: dict[str, Document] = {}
        """Long requests by id; they are forgotten with the process, as CVAT forgets them after minutes."""
        self._database = sqlite3.connect(home / "cvat.db", check_same_thread=False, isolation_level=None)
        self._database.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
            "CREATE TABLE IF NOT EXISTS documents(kind TEXT, id INTEGER, body TEXT, PRIMARY KEY(kind, id));"
            "CREATE TABLE IF NOT EXISTS annotations(job_id INTEGER PRIMARY KEY, body TEXT);"
            "CREATE TABLE IF NOT EXISTS counters(name TEXT PRIMARY KEY, value INTEGER);"
        )
        self._kinds: dict[str, dict[int, Document]] = {}
        self._found: dict[tuple[str, str, Any], dict[int, Document]] = {}
        for kind, body in self._database.execute("SELECT kind, body FROM documents ORDER BY id"):
            self._remember(kind, json.loads(body))

    def new_id(self, counter: str, count: int = 1) -> int:
        """The first of `count` numbers that were never given before."""
        with self.lock:
            row = self._database.execute(
                "INSERT INTO counters VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET value = value + ? RETURNING value",
                (counter, count, count),
            ).fetchone()
            return int(row[0]) - count + 1

    def add(self, kind: str, **content: Any) -> Document:
        """Keep a new document; it gets an id and its dates."""
        now = timestamp()
        document = {"id": self.new_id(kind), "created_date": now, "updated_date": now} | content
        self.put(kind, document)
        return document

    def put(self, kind: str, document: Document) -> None:
        """Write a document."""
        with self.lock:
            self._remember(kind, document)
            self._database.execute(
                "INSERT OR REPLACE INTO documents VALUES(?, ?, ?)",
                (kind, document["id"], json.dumps(document)),
            )

    def touch(self, kind: str, document: Document) -> None:
        """Write a document with a new date of change."""
        document["updated_date"] = timestamp()
        self.put(kind, document)

    def get(self, kind: str, number: int | None) -> Document | None:
        """A document, or `None`."""
        return self._kinds.get(kind, {}).get(number) if number is not None else None

    def all(self, kind: str) -> list[Document]:
        """All documents of a kind, newest first."""
        with self.lock:
            return list(reversed(self._kinds.get(kind, {}).values()))

    def find(self, kind: str, **equal: Any) -> Iterator[Document]:
        """Documents whose fields equal the given ones, newest first."""
        index = next((name for name in LOOKED_UP.get(kind, ()) if name in equal), None)
        if index is None:
            candidates = self.all(kind)
        else:
            with self.lock:
                candidates = list(reversed(self._found.get((kind, index, equal[index]), {}).values()))
        return (d for d in candidates if all(d.get(name) == value for name, value in equal.items()))

    def remove(self, kind: str, number: int) -> None:
        """Forget a document."""
        with self.lock:
            document = self._kinds.get(kind, {}).pop(number, {})
            for name in LOOKED_UP.get(kind, ()):
                place = (kind, name, document.get(name))
                if place in self._found:
                    self._found[place].pop(number, None)
                    if not self._found[place]:
                        del self._found[place]
            self._database.execute("DELETE FROM documents WHERE kind = ? AND id = ?", (kind, number))

    def annotations(self, job_id: int) -> Document:
        """A job's annotations as stored."""
        with self.lock:
            row = self._database.execute(
                "SELECT body FROM annotations WHERE job_id = ?", (job_id,)
            ).fetchone()
        return json.loads(row[0]) if row else {"tags": [], "shapes": [], "tracks": []}

    def put_annotations(self, job_id: int, content: Document) -> None:
        """Replace a job's annotations."""
        with self.lock:
            self._database.execute(
                "INSERT OR REPLACE INTO annotations VALUES(?, ?)", (job_id, json.dumps(content))
            )

    def remove_annotations(self, job_id: int) -> None:
        """Forget a job's annotations."""
        with self.lock:
            self._database.execute("DELETE FROM annotations WHERE job_id = ?", (job_id,))

    def _remember(self, kind: str, document: Document) -> None:
        self._kinds.setdefault(kind, {})[document["id"]] = document
        for name in LOOKED_UP.get(kind, ()):
            self._found.setdefault((kind, name, document.get(name)), {})[document["id"]] = document

    def close(self) -> None:
        """Give up what waits, and close the database."""
        with self.lock:
            self.closed = True
            for timer in list(self.timers):
                timer.cancel()
            self._database.close()
