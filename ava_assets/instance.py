"""Dagster's own home: `dagster.yaml` written from the settings, and its processes' environment."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

from ava_core.settings import Settings, with_driver

WORKSPACE = Path(__file__).resolve().parent.parent / "workspace.yaml"

MAX_RUNS_AT_ONCE = 2
"""Runs at a time: one batch's video work fills a machine; more would only make each slower."""


def dagster_yaml(settings: Settings) -> dict[str, object]:
    """The content of `dagster.yaml`: SQLite by default, PostgreSQL where `dagster_postgres_url` is set.

    The URL itself is written as a reference to the environment, so no password lies in the file.
    """
    content: dict[str, object] = {
        "telemetry": {"enabled": False},
        "concurrency": {"runs": {"max_concurrent_runs": MAX_RUNS_AT_ONCE}},
        "run_monitoring": {"enabled": True},
        "run_retries": {"enabled": False},
    }
    if settings.dagster_postgres_url:
        content["storage"] = {"postgres": {"postgres_url": {"env": "AVA_DAGSTER_POSTGRES_URL"}}}
    return content


def prepare_dagster_home(settings: Settings) -> Path:
    """Make DAGSTER_HOME with its `dagster.yaml`; returns the folder."""
    home = settings.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    (home / "dagster.yaml").write_text(yaml.safe_dump(dagster_yaml(settings), sort_keys=False))
    return home


def dagster_environment(settings: Settings) -> dict[str, str]:
    """Environment for Dagster's processes: the present one, the settings, and DAGSTER_HOME."""
    environment = (
        os.environ
        | settings.environment()
        | {
            "DAGSTER_HOME": str(prepare_dagster_home(settings)),
            "DAGSTER_DISABLE_TELEMETRY": "yes",
            "PYTHONWARNINGS": "ignore",
        }
    )
    if settings.dagster_postgres_url:
        url = settings.dagster_postgres_url.get_secret_value()
        environment["AVA_DAGSTER_POSTGRES_URL"] = with_driver(url)
    return environment
