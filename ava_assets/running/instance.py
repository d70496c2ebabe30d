"""Dagster's own home: `dagster.yaml` written from the settings, and its processes' environment."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from dagster import DagsterInstance

from ava_core.base.settings import Settings, with_driver
from ava_core.operations.services import run_dir

POSTGRES_VARIABLE = "AVA_DAGSTER_POSTGRES_URL"
"""Holds the URL for `dagster.yaml`; the name of the setting's own variable."""

LOCATION = "ava"
"""What Dagster calls our code; the console asks for it by this name."""

SOCKET_BYTES = 100
"""A socket's path may be little longer on any system."""

MAX_RUNS_AT_ONCE = 2
"""Runs at a time: one batch's video work fills a machine; more would only make each slower."""


LOOKING_AFTER_RUNS: dict[str, object] = {
    "run_launcher": {"module": "ava_assets.running.launcher", "class": "WatchedRunLauncher"},
    # A launch that a busy code server did not answer is tried again, not given up.
    "run_queue": {"max_user_code_failure_retries": 10, "user_code_failure_retry_delay": 15},
    "concurrency": {
        "runs": {
            "max_concurrent_runs": MAX_RUNS_AT_ONCE,
            # Runs of one batch would write the same tables.
            "tag_concurrency_limits": [
                {"key": "dagster/partition", "value": {"applyLimitPerUniqueValue": True}, "limit": 1}
            ],
        }
    },
    "run_monitoring": {"enabled": True, "start_timeout_seconds": 300, "poll_interval_seconds": 30},
    # A run whose process was lost comes back; one whose step failed fails again: `ava_assets.needs` waits and asks.
    "run_retries": {"enabled": True, "max_retries": 3, "retry_on_asset_or_op_failure": False},
    "code_servers": {"local_startup_timeout": 300},
    # One sensor asks for what is missing; nothing here has conditions or policies that Dagster would look through.
    "auto_materialize": {"enabled": False, "use_sensors": False},
    "freshness": {"enabled": False},
    "retention": {"sensor": {"purge_after_days": {"skipped": 1, "success": 30, "failure": 30}}},
}
"""How Dagster takes care of runs, wherever it runs: `docker/dagster/dagster.yaml` says the same."""

GRPC_SECONDS = 180
"""Dagster gives a code server 60 s to answer, which a busy laptop needs for imports alone."""


LOST_SECONDS = 15
"""Between two looks for lost runs that are to be started again, of which the daemon knows every 30 s at best."""


def dagster_yaml(settings: Settings) -> dict[str, object]:
    """The content of `dagster.yaml`: SQLite by default, PostgreSQL where `dagster_postgres_url` is set.

    The URL itself is written as a reference to the environment, so no password lies in the file.
    """
    content: dict[str, object] = {
        "telemetry": {"enabled": False},
        "nux": {"enabled": False},
        **LOOKING_AFTER_RUNS,
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
        "DAGSTER_GRPC_TIMEOUT_SECONDS": str(GRPC_SECONDS),
        "DAGSTER_EVENT_LOG_CONSUMER_DAEMON_INTERVAL_SECONDS": str(LOST_SECONDS),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "PYTHONWARNINGS": "ignore",
    }
    return os.environ | settings.environment() | _postgres(settings) | own


def code_socket(settings: Settings) -> Path:
    """Where the code server of a home listens: the same after every start, as runs of an earlier one need."""
    own = run_dir(settings) / "code.sock"
    if len(str(own).encode()) <= SOCKET_BYTES:
        return own
    name = hashlib.sha256(str(settings.home_dir).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"ava-{os.getuid()}-{name}" / "code.sock"


def workspace_file(settings: Settings) -> Path:
    """The file that tells Dagster's processes where the code server listens, written anew."""
    file = settings.dagster_home / "workspace.yaml"
    where = {"socket": str(code_socket(settings)), "location_name": LOCATION}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump({"load_from": [{"grpc_server": where}]}))
    return file


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
