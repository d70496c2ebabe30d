"""Making a release from a command: a Dagster run like any other, in the command's own process."""

from __future__ import annotations

from typing import Any

from dagster import RunConfig, materialize
from upath import UPath

from ava_assets.dataset.assets import ReleaseConfig, ava_release
from ava_assets.io import ParquetTables
from ava_assets.resources import Platform
from ava_assets.running.instance import open_instance, variables_set
from ava_core.base.settings import Settings


def make_release(settings: Settings, **options: Any) -> UPath:
    """Materialise `ava_release` with fields of `ReleaseConfig`; returns the release's folder."""
    platform = Platform(home=str(settings.home_dir))
    # The assets read the settings anew: those of the command hold, whatever its variables say.
    with open_instance(settings) as instance, variables_set(settings.environment()):
        result = materialize(
            [ava_release],
            instance=instance,
            resources={"platform": platform, "io_manager": ParquetTables(platform=platform)},
            run_config=RunConfig(
                ops={"ava_release": ReleaseConfig(**options)},
                loggers={"console": {"config": {"log_level": "CRITICAL"}}},
            ),
        )
        event = result.asset_materializations_for_node("ava_release")[0]
        return platform.storage.path(str(event.metadata["folder"].value))
