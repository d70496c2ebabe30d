"""Pictures in an object store: those of a clip are one tar file, for a store is asked by the object.

`packed/<clip>.tar` holds them as `000001.jpg`, …, and `packed/index.parquet` says under which paths of the dataset
readers look for each: however many layouts there are, a clip's pictures lie there once. Who fetches the folder gets
it with all of its paths.
"""

from __future__ import annotations

import os
import tarfile
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

import polars as pl
from upath import UPath

from ava_core.base.errors import ExportError, InputError
from ava_core.dataset.export.stand_ins import write_stand_in
from ava_core.dataset.formats.ava import names

FOLDER: Final = "packed"
INDEX: Final = f"{FOLDER}/index.parquet"
COLUMNS: Final = {"path": pl.String, "tar": pl.String, "member": pl.String}
"""Of the index: a path in the dataset, the tar file in `packed/`, the name in it."""


def tar_name(clip: str) -> str:
    """The path of a clip's tar file in its dataset."""
    return f"{FOLDER}/{clip}.tar"


def member_name(number: int) -> str:
    """The name of a picture in its tar file; numbers count from 1. Short, as the format's names are."""
    return f"{number:06d}.jpg"


def write_tar(target: Path, pictures: Sequence[Path]) -> None:
    """Pack pictures in their order, without times or owners: the same pictures make the same bytes."""
    with tarfile.open(target, "w", format=tarfile.USTAR_FORMAT) as tar:
        for number, picture in enumerate(pictures, start=1):
            member = tarfile.TarInfo(member_name(number))
            member.size = picture.stat().st_size
            with picture.open("rb") as content:
                tar.addfile(member, content)


def tar_bytes(sizes: Collection[int]) -> int:
    """How large a tar file of pictures of these sizes is: a block ahead of each, whole blocks, whole records."""
    block, record = tarfile.BLOCKSIZE, tarfile.RECORDSIZE
    used = sum(block + -(-size // block) * block for size in sizes) + 2 * block
    return -(-used // record) * record


def stand_ins_for_packed(dataset: UPath, clip: str, noted: pl.DataFrame, folder: Path) -> Path | None:
    """A folder of stand-ins for the pictures of a clip that lie packed in a dataset, by one question.

    `noted`: the clip's `schemas.PICTURES`. `None` where there is no tar file of it. Raises `ExportError` where it is
    not as large as its pictures.
    """
    tar = dataset / tar_name(clip)
    try:
        size = int(tar.fs.info(tar.path)["size"])
    except FileNotFoundError:
        return None
    if size != tar_bytes(noted["bytes"].to_list()):
        raise ExportError(f"its pictures are damaged: {tar.name} is not as large as what was packed")
    folder.mkdir(parents=True)
    for number in noted["number"]:
        write_stand_in(folder / names.frame_name(clip, number), tar.path, member_name(number))
    return folder


def index_of(dataset: UPath) -> pl.DataFrame:
    """What is packed in a dataset, `COLUMNS`; nothing where it has no index."""
    path = dataset / INDEX
    if not path.exists():
        return pl.DataFrame(schema=COLUMNS)
    index = pl.read_parquet(path.read_bytes())
    for name in index["path"]:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise InputError(
                f"{path} names {name!r}, which is outside its folder.", "Do not use this dataset."
            )
    return index


def by_tar(index: pl.DataFrame) -> dict[str, dict[str, list[str]]]:
    """Of each tar file, the paths of each member."""
    found: dict[str, dict[str, list[str]]] = {}
    for path, tar, member in index.sort("path").select(list(COLUMNS)).iter_rows():
        found.setdefault(tar, {}).setdefault(member, []).append(path)
    return found


def pictures_in(
    dataset: UPath, tar: str, paths: Mapping[str, Sequence[str]]
) -> Iterator[tuple[Sequence[str], bytes]]:
    """The pictures of a tar file, each with its paths in the dataset. The file is fetched once."""
    with tempfile.NamedTemporaryFile(prefix="ava-", suffix=".tar") as local:
        there = dataset / tar
        there.fs.get_file(there.path, local.name)
        with tarfile.open(local.name) as opened:
            for member in opened:
                content = opened.extractfile(member)
                if content is not None and member.name in paths:
                    yield paths[member.name], content.read()


def unpack(dataset: UPath, tar: str, paths: Mapping[str, Sequence[str]], folder: Path) -> None:
    """Write the pictures of a tar file to all of their paths below `folder`: the first a file, the others links."""
    for places, content in pictures_in(dataset, tar, paths):
        first, *others = (folder / place for place in places)
        for target in (first, *others):
            target.parent.mkdir(parents=True, exist_ok=True)
        first.write_bytes(content)
        for other in others:
            os.link(first, other)
