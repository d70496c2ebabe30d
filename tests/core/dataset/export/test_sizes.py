"""Sizes said before a release is made, beside those of the release that was made then."""

from __future__ import annotations

import tarfile
from pathlib import Path

import polars as pl
import pytest

from ava_core import decisions
from ava_core.base.errors import ExportError
from ava_core.dataset.export.sizes import ANNOTATIONS, BY_BATCH, SIZES, expected_sizes, sizes_by_batch
from ava_core.dataset.formats.flavours import FLAVOURS
from tests.support.world import World

HEADS = {"shards": 3 * tarfile.RECORDSIZE, "videos": 3 * 5_500, "parquet": 3 * 3_000}
"""Bytes that a layout may have beyond what was said: of each split the end of a tar file, the heads of a table."""


def said(world: World, *batches: str) -> dict[str, dict[str, int]]:
    found = expected_sizes(sizes_by_batch(world.storage, world.store), batches)
    assert found.schema == pl.Schema(SIZES)
    return {row["flavour"]: row for row in found.to_dicts()}


def written(release: Path, flavour: str) -> tuple[int, int]:
    """Files and bytes of a layout in a release."""
    folders = [flavour, "frame_lists", "AVA_dataset.csv"] if flavour == ANNOTATIONS else [flavour]
    paths = [release / name for name in folders]
    files = [file for path in paths for file in (path, *path.rglob("*")) if file.is_file()]
    return len(files), sum(file.stat().st_size for file in files)


def test_every_layout_is_as_large_as_was_said(world: World) -> None:
    world.add_batch("north", ["gate", "yard"])
    world.add_batch("south", ["lane"])
    before = said(world)
    assert list(before) == [ANNOTATIONS, *FLAVOURS]
    release = Path(world.release(flavours=list(FLAVOURS)).folder.path)
    for flavour, size in before.items():
        files, total = written(release, flavour)
        # A batch alone has everything in train: two splits more have a file each.
        assert abs(files - size["files"]) <= (2 if flavour == "datumaro" else 0), flavour
        assert size["bytes"] == pytest.approx(total, rel=0.02, abs=HEADS.get(flavour, 2_500)), flavour
    frames = before["frames"]
    assert (frames["files"], frames["bytes"]) == written(release, "frames")
    assert frames["files_per_hour"] == pytest.approx(30 * 3600)
    assert frames["bytes_per_hour"] == pytest.approx(frames["bytes"] / 21 * 3600)


def test_batches_and_clips_that_stay_out_are_not_counted(world: World) -> None:
    first, _ = world.add_batch("north", ["gate", "yard"])
    world.add_batch("south", ["lane"])
    assert said(world)["rawframes"]["files"] == 3 * 210
    assert said(world, "south")["rawframes"]["files"] == 210
    decisions.reopen(world.store, "north", [first], "chief", "look again")
    assert said(world, "north")["keyframes"]["files"] == 7
    assert said(world, "north")["videos"]["files"] == 1 + 3
    with pytest.raises(ExportError, match="There is no batch west"):
        sizes_by_batch(world.storage, world.store, ["west"])


def test_pictures_that_nobody_noted_are_estimated_by_their_size(world: World) -> None:
    world.add_batch("north")
    world.storage.table_path("north", "ava_csv", "pictures").unlink()
    assert said(world)["frames"]["bytes"] == 210 * int(64 * 36 * 0.117)


def test_sizes_are_read_from_storage_elsewhere(distant_world: World) -> None:
    distant_world.add_batch("north")
    found = said(distant_world)
    assert found["frames"]["files"] == 210
    assert found["videos"]["bytes"] > 1000
    assert found[ANNOTATIONS]["bytes"] > 1000


def test_shards_count_a_file_a_gigabyte_and_split() -> None:
    row = {"batch": "north", "flavour": "shards", "seconds": 1800.0, "files": 0, "fixed": 3}
    table = pl.DataFrame(
        [row | {"bytes": 1_500_000_000}, row | {"bytes": 1_000_000_000}], schema=dict(BY_BATCH)
    )
    (found,) = expected_sizes(table).to_dicts()
    assert (found["files"], found["linked"]) == (3 + 2, False)
    assert (found["files_per_hour"], found["bytes_per_hour"]) == (5.0, 2.5e9)
    assert expected_sizes(table, ["south"]).is_empty()
