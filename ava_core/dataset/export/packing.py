"""A release as tar files of about a gigabyte with their checksums: what is sent, copied and kept."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ava_core.base.errors import ExportError
from ava_core.base.names import NAME
from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.shards.writer import SHARD_BYTES
from ava_core.video.media.hashing import hash_file

SUMS: Final = "SHA256SUMS"
"""As `sha256sum --check` reads it."""


def pack(release: Path, target: Path, most_bytes: int = SHARD_BYTES) -> list[Path]:
    """Write everything in a release into tar files, and their checksums into `SHA256SUMS` beside them.

    `target`: one file, where its name ends in `.tar` (with `<name>.tar.sha256` beside it), else a new folder of
    `<release>-%05d.tar`, each of `most_bytes` at most unless one file alone is larger. Unpacked in one place they are
    the release again. Returns what was written. Raises `ExportError` where there is no release, or the target exists.
    """
    refuse_other(release)
    if target.exists():
        raise ExportError(f"{target} already exists.", "Choose another name, or remove it.")
    name = release_name(release)
    alone = target.suffix == ".tar"
    staged = target.with_name(f".{target.name}.part")
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    try:
        groups = _groups(release, 0 if alone else most_bytes)
        tars = [
            _write(staged / (target.name if alone else f"{name}-{number:05d}.tar"), name, release, files)
            for number, files in enumerate(groups)
        ]
        sums = staged / (f"{target.name}.sha256" if alone else SUMS)
        sums.write_text("".join(f"{hash_file(tar)}  {tar.name}\n" for tar in tars), "utf-8")
        if not alone:
            staged.rename(target)
            return [target / path.name for path in (*tars, sums)]
        # The sums first: a tar file without them would look whole.
        return [path.rename(target.with_name(path.name)) for path in (sums, *tars)][::-1]
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def refuse_other(folder: Path) -> None:
    """Raise `ExportError` where a folder is no release."""
    if not (folder / names.RECORD).is_file():
        raise ExportError(
            f"{folder} is not a release: it has no {names.RECORD}.", "List them with `ava release list`."
        )


def release_name(release: Path) -> str:
    """The name in a release's record: a copy may lie in a folder of any name."""
    said = json.loads((release / names.RECORD).read_text("utf-8")).get("name")
    return said if isinstance(said, str) and NAME.fullmatch(said) else release.name


def _groups(release: Path, most_bytes: int) -> Iterator[list[Path]]:
    """Files in order, in groups of `most_bytes` at most; 0: all in one."""
    group: list[Path] = []
    held = 0
    for path in sorted(path for path in release.rglob("*") if path.is_file()):
        size = tarfile.BLOCKSIZE + -(-path.stat().st_size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
        if group and most_bytes and held + size > most_bytes:
            yield group
            group, held = [], 0
        group.append(path)
        held += size
    yield group


def _write(tar_path: Path, name: str, release: Path, files: list[Path]) -> Path:
    """A tar file without times and owners, so that the same release packs into the same bytes."""
    with tarfile.open(tar_path, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in files:
            member = tarfile.TarInfo(f"{name}/{path.relative_to(release).as_posix()}")
            member.size = path.stat().st_size
            with path.open("rb") as content:
                tar.addfile(member, content)
    return tar_path
