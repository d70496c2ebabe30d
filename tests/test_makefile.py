"""What the commands of the Makefile install before they begin."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A place without an environment."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def would_run(fresh: Path, target: str, uv: str = "") -> list[str]:
    """What make would run there for a target."""
    command = ["make", "--dry-run", target, f"UV={uv}"]
    # The tests may be run by make themselves, which tells those below it so.
    environment = {
        name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")
    }
    done = subprocess.run(
        command, cwd=fresh, capture_output=True, text=True, timeout=60, check=True, env=environment
    )
    return done.stdout.replace("\\\n", "").splitlines()


def test_the_demo_installs_no_test_tools(fresh: Path) -> None:
    lines = would_run(fresh, "demo")
    assert [line for line in lines if "pip install" in line] == [
        ".venv/bin/python -m pip install -q -c constraints.txt -e ."
    ]
    assert lines[-1] == ".venv/bin/ava demo"


def test_tests_add_theirs_to_the_same_environment(fresh: Path) -> None:
    extras = [line.split()[-1] for line in would_run(fresh, "test") if "pip install" in line]
    assert extras == [".", "'.[dev]'"]


def test_uv_installs_where_it_is_there_and_pip_where_uv_fails(fresh: Path) -> None:
    (line,) = (line for line in would_run(fresh, "demo", "/opt/uv") if "pip install" in line)
    first, then = line.split("||")
    assert first.startswith("/opt/uv pip install -q --python .venv/bin/python -c constraints.txt")
    assert then.strip().startswith(".venv/bin/python -m pip install")
