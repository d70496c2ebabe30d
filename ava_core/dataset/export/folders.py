"""Folders of many files that appear whole: renamed on this machine, uploaded where the storage is elsewhere."""

from __future__ import annotations

import io
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Final, TypeVar

import polars as pl
from upath import UPath

from ava_core.base.storage import Storage, send_file
from ava_core.dataset.export import packs
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

    `only`: a file or folder in it; of a folder that is elsewhere, the rest is not copied. Packed pictures are unpacked.
    """
    if storage.is_local:
        yield storage.local(folder)
        return
    with tempfile.TemporaryDirectory(prefix="ava-") as temporary:

        def fetch(path: UPath) -> None:
            target = Path(temporary) / path.relative_to(folder).as_posix()
            target.parent.mkdir(parents=True, exist_ok=True)
            path.fs.get_file(path.path, str(target))

        found = _files(folder / only if only else folder)
        is_file = [path.relative_to(folder).as_posix() for path in found] == [only]
        index = pl.DataFrame(schema=packs.COLUMNS) if is_file else packs.index_of(folder)
        if not index.is_empty():
            found = [path for path in found if path.relative_to(folder).parts[0] != packs.FOLDER]
        side_by_side(fetch, found)
        if only:
            index = index.filter((pl.col("path") == only) | pl.col("path").str.starts_with(f"{only}/"))
        side_by_side(lambda pack: packs.unpack(folder, *pack, Path(temporary)), packs.by_tar(index).items())
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


@dataclass
class _Parcel:
    """What a folder is sent as, by path below it: files, objects that the store copies, pictures to be packed.

    `index`: rows of `packs.COLUMNS`.
    """

    files: dict[str, Path] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)
    packs: dict[str, list[Path]] = field(default_factory=dict)
    index: list[tuple[str, str, str]] = field(default_factory=list)

    def names(self) -> set[str]:
        """Everything that will be there."""
        return self.files.keys() | self.copies.keys() | self.packs.keys()


def _parcel(folder: Path) -> _Parcel:
    parcel = _Parcel()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        source, member = stands_for(path)
        if member:
            tar = packs.tar_name(PurePosixPath(source).stem)
            parcel.copies[tar] = source
            parcel.index.append((name, tar, member))
        elif source:
            parcel.copies[name] = source
        elif path.parent.parent == folder / names.FRAMES and path.name.endswith(names.PICTURE_SUFFIXES):
            tar = packs.tar_name(path.parent.name)
            pictures = parcel.packs.setdefault(tar, [])
            pictures.append(path)
            parcel.index.append((name, tar, packs.member_name(len(pictures))))
        else:
            parcel.files[name] = path
    return parcel


def send_folder(folder: Path, final: UPath) -> None:
    """Send a folder, pictures packed by clip; what an upload that breaks has sent of a new one goes again."""
    parcel = _parcel(folder)
    before = {path.relative_to(final).as_posix(): path for path in _files(final)}
    # The record comes after all other files: a release is there once it is.
    last = {name for name in parcel.files if PurePosixPath(name).name == names.RECORD}

    def send(name: str) -> None:
        target = final / name
        if name in parcel.files:
            send_file(parcel.files[name], target)
        elif name in parcel.packs:
            with tempfile.NamedTemporaryFile(prefix="ava-", suffix=".tar") as packed:
                packs.write_tar(Path(packed.name), parcel.packs[name])
                send_file(Path(packed.name), target)
        elif parcel.copies[name].lstrip("/") != target.path.lstrip("/"):
            target.fs.cp_file(parcel.copies[name], target.path)

    try:
        with tempfile.TemporaryDirectory(prefix="ava-") as temporary:
            if parcel.index:
                parcel.files[packs.INDEX] = Path(temporary) / "index.parquet"
                index = pl.DataFrame(parcel.index, schema=packs.COLUMNS, orient="row")
                index.write_parquet(parcel.files[packs.INDEX])
            side_by_side(send, sorted(parcel.names() - last))
            side_by_side(send, sorted(last))
    except BaseException:
        if not before and final.exists():
            final.fs.rm(final.path, recursive=True)
        raise
    side_by_side(UPath.unlink, [path for name, path in before.items() if name not in parcel.names()])


def contents(folder: UPath) -> Iterator[tuple[str, IO[bytes]]]:
    """Every file of a folder with its path below it, open to be read; packed pictures under all of their paths."""
    index = packs.index_of(folder)
    for path in sorted(_files(folder)):
        name = path.relative_to(folder).as_posix()
        if index.is_empty() or PurePosixPath(name).parts[0] != packs.FOLDER:
            with path.open("rb") as content:
                yield name, content
    for tar, paths in packs.by_tar(index).items():
        for places, picture in packs.pictures_in(folder, tar, paths):
            for place in places:
                yield place, io.BytesIO(picture)


def _files(folder: UPath) -> list[UPath]:
    if folder.is_file():
        return [folder]
    return [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []
