"""A platform's home under its graph: Dagster runs in the test's own process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from ava_assets.definitions import build_definitions
from ava_assets.resources import Platform
from ava_assets.running import services
from ava_assets.running.instance import open_instance
from ava_core.annotation.gateway import CvatGateway
from ava_core.base.settings import Settings, load_settings
from ava_core.demo.annotators import SimulatedAnnotator, demo_annotators
from tests.support.home import Home


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


class DagsterSite(Home):
    """A home, and how to run parts of its graph; Dagster's own storage is PostgreSQL where `dagster_url` says so."""

    def __init__(self, folder: Path, dagster_url: str = "", **given: Any) -> None:
        super().__init__(folder, **given)
        self.dagster_url = dagster_url
        self.platform = GivenPlatform(home=str(folder), given=given)
        self.definitions = build_definitions(self.settings, self.platform)
        self.instance = open_instance(load_settings(home=folder, dagster_postgres_url=dagster_url))

    def close(self) -> None:
        """Let go of Dagster's storage and of the database."""
        self.instance.dispose()
        super().close()

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
        context = dg.build_sensor_context(instance=self.instance, cursor=cursor)
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


@contextmanager
def annotated(folder: Path, **given: Any) -> Iterator[tuple[DagsterSite, list[SimulatedAnnotator]]]:
    """A platform with an annotation server and two annotators, under these settings."""
    built = DagsterSite(folder, cvat_port=services.free_port(), annotators_per_clip=2, **given)
    crowd = demo_annotators(["first-secret-word", "second-secret-word"])
    with services.running([services.annotation_server(built.settings)]):
        with CvatGateway(built.settings) as gateway:
            gateway.ensure_organisation()
            for one in crowd:
                gateway.register_annotator(one.username, one.password, f"{one.username}@example.org")
        built.add_annotators(one.username for one in crowd)
        yield built, crowd
        built.close()
