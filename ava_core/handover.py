"""Work done elsewhere, taken in as if it had been done here.

A folder that `ava preprocess` wrote is a storage root of one batch with a manifest beside it. What its manifest
lists as given is used as it stands and never made again: the detector that made it may not exist here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

import polars as pl

from ava_core.errors import InputError
from ava_core.media.archive import link_or_copy
from ava_core.storage import Storage, check_batch_name
from ava_core.tables import CLIPS, SOURCE_VIDEOS, conform

MANIFEST: Final = "manifest.json"
FORMAT: Final = "ava-preprocessed-1"
SHAPING: Final = (
    "clip_seconds", "clip_min_seconds", "clip_width", "clip_height", "clip_fit", "detector", "rfdetr_size",
    "rfdetr_resolution", "detect_fps", "detection_threshold", "tracker",
)  # fmt: skip
"""Settings that decide what the files hold; they become the batch's own options."""


@dataclass(frozen=True)
class Manifest:
    """What a folder of preprocessed video holds.

    `given`: assets that are used as they stand; `settings`: those of `SHAPING`; `files`: size in bytes by path
    below the folder; `counts`: videos, clips, tracks, boxes.
    """

    batch: str
    ava_version: str
    settings: dict[str, Any]
    given: list[str]
    counts: dict[str, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    format: str = FORMAT

    def write(self, folder: Path) -> None:
        """Write it atomically: a folder with a manifest is complete."""
        Storage(folder).write_bytes(Storage(folder).path(MANIFEST), self.as_json())

    def as_json(self) -> bytes:
        """The manifest as JSON, for people too."""
        return json.dumps(asdict(self), indent=2).encode()


def manifest_of(folder: Path) -> Manifest | None:
    """The manifest of a preprocessed folder; `None` where the path is none. Raises `InputError` if unusable."""
    if not (folder / MANIFEST).is_file():
        if (folder / "batches").is_dir():
            raise InputError(
                f"{folder} is not finished.", "Run `ava preprocess` again: it goes on from there."
            )
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


def take_over(
    folder: Path, batch: str, storage: Storage, known_sha256: Mapping[str, str] | None = None
) -> pl.DataFrame:
    """Take a preprocessed folder into the storage; returns its `tables.SOURCE_VIDEOS`.

    Files keep their places. Content known here already becomes a duplicate, and its clips are left out. Raises
    `InputError` where a file is missing or torn, or the batch has another name than its ids were made from.
    """
    manifest = manifest_of(folder)
    assert manifest is not None
    if manifest.batch != batch:
        raise InputError(
            f"{folder} was preprocessed as batch {manifest.batch}; its ids are made of that name.",
            f"Add it as {manifest.batch}, or preprocess it with --name {batch}.",
        )
    _check_files(folder, manifest)
    for name in manifest.files:
        if PurePosixPath(name).parts[0] == "batches":
            _bring(folder / name, storage, name)
    mark_given(manifest, storage)
    table = storage.read_table(storage.table_path(batch, "source_videos"))
    return _without_known(_checked_paths(table, SOURCE_VIDEOS, batch), known_sha256 or {})


def mark_given(manifest: Manifest, storage: Storage) -> None:
    """Note in the storage what of the batch was made elsewhere."""
    storage.write_bytes(_marker(manifest.batch, storage), manifest.as_json())


def given_table(batch: str, asset: str, storage: Storage) -> pl.DataFrame | None:
    """The table of an asset that was made elsewhere and is used as it stands; else `None`."""
    if not is_given(batch, asset, storage):
        return None
    table = storage.read_table(storage.table_path(batch, asset))
    return _checked_paths(table, CLIPS, batch) if asset == "clips" else table


def is_given(batch: str, asset: str, storage: Storage) -> bool:
    """Whether what the asset holds was made elsewhere."""
    marker = _marker(batch, storage)
    return marker.exists() and asset in json.loads(marker.read_bytes())["given"]


def _marker(batch: str, storage: Storage) -> Any:
    return storage.asset_dir(batch, "source_videos") / "made_elsewhere.json"


def _check_files(folder: Path, manifest: Manifest) -> None:
    allowed = PurePosixPath("batches") / manifest.batch
    for name, size in manifest.files.items():
        path = PurePosixPath(name)
        outside = path.is_absolute() or ".." in path.parts
        if outside or (len(path.parts) > 1 and not path.is_relative_to(allowed)):
            raise InputError(
                f"{folder / MANIFEST} names {name}, which lies outside.", "Do not use this folder."
            )
        if not (folder / name).is_file() or (folder / name).stat().st_size != size:
            raise InputError(f"{folder / name} is missing or torn.", "Copy the folder again.")


def _bring(source: Path, storage: Storage, name: str) -> None:
    target = storage.root.joinpath(name)
    if target.exists() and target.stat().st_size == source.stat().st_size:
        return
    with storage.writing(target) as temporary:
        link_or_copy(source, temporary)


def _checked_paths(table: pl.DataFrame, schema: Mapping[str, Any], batch: str) -> pl.DataFrame:
    """The table, if its paths stay inside the batch: it comes from another machine."""
    for path in table["path"].drop_nulls():
        parts = PurePosixPath(path).parts
        if path and (parts[:2] != ("batches", batch) or ".." in parts):
            raise InputError(f"Batch {batch} names the file {path}, which is not its own.", "Do not use it.")
    return conform(table, schema, f"batch {batch}")


def _without_known(sources: pl.DataFrame, known: Mapping[str, str]) -> pl.DataFrame:
    seen = pl.col("sha256").is_in(list(known)) & (pl.col("status") == "ok")
    where = pl.col("sha256").replace_strict(known, default="", return_dtype=pl.String)
    return sources.with_columns(
        status=pl.when(seen).then(pl.lit("duplicate")).otherwise("status"),
        reason=pl.when(seen).then("same content as " + where).otherwise("reason"),
    )
