"""Work done elsewhere, taken in as if it had been done here.

A folder that `ava preprocess` wrote is a storage root of one batch with a manifest beside it. What its manifest
lists as given is used as it stands and never made again.
"""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

import polars as pl

from ava_core.base.errors import InputError
from ava_core.base.files import link_or_copy
from ava_core.base.names import check_batch_name
from ava_core.base.schemas import ADDED_TO_SOURCE_VIDEOS, SOURCE_VIDEOS, USABLE, with_new_columns
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext
from ava_core.video.given import FORMAT, MANIFEST, Manifest, checked_paths, mark_given
from ava_core.video.intake.known import Known, nowhere


def manifest_of(folder: Path) -> Manifest | None:
    """The manifest of a preprocessed folder; `None` where the path is none. Raises `InputError` if unusable."""
    if not (folder / MANIFEST).is_file():
        if (folder / "batches").is_dir():
            raise InputError(f"{folder} is not finished.", "Run `ava preprocess` again to resume.")
        return None
    try:
        content = json.loads((folder / MANIFEST).read_bytes())
        if content.get("format") != FORMAT:
            raise InputError(f"{folder / MANIFEST} is not of {FORMAT}.", "Preprocess it with this version.")
        manifest = Manifest(**content)
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{folder / MANIFEST} cannot be read: {error}.", "Copy the folder again.") from None
    check_batch_name(manifest.batch)
    return manifest


def take_over(at: BatchContext, folder: Path, known: Known = nowhere) -> pl.DataFrame:
    """Take a preprocessed folder into the storage; returns its `schemas.SOURCE_VIDEOS`.

    Files keep their places. Content known here already becomes a duplicate, and its clips are left out. Raises
    `InputError` where a file is missing or torn, or the batch has another name than its ids were made from.
    """
    manifest = manifest_of(folder)
    assert manifest is not None
    if manifest.batch != at.batch:
        raise InputError(
            f"{folder} was preprocessed as batch {manifest.batch}; its ids are made of that name.",
            f"Add it as {manifest.batch}, or preprocess it with --name {at.batch}.",
        )
    _check_files(folder, manifest)
    for name in manifest.files:
        if PurePosixPath(name).parts[0] == "batches":
            _bring(folder / name, at.storage, name)
    mark_given(at, manifest)
    table = with_new_columns(at.table("source_videos"), ADDED_TO_SOURCE_VIDEOS)
    return _without_known(checked_paths(table, SOURCE_VIDEOS, at.batch), known)


def _check_files(folder: Path, manifest: Manifest) -> None:
    allowed = PurePosixPath("batches") / manifest.batch
    for name, size in manifest.files.items():
        path = PurePosixPath(name)
        outside = path.is_absolute() or ".." in path.parts
        if outside or (len(path.parts) > 1 and not path.is_relative_to(allowed)):
            raise InputError(
                f"{folder / MANIFEST} names {name}, which is outside the folder.", "Do not use this folder."
            )
        if not (folder / name).is_file() or (folder / name).stat().st_size != size:
            raise InputError(f"{folder / name} is missing or incomplete.", "Copy the folder again.")


def _bring(source: Path, storage: Storage, name: str) -> None:
    target = storage.root.joinpath(name)
    if target.exists() and target.stat().st_size == source.stat().st_size:
        return
    with storage.writing(target) as temporary:
        link_or_copy(source, temporary, replace=True)


def _without_known(sources: pl.DataFrame, known: Known) -> pl.DataFrame:
    usable = sources.filter(USABLE)["sha256"].unique()
    where = {sha256: known(sha256) for sha256 in usable}
    told = pl.col("sha256").replace_strict(where, default="", return_dtype=pl.String)
    seen = USABLE & (told != "")
    return sources.with_columns(
        status=pl.when(seen).then(pl.lit("duplicate")).otherwise("status"),
        reason=pl.when(seen).then("same content as " + told).otherwise("reason"),
    )
