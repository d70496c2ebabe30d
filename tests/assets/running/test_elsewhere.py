"""Runs and steps elsewhere: the examples of docs/scaling.md, as far as the packages that they name are installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster._config import process_config, resolve_to_config_type

from ava_assets.running.instance import dagster_environment
from ava_assets.running.services import free_port
from ava_core.demo.scenes import make_batch_zip
from ava_core.store import made_of
from tests.support.dagster_site import DagsterSite
from tests.support.waiting import wait_until

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "scaling.md").read_text("utf-8")
LAUNCHERS: list[dict[str, Any]] = [
    yaml.safe_load(example)["run_launcher"]
    for example in re.findall(r"```yaml\n(run_launcher:.*?)```", TEXT, re.DOTALL)
]
REDIS = "redis://redis:6379"
"""The examples' own Redis; tests start one elsewhere."""


def test_there_is_an_example_for_docker_kubernetes_and_ray() -> None:
    assert [one["module"] for one in LAUNCHERS] == ["dagster_docker", "dagster_k8s", "dagster_ray"]


@pytest.mark.parametrize("said", LAUNCHERS, ids=lambda said: said["module"])
def test_a_launcher_takes_the_configuration_of_its_example(
    said: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    package = said["module"].replace("_", "-")
    pytest.importorskip(said["module"], reason=f"{package} is not installed")
    launcher = getattr(import_module(said["module"]), said["class"])
    done = process_config(resolve_to_config_type(launcher.config_type()), said["config"])
    assert done.success, [error.message for error in done.errors or []]


def example(language: str, first: str) -> str:
    """The example that begins so."""
    [found] = [
        each for each in re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL) if each.startswith(first)
    ]
    return str(found)


@contextmanager
def process(*command: str, log: Path, **environment: str) -> Iterator[None]:
    """A program beside the test; it ends with the block."""
    with log.open("wb") as output:
        running = subprocess.Popen(
            command, env=os.environ | environment, cwd=log.parent, stdout=output, stderr=output
        )
        try:
            yield
        finally:
            running.terminate()
            running.wait(60)


@pytest.mark.slow
@pytest.mark.nightly
def test_steps_go_through_celery_on_redis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the lines of the example, but for where Redis listens."""
    pytest.importorskip("dagster_celery", reason="dagster-celery is not installed")
    redis = pytest.importorskip("redis", reason="redis is not installed")
    server = shutil.which("redis-server")
    if server is None:
        pytest.skip("redis-server is not installed")
    port = free_port()
    own = f"redis://127.0.0.1:{port}"
    (tmp_path / "celery_steps.py").write_text(example("python", "from dagster_celery").replace(REDIS, own))
    worker, _ = example("sh", "celery").replace(REDIS, own).splitlines()
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, value in {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "AVA_HOME": str(tmp_path / "home"),
        "AVA_EXECUTOR": "celery_steps:executor",
        "AVA_WORKERS": "2",
    }.items():
        monkeypatch.setenv(name, value)
    site = DagsterSite(tmp_path / "home")
    site.settings.inbox_dir.mkdir(parents=True)
    batch = make_batch_zip(site.settings.inbox_dir, seed=3, seconds=8.0)[0].stem
    site.register_batch(batch)
    site.instance.add_dynamic_partitions("video_batch", [batch])
    log = tmp_path / "worker.log"
    with (
        process(server, "--bind", "127.0.0.1", "--port", str(port), "--save", "", log=tmp_path / "redis.log"),
        process(sys.executable, "-m", *worker.split(), "--loglevel", "info", log=log),
    ):
        wait_until(lambda: answers(redis.Redis(port=port)), 60)
        subprocess.run(
            [sys.executable, "-m", "dagster", "asset", "materialize", "--select", "source_videos,clips",
             "--partition", batch, "-m", "ava_assets.definitions"],
            env=dagster_environment(site.settings), cwd=tmp_path, check=True, timeout=240,
        )  # fmt: skip
        assert set(made_of.of_batch(site.store, batch)) == {"source_videos", "clips"}
    site.close()
    steps = set(re.findall(r"Executing steps (\w+) in celery worker", log.read_text()))
    assert {"source_videos", "clips", "clips_clips_run_at_thirty_frames"} <= steps


def answers(server: Any) -> bool:
    """Whether Redis can be used by now."""
    try:
        return bool(server.ping())
    except Exception:  # of a package that this module does not import
        return False
