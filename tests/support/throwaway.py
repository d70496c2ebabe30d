"""An environment for one test, with packages that the project does not install."""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path

import pytest


def throwaway(folder: Path, *packages: str) -> Path:
    """Python of a fresh environment with these packages; the test is skipped where they cannot be had."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    done = subprocess.run(
        [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        pytest.skip(f"pip cannot install {', '.join(packages)}: {done.stderr.strip().splitlines()[-1]}")
    return python
