"""The whole graph once: a zip in, a dataset out, with real runs; on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
import sqlalchemy as sa

from ava_core import decisions
from ava_core.dataset.formats.ava.checks import errors_among, validate_dataset
from ava_core.demo.annotators import SimulatedAnnotator, simulate
from ava_core.demo.truth import SceneTruth, truth_in_clips
from ava_core.ontology import load_ontology
from ava_core.store import batches, open_store, readings, tasks
from ava_core.video.intake.inbox import add_to_inbox
from tests.support.dagster_site import DagsterSite, Tick

BATCH = "street_1"


def checks_of(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {e.check_name: e.passed for e in result.get_asset_check_evaluations()}


def asked(tick: Tick) -> dict[str, set[str]]:
    """By batch, the assets that a look asks for."""
    return {
        str(request.partition_key): {key.to_user_string() for key in request.asset_selection or []}
        for request in tick.run_requests
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "annotated_site", ["sqlite", pytest.param("postgresql", marks=pytest.mark.nightly)], indirect=True
)
def test_from_a_zip_to_a_dataset(
    annotated_site: tuple[DagsterSite, list[SimulatedAnnotator]], scenes: tuple[Path, SceneTruth]
) -> None:
    site, crowd = annotated_site
    archive, scene_truth = scenes
    store, storage = open_store(site.settings), site.platform.storage
    ontology = load_ontology(site.settings.ontology)

    def table(asset: str, name: str = "") -> pl.DataFrame:
        return storage.read_table(storage.table_path(BATCH, asset, name))

    # the sensor makes a partition and asks for a run, once
    add_to_inbox(site.settings, store, archive, name=BATCH)
    found = site.tick("batches")
    assert [request.partition_key for request in found.run_requests] == [BATCH]
    assert site.instance.get_dynamic_partitions("video_batch") == [BATCH]
    assert not site.tick("batches", found.cursor).run_requests

    # video to tasks
    job = site.definitions.resolve_job_def("video_to_tasks")
    made = job.execute_in_process(partition_key=BATCH, instance=site.instance)
    assert made.success
    passed = checks_of(made)
    assert passed.pop("no_video_is_quarantined") is False, "the broken file is reported, and the rest goes on"
    assert all(passed.values()), passed
    sources = table("source_videos")
    assert sources["status"].value_counts().sort("status").rows() == [("ok", 2), ("quarantined", 1)]
    assert sources.filter(pl.col("status") == "quarantined")["reason"][0]
    assert table("clips").height == 2
    assert table("dense_proposals").height > 10
    sheet = _metadata(made, "tracks")["preview"].value
    assert sheet.startswith("![preview](data:image/jpeg;base64,")
    provenance = _metadata(made, "tracks")["provenance"].value
    assert "motion" in json.dumps(provenance)

    # nothing is completed yet
    quiet = site.tick("cvat_jobs")
    assert not site.tick("batches").run_requests

    # people work: what they completed is to be read, agreement with it
    truth = truth_in_clips(scene_truth, table("clips"), sources, ontology)
    for one in crowd:
        simulate(one, site.settings.resolved_cvat_url, site.settings.cvat_organisation, truth, ontology)
    site.tick("cvat_jobs", quiet.cursor)
    reported = site.tick("batches")
    assert asked(reported) == {BATCH: {"raw_annotations", "agreement"}}
    assert [(e.asset_key.to_user_string(), e.partition) for e in reported.asset_events] == [
        ("annotated_in_cvat", BATCH)
    ]
    assert not site.tick("batches").run_requests, "it was asked for"

    # agreement, decisions, consensus, dataset
    measured = site.materialise("raw_annotations", "agreement", batch=BATCH)
    assert measured.success
    assert checks_of(measured)["alphas_are_krippendorffs"]
    assert table("raw_annotations", "completed_jobs").height == 4
    assert table("agreement", "overall").height
    assert not site.tick("batches").run_requests
    decisions.approve(store, BATCH, table("clips")["clip_id"].to_list(), "ann")
    decided = site.tick("batches")
    assert asked(decided) == {BATCH: {"consensus_labels", "ava_csv"}}
    assert [event.partition for event in decided.asset_events] == [BATCH]
    written = site.materialise("consensus_labels", "ava_csv", batch=BATCH)
    assert written.success
    assert checks_of(written)["readers_accept_the_batch"]
    assert not site.tick("batches").run_requests, "nothing is behind"
    released = site.materialise("ava_release")
    assert released.success
    _check_no_path_of_this_machine_is_shown(site)
    folder = site.platform.storage.path(_metadata(released, "ava_release")["folder"].value)
    assert errors_among(validate_dataset(Path(str(folder)))) == []

    # once more: nothing is doubled
    assert job.execute_in_process(partition_key=BATCH, instance=site.instance).success
    assert tasks.job_counts(store, BATCH) == tasks.JobCounts(tasks=2, jobs=4, completed=4)
    assert site.materialise("raw_annotations", batch=BATCH).success
    numbers = [job.job_id for job in tasks.completed_jobs(store, BATCH)]
    assert {reading.version for reading in readings.latest(store, numbers).values()} == {1}
    _check_where_runs_lie(site)


def _metadata(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, Any]:
    [event] = result.asset_materializations_for_node(asset)
    return dict(event.metadata)


def _check_no_path_of_this_machine_is_shown(site: DagsterSite) -> None:
    made = [
        record.asset_materialization
        for key in site.instance.all_asset_keys()
        for record in site.instance.fetch_materializations(key, limit=9).records
    ]
    assert len(made) > 9
    assert [one.asset_key for one in made if one and str(site.settings.home_dir) in str(one.metadata)] == []


def _check_where_runs_lie(site: DagsterSite) -> None:
    """Dagster's runs are in PostgreSQL where that was asked for, and nowhere else."""
    if not site.dagster_url:
        assert (site.settings.dagster_home / "history").exists()
        return
    engine = sa.create_engine(site.dagster_url)
    with engine.connect() as connection:
        runs = connection.execute(sa.text("SELECT count(*) FROM runs")).scalar_one()
    engine.dispose()
    assert runs == site.instance.get_runs_count() > 3
    assert not (site.settings.dagster_home / "history").exists()


def test_a_batch_without_a_usable_video_stops_with_a_sentence(site: DagsterSite, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "cut.mp4").write_bytes(b"\0" * 500)
    store = open_store(site.settings)
    add_to_inbox(site.settings, store, tmp_path / "bad", name="bad")
    site.tick("batches")
    result = site.materialise("source_videos", "clips", batch="bad")
    assert not result.success
    assert checks_of(result)["a_video_is_usable"] is False
    assert result.get_step_skipped_events() or "clips" not in str(result.get_asset_materialization_events())


def test_options_of_a_batch_reach_its_assets(site: DagsterSite, scenes: tuple[Path, SceneTruth]) -> None:
    store = open_store(site.settings)
    options = {"clip_seconds": 3, "clip_min_seconds": 1.5, "clip_width": 320, "clip_height": 240}
    add_to_inbox(site.settings, store, scenes[0], name="small", options=options)
    site.tick("batches")
    assert site.materialise("source_videos", "clips", batch="small").success
    storage = site.platform.storage
    clips = storage.read_table(storage.table_path("small", "clips"))
    assert set(clips["duration_s"]) == {3.0, 2.0}
    assert clips["width"].max() == 320
    assert batches.get(store, "small").options == options


def test_a_batch_that_is_dealt_out_on_request_stops_before_its_tasks(
    site: DagsterSite, scenes: tuple[Path, SceneTruth]
) -> None:
    store = open_store(site.settings)
    add_to_inbox(site.settings, store, scenes[0], name="later", options={"deal_out": "on request"})
    [request] = site.tick("batches").run_requests
    assert {key.to_user_string() for key in request.asset_selection or []} == {
        "source_videos", "clips", "tracks", "dense_proposals",
    }  # fmt: skip
    job = site.definitions.resolve_job_def("video_to_tasks")
    made = job.execute_in_process(
        partition_key="later", instance=site.instance, asset_selection=request.asset_selection
    )
    assert made.success
    assert not site.platform.storage.table_path("later", "cvat_tasks").exists()


def test_tasks_without_a_server_fail_with_the_cure(
    site: DagsterSite, scenes: tuple[Path, SceneTruth]
) -> None:
    add_to_inbox(site.settings, open_store(site.settings), scenes[0], name="b")
    site.tick("batches")
    result = site.materialise("source_videos", "clips", "tracks", "dense_proposals", "cvat_tasks", batch="b")
    [failure] = [event for event in result.all_events if event.is_step_failure]
    assert failure.step_key == "cvat_tasks"
    assert "ava annotator add" in str(failure.step_failure_data.error.cause)


def test_the_sensor_says_that_the_server_is_away(site: DagsterSite) -> None:
    assert "is not responding" in site.tick("cvat_jobs").skipped
