"""Dagster's own home: `dagster.yaml` written from the settings, and its processes' environment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from dagster import DagsterInstance

from ava_core.base.settings import Settings, with_driver

POSTGRES_VARIABLE = "AVA_DAGSTER_POSTGRES_URL"
"""Holds the URL for `dagster.yaml`; the name of the setting's own variable."""

WORKSPACE = Path(__file__).resolve().parents[2] / "workspace.yaml"

MAX_RUNS_AT_ONCE = 2
"""Runs at a time: one batch's video work fills a machine; more would only make each slower."""


def dagster_yaml(settings: Settings) -> dict[str, object]:
    """The content of `dagster.yaml`: SQLite by default, PostgreSQL where `dagster_postgres_url` is set.

    The URL itself is written as a reference to the environment, so no password lies in the file.
    """
    content: dict[str, object] = {
        "telemetry": {"enabled": False},
        "nux": {"enabled": False},
        "concurrency": {"runs": {"max_concurrent_runs": MAX_RUNS_AT_ONCE}},
        "run_monitoring": {"enabled": True},
        "run_retries": {"enabled": False},
    }
    if settings.dagster_postgres_url:
        content["storage"] = {"postgres": {"postgres_url": {"env": POSTGRES_VARIABLE}}}
    return content


def open_instance(settings: Settings) -> DagsterInstance:
    """Dagster's instance under DAGSTER_HOME, its `dagster.yaml` and its tables made; close it after use."""
    home = settings.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    # Written as a whole: another process may be reading it.
    temporary = home / f".dagster.yaml.{os.getpid()}"
    temporary.write_text(yaml.safe_dump(dagster_yaml(settings), sort_keys=False))
    temporary.replace(home / "dagster.yaml")
    with variables_set(_postgres(settings)):
        instance = DagsterInstance.from_config(str(home))
    # Each storage makes its tables when it is first asked; two processes that do so at once end in an error.
    instance.get_runs_count()
    instance.get_asset_keys(limit=1)
    instance.all_instigator_state()
    return instance


def dagster_environment(settings: Settings) -> dict[str, str]:
    """Environment for Dagster's processes: the present one, the settings, DAGSTER_HOME, its tables made."""
    open_instance(settings).dispose()
    own = {
        "DAGSTER_HOME": str(settings.dagster_home),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "PYTHONWARNINGS": "ignore",
    }
    return os.environ | settings.environment() | _postgres(settings) | own


def _postgres(settings: Settings) -> dict[str, str]:
    url = settings.dagster_postgres_url
    return {POSTGRES_VARIABLE: with_driver(url.get_secret_value())} if url else {}


@contextmanager
def variables_set(values: dict[str, str]) -> Iterator[None]:
    """Set variables for the time of the block: Dagster and its resources read the environment alone."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
