"""Taking a platform's state to another database and storage: tables with their ids, files with their checksums."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import sqlalchemy as sa
from upath import UPath

from ava_core.base.errors import InputError, StoreError
from ava_core.base.progress import Progress, ProgressSink, ignore_progress
from ava_core.base.storage import Storage
from ava_core.store import Store
from ava_core.store.tables import Base

ROWS_AT_ONCE: Final = 2000
FILES_AT_ONCE: Final = 8
"""Files that are copied side by side: most of it is waiting."""
CHUNK: Final = 1 << 20
"""Bytes that are copied at a time."""

UNFINISHED: Final = ".part"
"""In names of files that are being written: nobody's yet."""


def copy_tables(source: Store, target: Store) -> dict[str, int]:
    """Copy all rows, as they are at one moment, into an empty database; returns the rows of each table.

    Ids stay, and what is added later gets new ones. All or nothing. Raises `StoreError` where the target is not empty.
    """
    with target.engine.begin() as into:
        for table in Base.metadata.sorted_tables:
            if into.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first():
                raise StoreError(f"The target database already has {table.name}.", "Use an empty database.")
        copied = {}
        with source.snapshot() as session:
            for table in Base.metadata.sorted_tables:
                rows = session.execute(sa.select(table).execution_options(yield_per=ROWS_AT_ONCE)).mappings()
                copied[table.name] = 0
                for some in rows.partitions(ROWS_AT_ONCE):
                    into.execute(table.insert(), [dict(row) for row in some])
                    copied[table.name] += len(some)
        _set_sequences(into)
    return copied


def _set_sequences(into: sa.Connection) -> None:
    """PostgreSQL numbers by sequences, which know nothing of rows that came with their numbers."""
    if into.dialect.name != "postgresql":
        return
    for table in Base.metadata.sorted_tables:
        column = table.autoincrement_column
        if column is None:
            continue
        sequence = into.scalar(sa.func.pg_get_serial_sequence(table.name, column.name))
        newest = into.scalar(sa.select(sa.func.max(column)))
        if sequence and newest is not None:
            into.execute(sa.select(sa.func.setval(sequence, newest)))


def copy_files(source: Storage, target: Storage, sink: ProgressSink = ignore_progress) -> dict[str, str]:
    """Copy every file; returns the SHA-256 of each by its path below the root.

    Files that the target has already with the same content stay, so that a copy that was cut short is gone on with.
    Raises `InputError` naming the first file that did not arrive as it was.
    """
    found = dict(files_of(source))
    progress = Progress("copy files", len(found), "files", sink)

    def one(name: str) -> str:
        there, new = target.path(*name.split("/")), found[name]
        digest = sha256_of(new)
        if not there.exists() or sha256_of(there) != digest:
            with target.writing(there) as temporary, new.open("rb") as read, temporary.open("wb") as write:
                while chunk := read.read(CHUNK):
                    write.write(chunk)
            if sha256_of(there) != digest:
                raise InputError(
                    f"{name} is not in {target.root} what it is in {source.root}.", "Copy it again."
                )
        progress.advance()
        return digest

    with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
        sums = dict(zip(found, pool.map(one, found), strict=True))
    progress.finish()
    return sums


def files_of(storage: Storage) -> Iterator[tuple[str, UPath]]:
    """Every file that is finished, by its path below the root, in order."""
    if not storage.root.exists():
        return
    found = {
        path.relative_to(storage.root).as_posix(): path for path in storage.root.rglob("*") if path.is_file()
    }
    yield from sorted((name, path) for name, path in found.items() if UNFINISHED not in path.name)


def sha256_of(path: UPath) -> str:
    """SHA-256 of a file, wherever it lies."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def differing(storage: Storage, sums: Mapping[str, Any]) -> list[str]:
    """Files that are missing or have another content than `sums` says, in sentences."""
    found = dict(files_of(storage))
    said = []
    for name, digest in sorted(sums.items()):
        if name not in found:
            said.append(f"{name} is missing")
        elif sha256_of(found[name]) != digest:
            said.append(f"{name} has different content")
    return said
