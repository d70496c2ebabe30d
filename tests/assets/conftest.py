"""A whole platform in one process: real files, real database, real annotation server, Dagster run in process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from ava_assets.definitions import build_definitions
from ava_assets.resources import Platform
from ava_assets.running import services
from ava_assets.running.instance import open_instance
from ava_core.annotation.gateway import CvatGateway
from ava_core.base.settings import Settings, load_settings
from ava_core.demo.annotators import SimulatedAnnotator, demo_annotators
from ava_core.demo.scenes import make_batch_zip
from ava_core.demo.truth import SceneTruth
from ava_core.store import annotators, open_store

SCENE_SECONDS = 8.0
"""One clip a scene, long enough for labelled seconds."""


class GivenPlatform(Platform):
    """A platform whose settings do not come from the environment."""

    given: dict[str, Any]

    @property
    def settings(self) -> Settings:
        return load_settings(home=self.home, **self.given)


@dataclass
class Tick:
    """What a sensor asked for, or why nothing; and its new cursor."""

    run_requests: list[dg.RunRequest]
    asset_events: list[Any]
    skipped: str
    cursor: str | None


@dataclass
class Site:
    """The platform under test, and how to run parts of its graph."""

    platform: GivenPlatform
    definitions: dg.Definitions
    instance: dg.DagsterInstance
    dagster_url: str = ""

    @property
    def settings(self) -> Settings:
        """Its settings."""
        return self.platform.settings

    def materialise(self, *assets: str, batch: str | None = None) -> dg.ExecuteInProcessResult:
        """Run these assets with their checks, as a click in the UI would."""
        job = self.definitions.resolve_implicit_global_asset_job_def()
        return job.execute_in_process(
            asset_selection=[dg.AssetKey(name) for name in assets],
            partition_key=batch,
            instance=self.instance,
            raise_on_error=False,
        )

    def tick(self, sensor: str, cursor: str | None = None) -> Tick:
        """Let a sensor look, and do what it asks for but for the runs."""
        context = dg.build_sensor_context(
            instance=self.instance, cursor=cursor, resources={"platform": self.platform}
        )
        found = self.definitions.resolve_sensor_def(sensor)(context)
        if isinstance(found, dg.SkipReason):
            return Tick([], [], found.skip_message or "", context.cursor)
        for request in found.dynamic_partitions_requests or []:
            self.instance.add_dynamic_partitions(request.partitions_def_name, list(request.partition_keys))
        for event in found.asset_events:
            self.instance.report_runless_asset_event(event)
        return Tick(
            list(found.run_requests or []), list(found.asset_events), "", found.cursor or context.cursor
        )


def make_site(home: Path, instance_settings: dict[str, Any] | None = None, **given: Any) -> Site:
    """A platform with a home of its own; `instance_settings` reach Dagster's instance alone."""
    platform = GivenPlatform(home=str(home), given=given)
    definitions = build_definitions(platform.settings, platform)
    return Site(platform, definitions, open_instance(load_settings(home=home, **(instance_settings or {}))))


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SceneTruth]:
    """A zip with two short scenes and a broken file, and what happens in them."""
    return make_batch_zip(tmp_path_factory.mktemp("scenes"), seed=3, seconds=SCENE_SECONDS)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A platform without an annotation server."""
    built = make_site(tmp_path / "home")
    yield built
    built.instance.dispose()


@pytest.fixture
def annotated_site(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[Site, list[SimulatedAnnotator]]]:
    """A platform with an annotation server and two annotators; databases as the parameter says."""
    given: dict[str, Any] = {"cvat_port": services.free_port(), "annotators_per_clip": 2}
    instance_settings: dict[str, Any] = {}
    if getattr(request, "param", "sqlite") == "postgresql":
        new_database = request.getfixturevalue("new_postgres_database")
        given["database_url"] = new_database()
        instance_settings["dagster_postgres_url"] = new_database()
    built = make_site(tmp_path / "home", instance_settings, **given)
    crowd = demo_annotators(["first-secret-word", "second-secret-word"])
    with services.running([services.annotation_server(built.settings)]):
        store = open_store(built.settings)
        with CvatGateway(built.settings) as gateway:
            gateway.ensure_organisation()
            for one in crowd:
                gateway.register_annotator(one.username, one.password, f"{one.username}@example.org")
                annotators.put(store, one.username)
        built.dagster_url = instance_settings.get("dagster_postgres_url", "")
        yield built, crowd
        built.instance.dispose()
        store.close()
