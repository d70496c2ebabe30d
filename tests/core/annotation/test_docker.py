"""What is laid over CVAT's compose file, and the script that brings CVAT up."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml

DOCKER = Path(__file__).resolve().parents[3] / "docker"


def test_the_override_reaches_both_services_that_send_webhooks() -> None:
    services = yaml.safe_load((DOCKER / "compose.cvat.yaml").read_text())["services"]
    assert set(services) == {"cvat_server", "cvat_worker_webhooks"}
    for service in services.values():
        assert "--unsafe-allow-private-ranges" in service["environment"]["SMOKESCREEN_OPTS"]
        assert "host.docker.internal:host-gateway" in service["extra_hosts"]


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """Stand-ins for docker, git, curl and ava that note how they were called."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("docker", "git", "curl", "ava"):
        program = folder / name
        made = (
            'for last; do :; done; mkdir -p "$last"; touch "$last/docker-compose.yml"'
            if name == "git"
            else ""
        )
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> "{tmp_path}/calls"\n{made}\n')
        program.chmod(0o755)
    return folder


def run(tools: Path, **given: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": f"{tools}{os.pathsep}/usr/bin:/bin",
        "CVAT_FOLDER": str(tools.parent / "cvat"),
        **given,
    }
    return subprocess.run(
        [str(DOCKER / "cvat-up.sh")], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_script_brings_everything_up_and_shows_no_password(tools: Path) -> None:
    for _ in range(2):
        done = run(tools, CVAT_ADMIN_PASSWORD="very-secret", AVA_WEBHOOK_SECRET="shared-secret")
        assert done.returncode == 0, done.stderr
    calls = (tools.parent / "calls").read_text()
    assert calls.count("git clone") == 1
    assert "compose.cvat.yaml up -d" in calls
    assert "createsuperuser --noinput" in calls
    assert "ava cvat setup --webhook-url http://host.docker.internal:8501/webhook" in calls
    assert "secret" not in calls + done.stdout


def test_the_script_asks_for_what_it_needs(tools: Path) -> None:
    done = run(tools, CVAT_ADMIN_PASSWORD="x")
    assert done.returncode != 0
    assert "AVA_WEBHOOK_SECRET" in done.stderr
    assert not (tools.parent / "calls").exists()
