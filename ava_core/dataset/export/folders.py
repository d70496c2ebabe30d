"""Folders of many files that appear whole: renamed on this machine, uploaded where the storage is elsewhere."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from upath import UPath

from ava_core.base.storage import Storage
from ava_core.dataset.formats.ava import names


@contextmanager
def building(storage: Storage, final: UPath, *, replace: bool = False) -> Iterator[Path]:
    """A path on this machine for a new folder, which becomes `final` when the block ends without an error.

    The block makes the folder itself. With `replace` it takes the place of a former one.
    """
    if not storage.is_local:
        with tempfile.TemporaryDirectory(prefix="ava-") as temporary:
            yield Path(temporary) / final.name
            _upload(Path(temporary) / final.name, final)
        return
    target = storage.local(final)
    target.parent.mkdir(parents=True, exist_ok=True)
    staged, former = (target.with_name(f".{word}-{secrets.token_hex(4)}") for word in ("new", "former"))
    try:
        yield staged
        if replace and target.exists():
            target.rename(former)
        staged.rename(target)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
        shutil.rmtree(former, ignore_errors=True)


@contextmanager
def fetched_folder(storage: Storage, folder: UPath, *, only: str = "") -> Iterator[Path]:
    """A local copy of a folder for the time of the block; the folder itself where it is on this machine.

    `only`: a file or folder in it; of a folder that is elsewhere, the rest is not copied.
    """
    if storage.is_local:
        yield storage.local(folder)
        return
    with tempfile.TemporaryDirectory(prefix="ava-") as temporary:
        for path in _files(folder / only if only else folder):
            target = Path(temporary) / path.relative_to(folder).as_posix()
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
        yield Path(temporary)


def _upload(folder: Path, final: UPath) -> None:
    # The record comes after all other files: a release is there once it is.
    new = sorted(
        (path for path in folder.rglob("*") if path.is_file()),
        key=lambda path: (path.name == names.RECORD, path),
    )
    there = [path.relative_to(folder).as_posix() for path in new]
    former = [path for path in _files(final) if path.relative_to(final).as_posix() not in set(there)]
    for name, path in zip(there, new, strict=True):
        target = final / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    for path in former:
        path.unlink()


def _files(folder: UPath) -> list[UPath]:
    if folder.is_file():
        return [folder]
    return [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []
