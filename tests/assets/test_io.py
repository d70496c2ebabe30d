"""What an asset gives lies where the other assets and pages look for it, and when that was is noted once."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import polars as pl

from ava_assets.io import ParquetTables
from ava_assets.resources import Platform
from ava_core.store import Store, audit_log, batches, makings


def write(platform: Platform, table: pl.DataFrame) -> None:
    """As the asset `clips` of batch `b` does."""
    with dg.build_output_context(asset_key=dg.AssetKey("clips"), partition_key="b") as context:
        ParquetTables(platform=platform).handle_output(context, table)


def lines(store: Store) -> int:
    return len([one for one in audit_log.newest(store) if one.action == "made clips"])


def test_a_table_is_written_and_its_first_making_noted(tmp_path: Path) -> None:
    platform = Platform(home=str(tmp_path))
    store = platform.store
    batches.add(store, "b", "/b.zip", {})
    for rows in ([1], [1, 2]):
        write(platform, pl.DataFrame({"n": rows}))
    assert platform.storage.read_table(platform.storage.table_path("b", "clips"))["n"].to_list() == [1, 2]
    [moment] = makings.firsts(store, ["clips"])["b"]
    assert moment is not None
    assert lines(store) == 1


def test_what_was_made_before_that_was_noted_stays_unknown(tmp_path: Path) -> None:
    platform = Platform(home=str(tmp_path))
    batches.add(platform.store, "b", "/b.zip", {})
    platform.storage.write_table(platform.storage.table_path("b", "clips"), pl.DataFrame({"n": [1]}))
    write(platform, pl.DataFrame({"n": [1, 2]}))
    assert makings.firsts(platform.store, ["clips"]) == {}
