"""Folders of many files that appear whole: renamed on this machine, uploaded where the storage is elsewhere."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Final, TypeVar

from upath import UPath

from ava_core.base.storage import Storage, send_file
from ava_core.dataset.export.stand_ins import stands_for
from ava_core.dataset.formats.ava import names

TRANSFERS: Final = 32
"""Files that travel side by side: each waits some ten milliseconds for an object store's answer."""

Item = TypeVar("Item")


@contextmanager
def building(storage: Storage, final: UPath, *, replace: bool = False) -> Iterator[Path]:
    """A path on this machine for a new folder, which becomes `final` when the block ends without an error.

    The block makes the folder itself. With `replace` it takes the place of a former one.
    """
    if not storage.is_local:
        with tempfile.TemporaryDirectory(prefix="ava-") as temporary:
            yield Path(temporary) / final.name
            send_folder(Path(temporary) / final.name, final)
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

        def fetch(path: UPath) -> None:
            target = Path(temporary) / path.relative_to(folder).as_posix()
            target.parent.mkdir(parents=True, exist_ok=True)
            path.fs.get_file(path.path, str(target))

        side_by_side(fetch, _files(folder / only if only else folder))
        yield Path(temporary)


def side_by_side(work: Callable[[Item], object], items: Iterable[Item]) -> None:
    """Do it for all items, many at a time; the first error is raised, and nothing further is begun then."""
    with ThreadPoolExecutor(TRANSFERS) as pool:
        doing = [pool.submit(work, item) for item in items]
        try:
            for one in doing:
                one.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def send_folder(folder: Path, final: UPath) -> None:
    """Send a folder; what an upload that breaks has sent of a new one goes again."""
    new = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    before = {path.relative_to(final).as_posix(): path for path in _files(final)}
    # The record comes after all other files: a release is there once it is.
    last = [name for name in new if PurePosixPath(name).name == names.RECORD]

    def send(name: str) -> None:
        target = final / name
        source = stands_for(new[name])
        if not source:
            send_file(new[name], target)
        elif source.lstrip("/") != target.path.lstrip("/"):
            target.fs.cp_file(source, target.path)

    try:
        side_by_side(send, sorted(new.keys() - set(last)))
        side_by_side(send, last)
    except BaseException:
        if not before and final.exists():
            final.fs.rm(final.path, recursive=True)
        raise
    side_by_side(UPath.unlink, [path for name, path in before.items() if name not in new])


def _files(folder: UPath) -> list[UPath]:
    if folder.is_file():
        return [folder]
    return [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []
