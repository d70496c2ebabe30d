"""The graph as Dagster sees it: every asset of the design, explained, partitioned by batch, checked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
import yaml

from ava_assets.definitions import build_definitions
from ava_assets.running.instance import LOOKING_AFTER_RUNS, dagster_yaml
from ava_core.base.errors import SettingsError
from ava_core.base.schemas import TRACKS
from ava_core.base.settings import load_settings

ROOT = Path(__file__).resolve().parents[2]

PER_BATCH = {
    "source_videos", "clips", "tracks", "dense_proposals", "cvat_tasks", "annotated_in_cvat", "raw_annotations",
    "agreement", "qc_decisions", "consensus_labels", "ava_csv",
}  # fmt: skip
SUBJECTS = {"video", "annotation", "quality", "dataset"}
UPSTREAM = {
    "clips": {"source_videos"},
    "tracks": {"clips"},
    "dense_proposals": {"clips", "tracks"},
    "cvat_tasks": {"clips", "tracks", "dense_proposals"},
    "annotated_in_cvat": {"cvat_tasks"},
    "raw_annotations": {"annotated_in_cvat", "cvat_tasks", "clips"},
    "agreement": {"raw_annotations"},
    "qc_decisions": {"agreement"},
    "consensus_labels": {"raw_annotations", "agreement", "qc_decisions"},
    "ava_csv": {"consensus_labels"},
    "ava_release": {"ava_csv"},
}


@pytest.fixture(scope="module")
def graph() -> dg.AssetGraph:
    return build_definitions(load_settings()).resolve_asset_graph()


def test_the_graph_is_the_designs(graph: dg.AssetGraph) -> None:
    names = {key.to_user_string() for key in graph.get_all_asset_keys()}
    assert names == PER_BATCH | {"ava_release"}
    for name, wanted in UPSTREAM.items():
        parents = {key.to_user_string() for key in graph.get(dg.AssetKey(name)).parent_keys}
        assert parents == wanted, name


def test_every_asset_explains_itself(graph: dg.AssetGraph) -> None:
    for node in graph.asset_nodes:
        assert node.description, node.key
        assert node.group_name in SUBJECTS, node.key
        assert node.owners == [f"team:{node.group_name}"]
        assert node.tags["subject"] == node.group_name
        assert node.kinds, node.key
        assert (node.tags["made_by"] == "people") is not node.is_executable


def test_assets_of_one_table_show_its_columns(graph: dg.AssetGraph) -> None:
    shown = {
        node.key.to_user_string(): [column.name for column in node.metadata["dagster/column_schema"].columns]
        for node in graph.asset_nodes
        if "dagster/column_schema" in node.metadata
    }
    assert set(shown) == {"source_videos", "clips", "tracks", "dense_proposals", "cvat_tasks"}
    assert shown["tracks"] == list(TRACKS)


def test_all_but_the_release_are_partitioned_by_batch(graph: dg.AssetGraph) -> None:
    for node in graph.asset_nodes:
        partitions = node.partitions_def
        name = partitions.name if isinstance(partitions, dg.DynamicPartitionsDefinition) else None
        assert name == (None if node.key == dg.AssetKey("ava_release") else "video_batch")


def test_checks_of_batches_are_partitioned_too(graph: dg.AssetGraph) -> None:
    """Else a check would load all partitions and block what follows."""
    assert len(graph.asset_check_keys) >= 9
    for key in graph.asset_check_keys:
        assert graph.get(key).partitions_def is not None, key


def test_sensors_run_from_the_start() -> None:
    sensors = build_definitions(load_settings()).sensors or []
    assert {sensor.name for sensor in sensors} == {"batches", "cvat_jobs"}
    assert {sensor.default_status for sensor in sensors} == {dg.DefaultSensorStatus.RUNNING}


def test_no_password_is_written_to_dagsters_configuration() -> None:
    content = dagster_yaml(load_settings(dagster_postgres_url="postgresql://u:secret-word@127.0.0.1/d"))
    assert "secret-word" not in yaml.safe_dump(content)
    assert content["storage"] == {"postgres": {"postgres_url": {"env": "AVA_DAGSTER_POSTGRES_URL"}}}


CORE = "ava_core, ava_core.base.settings, ava_core.store, ava_core.ontology, ava_core.base.schemas"
HEAVY = {"torch", "cv2", "av", "rfdetr", "nicegui", "scipy", "cvat_sdk", "matplotlib", "alembic", "ray"}


@pytest.mark.parametrize(
    ("modules", "heavy"), [(CORE, HEAVY | {"dagster"}), ("ava_assets.definitions", HEAVY)]
)
def test_imports_are_light(modules: str, heavy: set[str]) -> None:
    """No heavy library is loaded before it is needed (measured in benchmarks/start.py)."""
    program = f"import sys, {modules}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert not heavy & {name.partition(".")[0] for name in loaded.split()}


def test_workspace_points_at_the_definitions() -> None:
    workspace = ROOT / "workspace.yaml"
    [entry] = yaml.safe_load(workspace.read_text())["load_from"]
    assert entry["python_module"]["module_name"] == "ava_assets.definitions"


def test_runs_are_looked_after_alike_wherever_dagster_runs() -> None:
    """On a laptop and in the containers."""
    shipped = yaml.safe_load((ROOT / "docker" / "dagster" / "dagster.yaml").read_text())
    assert {name: value for name, value in shipped.items() if name not in ("telemetry", "storage")} == (
        LOOKING_AFTER_RUNS
    )


def test_nothing_is_evaluated_while_nothing_changes(graph: dg.AssetGraph) -> None:
    """Conditions of assets cost half a core at 500 batches: the sensor of batches compares instead."""
    assert [node.key for node in graph.asset_nodes if node.automation_condition] == []


def test_steps_run_by_the_executor_that_is_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "many_processes.py").write_text(
        "from dagster import multiprocess_executor as executor\nnothing = 1\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert build_definitions(load_settings()).executor is dg.in_process_executor
    chosen = build_definitions(load_settings(executor="many_processes:executor"))
    assert chosen.resolve_job_def("video_to_tasks").executor_def is dg.multiprocess_executor
    for place, said in {
        "nowhere:executor": "No module",
        "many_processes:gone": "gone",
        "many_processes:nothing": "int",
    }.items():
        with pytest.raises(SettingsError, match=f"AVA_EXECUTOR={place}.*{said}"):
            build_definitions(load_settings(executor=place))
    with pytest.raises(SettingsError, match="AVA_EXECUTOR"):
        load_settings(executor="not a place")
