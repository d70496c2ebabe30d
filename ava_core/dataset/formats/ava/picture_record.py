"""The hash of every picture of a release: `pictures.parquet`, with columns `path, bytes, sha256`."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ava_core.dataset.formats.ava import names
from ava_core.video.media.hashing import hash_file


@dataclass(frozen=True)
class Changed:
    """Paths by what is wrong with them; pictures that were hard links and are files of their own, and their bytes."""

    changed: dict[str, list[str]]
    copies: int
    copied_bytes: int


def record_pictures(folder: Path) -> None:
    """Write `pictures.parquet`; nothing where the folder holds no picture."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix in names.PICTURE_SUFFIXES)
    if not paths:
        return
    hashes = _hashes(paths)
    table = {
        "path": [path.relative_to(folder).as_posix() for path in paths],
        "bytes": [path.stat().st_size for path in paths],
        "sha256": hashes,
    }
    pl.DataFrame(table).write_parquet(folder / names.PICTURES)


def changed_pictures(folder: Path) -> Changed:
    """What became of the recorded pictures."""
    recorded = pl.read_parquet(folder / names.PICTURES, glob=False).select("path", "bytes", "sha256")
    changed: dict[str, list[str]] = {}
    there = []
    for name, size, sha256 in recorded.rows():
        path = folder / name
        if not path.is_file():
            changed.setdefault("is missing", []).append(name)
        elif path.stat().st_size != size:
            what = "is empty" if not path.stat().st_size else "has another length"
            changed.setdefault(what, []).append(name)
        else:
            there.append((name, size, sha256))
    hashes = _hashes([folder / name for name, _, _ in there])
    for (name, _, sha256), found in zip(there, hashes, strict=True):
        if found != sha256:
            changed.setdefault("is another one", []).append(name)
    return Changed(changed, *_copies(folder, there))


def _copies(folder: Path, there: list[tuple[str, int, str]]) -> tuple[int, int]:
    """How many pictures of other layouts are no links to the frames of the same content, and their bytes."""
    frames: dict[str, set[int]] = {}
    for name, _, sha256 in there:
        if name.startswith(f"{names.FRAMES}/"):
            frames.setdefault(sha256, set()).add((folder / name).stat().st_ino)
    sizes = [
        size
        for name, size, sha256 in there
        if sha256 in frames and (folder / name).stat().st_ino not in frames[sha256]
    ]
    return len(sizes), sum(sizes)


def _hashes(paths: Iterable[Path]) -> list[str]:
    """SHA-256 of the files, each content with several links read once."""
    files = {path: (path.stat().st_dev, path.stat().st_ino) for path in paths}
    first = {inode: path for path, inode in reversed(files.items())}
    with ThreadPoolExecutor() as pool:
        known = dict(zip(first, pool.map(hash_file, first.values()), strict=True))
    return [known[inode] for inode in files.values()]
