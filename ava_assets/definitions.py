"""All of Dagster's definitions, merged; nothing else happens here."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import dagster as dg

from ava_assets.annotation import assets as annotation_assets
from ava_assets.annotation import checks as annotation_checks
from ava_assets.annotation.sensors import cvat_sensor
from ava_assets.dataset import assets as dataset_assets
from ava_assets.dataset import checks as dataset_checks
from ava_assets.freshness import CHECKS
from ava_assets.io import ParquetTables
from ava_assets.needs import JOBS, batch_sensor
from ava_assets.quality import assets as quality_assets
from ava_assets.quality import checks as quality_checks
from ava_assets.resources import Platform
from ava_assets.video import assets as video_assets
from ava_assets.video import checks as video_checks
from ava_core.base.errors import SettingsError
from ava_core.base.settings import Settings, load_settings

ASSET_MODULES = [video_assets, annotation_assets, quality_assets, dataset_assets]
CHECK_MODULES = [video_checks, annotation_checks, quality_checks, dataset_checks]


def build_definitions(settings: Settings, platform: Platform | None = None) -> dg.Definitions:
    """The definitions under `settings`; tests give a `platform` with a home of its own."""
    platform = platform or Platform()
    poll_seconds = settings.cvat_poll_seconds
    look_seconds = min(settings.look_seconds, poll_seconds)
    # Without a secret no delivery is taken: nothing comes between two polls that could wake the sensor.
    wake_seconds = look_seconds if settings.webhook_secret else poll_seconds
    return dg.Definitions(
        assets=dg.load_assets_from_modules(ASSET_MODULES, include_specs=True),
        asset_checks=[*dg.load_asset_checks_from_modules(CHECK_MODULES), *CHECKS],
        jobs=JOBS,
        sensors=[
            batch_sensor(platform, look_seconds),
            cvat_sensor(platform, poll_seconds, wake_seconds),
        ],
        resources={"platform": platform, "io_manager": ParquetTables(platform=platform)},
        executor=chosen_executor(settings.executor),
    )


def chosen_executor(place: str) -> dg.ExecutorDefinition:
    """The executor at `module:name`, as the setting `executor` says it; raises `SettingsError` where there is none."""
    if not place:
        # Clips fan out inside a step: a process per step would only add seconds of start-up.
        return dg.in_process_executor
    try:
        found = EntryPoint("executor", place, "").load()
    except (ImportError, AttributeError) as error:
        raise SettingsError(f"AVA_EXECUTOR={place}: {error}.", "Put its module on PYTHONPATH.") from error
    if not isinstance(found, dg.ExecutorDefinition):
        raise SettingsError(
            f"AVA_EXECUTOR={place} is a {type(found).__name__}, not an ExecutorDefinition.",
            "See docs/scaling.md for an example.",
        )
    return found


@dg.definitions
def defs() -> dg.Definitions:
    """What `workspace.yaml` loads."""
    return build_definitions(load_settings())
