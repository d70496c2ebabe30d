"""Files of the platform under one root: a local folder by default, any fsspec URL otherwise.

Layout, relative to the root:

    batches/<batch>/<asset>/…      what the asset of that name wrote, tables as <table>.parquet
    releases/<name>/…              immutable releases

Writes are atomic: a temporary name in the same place, then a rename. Checksums of tables lie in `.sums` beside them.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from upath import UPath

from ava_core.base.errors import InputError
from ava_core.base.names import check_batch_name

if TYPE_CHECKING:
    import polars as pl

OBJECT_STORE: Final[Mapping[str, Any]] = {
    "use_listings_cache": False,
    "config_kwargs": {"max_pool_connections": 64},
}
"""Of s3fs: lists are asked for anew, since other processes write, too; requests wait side by side."""


def changed_at(path: UPath) -> float | None:
    """When a file was written last, in seconds since 1970; `None` where there is none."""
    try:
        return float(path.stat().st_mtime)
    except FileNotFoundError:
        return None


def send_file(source: Path, target: UPath) -> None:
    """Send a file to an object store, in parts side by side where it is large.

    The object is there once all of it is: an upload that breaks leaves none, where a stream that is closed early, as
    by an error in a `with`, would leave the half of it.
    """
    try:
        target.fs.put_file(str(source), target.path)
    except FileNotFoundError:
        # Object stores know no folders, and answer one more question where one is made.
        target.parent.mkdir(parents=True, exist_ok=True)
        target.fs.put_file(str(source), target.path)


def _sums_path(path: UPath) -> UPath:
    return path.parent / ".sums" / f"{path.name}.sha256"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Storage:
    """The root of all files, with atomic writes: a local folder, or a URL that fsspec knows.

    >>> import polars as pl
    >>> storage = Storage("memory://example")
    >>> path = storage.table_path("north_gate", "clips")
    >>> path.path
    '/example/batches/north_gate/clips/clips.parquet'
    >>> storage.write_table(path, pl.DataFrame({"clip_id": ["gate_000"]}))
    >>> storage.read_table(path)["clip_id"].to_list()
    ['gate_000']
    """

    def __init__(self, root: str | Path) -> None:
        self.root = UPath(root, **(OBJECT_STORE if str(root).startswith("s3://") else {}))
        # To build a path costs more than to look at its file, and many pages look at the same ones.
        self._table_paths: dict[tuple[str, str, str], UPath] = {}

    @property
    def is_local(self) -> bool:
        """Whether the root is a folder of this machine."""
        return self.root.protocol in ("", "file", "local")

    def path(self, *parts: str) -> UPath:
        """A path below the root."""
        return self.root.joinpath(*parts)

    def asset_dir(self, batch: str, asset: str) -> UPath:
        """Folder of one asset of one batch."""
        return self.path("batches", check_batch_name(batch), asset)

    def table_path(self, batch: str, asset: str, table: str = "") -> UPath:
        """Where an asset's table lies: `<asset>/<table>.parquet`; one table is named after the asset."""
        key = batch, asset, table
        if key not in self._table_paths:
            self._table_paths[key] = self.asset_dir(batch, asset) / f"{table or asset}.parquet"
        return self._table_paths[key]

    def local(self, path: UPath) -> Path:
        """`path` as a local path. Raises `InputError` for a remote root (use `fetched` there)."""
        if not self.is_local:
            raise InputError(f"{path} is not on this machine.", "Copy it here with Storage.fetched.")
        return Path(path.path)

    @contextmanager
    def fetched(self, path: UPath) -> Iterator[Path]:
        """A local copy of the file `path` for the time of the block; the file itself where it is local."""
        if self.is_local:
            yield Path(path.path)
            return
        with tempfile.TemporaryDirectory(prefix="ava-") as folder:
            target = Path(folder) / path.name
            path.fs.get_file(path.path, str(target))
            yield target

    @contextmanager
    def writing(self, path: UPath) -> Iterator[Path]:
        """A local temporary file that becomes `path` when the block ends without an error."""
        if self.is_local:
            final = Path(path.path)
            final.parent.mkdir(parents=True, exist_ok=True)
            temporary = final.with_name(f".{final.stem}.{secrets.token_hex(4)}.part{final.suffix}")
            try:
                yield temporary
                os.replace(temporary, final)
            finally:
                temporary.unlink(missing_ok=True)
            return
        with tempfile.TemporaryDirectory(prefix="ava-") as folder:
            temporary = Path(folder) / path.name
            yield temporary
            send_file(temporary, path)

    def write_bytes(self, path: UPath, data: bytes) -> None:
        """Write a small file atomically."""
        with self.writing(path) as temporary:
            temporary.write_bytes(data)

    def write_table(self, path: UPath, table: pl.DataFrame) -> None:
        """Write a parquet file atomically, and note its checksum."""
        with self.writing(path) as temporary:
            table.write_parquet(temporary)
            # The sum of what lies there until now stays good: this may end before the file takes its place.
            sums = dict.fromkeys([_sha256(temporary), *self._sums(path)[:1]])
            self.write_bytes(_sums_path(path), "\n".join(sums).encode())

    def read_table(self, path: UPath) -> pl.DataFrame:
        """Read a parquet file. Raises `InputError` naming the asset to materialise where it is missing or damaged."""
        asset = path.parent.name
        if not path.exists():
            raise InputError(f"{path} does not exist.", f"Materialise {asset} of this batch first.")
        sums: list[str] | None = None
        reason = ""
        # Where the sums changed meanwhile, the table was written anew: the next try reads that one.
        while (now := self._sums(path)) != sums:
            sums = now
            found = self._read(path, sums)
            if not isinstance(found, str):
                return found
            reason = found
        raise InputError(f"{path} is damaged: {reason}.", f"Materialise {asset} of this batch again.")

    def _read(self, path: UPath, sums: list[str]) -> pl.DataFrame | str:
        """The table, or why it is none."""
        import polars as pl

        # One open file, whatever takes its place while it is read.
        with self.fetched(path) as local, local.open("rb") as file:
            if sums and hashlib.file_digest(file, "sha256").hexdigest() not in sums:
                return "its content has changed since it was written"
            file.seek(0)
            try:
                return pl.read_parquet(file)
            except pl.exceptions.PolarsError as error:
                return str(error).splitlines()[0]

    def _sums(self, path: UPath) -> list[str]:
        """Checksums of which a table has one: of what was written last, and of what may still lie there."""
        try:
            return str(_sums_path(path).read_text("utf-8")).split()
        except FileNotFoundError:
            return []
