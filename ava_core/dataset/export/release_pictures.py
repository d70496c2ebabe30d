"""Pictures of the clips of a release: a clip that lacks one is left out with its reason, and the release goes on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

import polars as pl
from upath import UPath

from ava_core.base.errors import ExportError, InputError
from ava_core.base.schemas import PICTURES, empty
from ava_core.base.set_aside import setting_aside
from ava_core.base.storage import Storage
from ava_core.dataset.export.picture_sums import KEPT_PICTURES, Sums, noted_sums, refuse_damaged, sums_by_clip
from ava_core.dataset.formats.ava import names
from ava_core.video.media.hashing import hash_file

LOOKING: Final = 8
"""Clips whose pictures are read at once: most of it is waiting for files."""
REASONS_SAID: Final = 3
"""Clips that are named where none is left."""


@dataclass(frozen=True)
class Pictures:
    """`folders`: of each clip that has all of its pictures, where they lie; `videos`: the files of clips.

    `lacking`: reasons of the clips that cannot be used.
    """

    folders: Mapping[str, Path] = field(default_factory=dict)
    videos: Mapping[str, Path] = field(default_factory=dict)
    lacking: Mapping[str, str] = field(default_factory=dict)


Fetch: TypeAlias = Callable[[UPath, pl.DataFrame], Path]
"""Brings a folder of a clip's pictures to this machine; what was noted of them (`schemas.PICTURES`) goes along."""


def pictures_of(clips: pl.DataFrame, storage: Storage, fetch: Fetch) -> Pictures:
    """The pictures of clips (`schemas.CLIPS`) as their batches' datasets hold them.

    Raises `ExportError` with the first reasons where no clip has all.
    """
    noted: dict[str, pl.DataFrame] = {}
    for batch in clips["batch"].unique():
        of_batch = noted_sums(storage, batch).partition_by("clip_id", as_dict=True)
        noted |= {str(clip): own for (clip,), own in of_batch.items()}

    def look(clip: str, batch: str, frames: int) -> tuple[Path | None, str]:
        """The folder, or why it cannot be used."""
        folder = None
        with setting_aside() as fate:
            own = noted.get(clip, empty(PICTURES))
            folder = fetch(storage.asset_dir(batch, "ava_csv") / "dataset" / names.FRAMES / clip, own)
            _refuse_lack(folder, clip, frames)
            if storage.is_local:  # object stores have checksums of their own
                _refuse_damage(storage, batch, clip, folder, sums_by_clip(own).get(clip, {}))
        return folder, fate.reason

    wanted = clips.select("clip_id", "batch", "frames").sort("clip_id").rows()
    with ThreadPoolExecutor(LOOKING) as pool:
        looked = dict(zip((row[0] for row in wanted), pool.map(lambda row: look(*row), wanted), strict=True))
    folders = {clip: folder for clip, (folder, reason) in looked.items() if folder is not None and not reason}
    lacking = {clip: reason for clip, (_, reason) in looked.items() if reason}
    _refuse_none(folders, lacking, "all of its pictures", "Materialise ava_csv of their batches again.")
    return Pictures(folders, lacking=lacking)


def videos_of(clips: pl.DataFrame, storage: Storage, fetch: Callable[[UPath], Path]) -> Pictures:
    """The files of clips (`schemas.CLIPS`), which `fetch` brings to this machine.

    Raises `ExportError` with the first reasons where no clip has its file.
    """
    videos, lacking = {}, {}
    for clip, place, sha256 in clips.select("clip_id", "path", "sha256").sort("clip_id").rows():
        with setting_aside() as fate:
            path = fetch(storage.path(place))
            if hash_file(path) != sha256:
                raise ExportError(f"{path.name} is damaged: it is not the file that was cut")
            videos[clip] = path
        if fate.reason:
            lacking[clip] = fate.reason
    _refuse_none(videos, lacking, "its video", "Materialise clips of their batches again.")
    return Pictures(videos=videos, lacking=lacking)


def _refuse_none(found: Collection[str], lacking: Mapping[str, str], what: str, cure: str) -> None:
    if lacking and not found:
        first = "; ".join(f"{clip}: {reason}" for clip, reason in list(lacking.items())[:REASONS_SAID])
        more = f"; and {len(lacking) - REASONS_SAID} more" if len(lacking) > REASONS_SAID else ""
        raise ExportError(f"No clip has {what}. {first}{more}.", cure)


def _refuse_damage(storage: Storage, batch: str, clip: str, folder: Path, sums: Sums) -> None:
    """Raise `InputError` where a picture is damaged; what the next dataset would take it from goes, too."""
    try:
        refuse_damaged(folder, sums)
    except InputError:
        kept = storage.local(storage.asset_dir(batch, "ava_csv")) / KEPT_PICTURES
        for own in noted_sums(storage, batch).filter(pl.col("clip_id") == clip)["made_of"].unique():
            shutil.rmtree(kept / own, ignore_errors=True)
        raise


def _refuse_lack(folder: Path, clip: str, frames: int) -> None:
    """Raise `ExportError` where a clip has other pictures than its table says frames, or an empty one."""
    sizes = {}
    if folder.is_dir():
        with os.scandir(folder) as entries:
            sizes = {
                one.name: one.stat().st_size for one in entries if one.name.endswith(names.PICTURE_SUFFIXES)
            }
    if len(sizes) != frames:
        raise ExportError(f"it has {len(sizes)} pictures where its table says {frames} frames")
    for number in range(1, frames + 1):
        name = names.frame_name(clip, number)
        if not sizes.get(name):
            raise ExportError(f"its picture {name} is {'empty' if name in sizes else 'missing'}")
