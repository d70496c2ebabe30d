"""Making a release from a command: a Dagster run like any other, in the command's own process."""

from __future__ import annotations

from pathlib import Path

from dagster import DagsterInstance, RunConfig, materialize

from ava_assets.dataset.assets import ReleaseConfig, ava_csv, ava_release
from ava_assets.instance import prepare_dagster_home
from ava_assets.io import ParquetTables
from ava_assets.resources import Platform
from ava_core.settings import Settings


def make_release(settings: Settings, *, name: str = "", note: str = "") -> Path:
    """Materialise `ava_release`; returns the release's folder."""
    platform = Platform(home=str(settings.home_dir))
    with DagsterInstance.from_config(str(prepare_dagster_home(settings))) as instance:
        result = materialize(
            [ava_csv, ava_release],
            selection=[ava_release],
            instance=instance,
            resources={"platform": platform, "io_manager": ParquetTables(platform=platform)},
            run_config=RunConfig(ops={"ava_release": ReleaseConfig(name=name, note=note)}),
        )
        event = result.asset_materializations_for_node("ava_release")[0]
        return Path(str(event.metadata["folder"].value))
