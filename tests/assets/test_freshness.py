"""Checks that say what is behind: in the words of the sensor of batches, by the same comparison."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from ava_assets.freshness import NAME
from ava_core import decisions
from ava_core.operations.needs import (
    BEHIND,
    CONSENSUS_ASSETS,
    READING_ASSETS,
    TASKS,
    VIDEO_ASSETS,
    consensus_state,
    reading_state,
)
from ava_core.store import made_of
from tests.support.dagster_site import DagsterSite
from tests.support.street import BATCH, copy_street


@pytest.fixture
def made(street: Path, tmp_path: Path) -> Iterator[DagsterSite]:
    """A batch whose assets are all made of the newest work and decisions."""
    copy_street(street, tmp_path / "home")
    site = DagsterSite(tmp_path / "home", ontology="street")
    site.instance.add_dynamic_partitions("video_batch", [BATCH])
    note(site, *VIDEO_ASSETS, TASKS, state="")
    note(site, *READING_ASSETS, state=reading_state(site.store, BATCH))
    decisions.approve(site.store, BATCH, ["clip_0000"], "ann")
    note(site, *CONSENSUS_ASSETS, state=newest(site))
    yield site
    site.close()


def newest(site: DagsterSite) -> str:
    """What a consensus would be made of now."""
    return consensus_state(reading_state(site.store, BATCH), decisions.newest_decision(site.store, BATCH))


def note(site: DagsterSite, *assets: str, state: str) -> None:
    for asset in assets:
        made_of.note(site.store, BATCH, asset, state)


def said(site: DagsterSite, asset: str) -> Any:
    """What the check says when it is run by itself, as a click in the UI would."""
    key = dg.AssetCheckKey(dg.AssetKey(asset), NAME)
    job = site.definitions.resolve_implicit_global_asset_job_def().get_subset(
        asset_selection=set(), asset_check_selection={key}
    )
    [evaluation] = job.execute_in_process(
        partition_key=BATCH, instance=site.instance
    ).get_asset_check_evaluations()
    return evaluation


def shown(site: DagsterSite, asset: str) -> Any:
    """What Dagster shows of a check, whoever reported it."""
    key = dg.AssetCheckKey(dg.AssetKey(asset), NAME)
    [record] = site.instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    assert record.event is not None
    return record.event.dagster_event.event_specific_data


def test_what_is_made_of_the_newest_is_up_to_date(made: DagsterSite) -> None:
    assert said(made, "consensus_labels").passed
    assert said(made, "ava_csv").passed


def test_a_newer_decision_is_said_until_the_assets_are_made_anew(made: DagsterSite) -> None:
    decisions.reopen(made.store, BATCH, ["clip_0000"], "ann")
    found = said(made, "ava_csv")
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert found.description == "The dataset is older than the newest reading or decision."
    assert said(made, "raw_annotations").passed, "decisions are not in it"


def test_the_sensor_shows_what_is_behind_when_it_asks_for_a_run(made: DagsterSite) -> None:
    decisions.reopen(made.store, BATCH, ["clip_0000"], "ann")
    tick = made.tick("batches")
    assert [request.partition_key for request in tick.run_requests] == [BATCH]
    for asset in CONSENSUS_ASSETS:
        found = shown(made, asset)
        assert (found.passed, found.partition, found.description) == (False, BATCH, BEHIND[asset])
    note(made, *CONSENSUS_ASSETS, state=newest(made))
    assert said(made, "ava_csv").passed
    assert shown(made, "ava_csv").passed, "a run of the asset says so, too"
