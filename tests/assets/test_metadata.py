"""What Dagster's UI is given to show: pictures that a browser draws, places that hold on every machine, links."""

from __future__ import annotations

import base64
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from ava_assets.io import ParquetTables
from ava_assets.metadata import CONSOLE, console_link, drawing, markdown, picture, place
from ava_assets.resources import Platform
from ava_core.base.console_pages import BATCH
from ava_core.base.settings import load_settings
from ava_core.base.storage import Storage
from ava_core.store import batches


def test_pictures_stand_in_the_text_itself() -> None:
    for value, kind, content in (
        (picture(b"\xff\xd8jpeg"), "jpeg", b"\xff\xd8jpeg"),
        (drawing("<svg/>"), "svg+xml", b"<svg/>"),
    ):
        head, _, data = value.value.partition(";base64,")
        assert head == f"![preview](data:image/{kind}"
        assert base64.b64decode(data.removesuffix(")")) == content


@pytest.mark.parametrize("root", ["/srv/ava/storage", "memory://ava"])
def test_a_place_is_said_from_the_root_on(root: str) -> None:
    storage = Storage(root)
    assert place(storage, storage.asset_dir("gate", "clips")) == "batches/gate/clips"


def test_a_link_leads_to_the_console() -> None:
    [(name, link)] = console_link(load_settings(console_port=9), BATCH, batch="gate").items()
    assert (name, link.value) == (CONSOLE, "http://127.0.0.1:9/batches/gate")


def test_a_cell_keeps_to_its_column() -> None:
    assert markdown(pl.DataFrame({"a": ["x|y"]})).value.splitlines()[-1] == "| x\\|y |"
    assert markdown(pl.DataFrame({"a": []})).value == "none"


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        (pl.DataFrame({"n": [1, 2]}), {"folder", "dagster/row_count"}),
        ({"a": pl.DataFrame({"n": [1]}), "b": pl.DataFrame({"n": []})}, {"folder", "tables"}),
    ],
)
def test_rows_are_counted_once(tmp_path: Path, tables: pl.DataFrame, told: set[str]) -> None:
    platform = Platform(home=str(tmp_path))
    batches.add(platform.store, "b", "/b.zip", {})
    with dg.build_output_context(asset_key=dg.AssetKey("clips"), partition_key="b") as context:
        ParquetTables(platform=platform).handle_output(context, tables)
        shown = context.consume_logged_metadata()
    assert set(shown) == told
    assert str(tmp_path) not in str(shown)
