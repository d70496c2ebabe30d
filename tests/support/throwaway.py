"""An environment for one test, with packages that the project does not install."""

from __future__ import annotations

import subprocess
import sysconfig
import venv
from pathlib import Path

import pytest


class Unavailable(Exception):
    """Packages that cannot be had here."""


def throwaway(folder: Path, *packages: str, shared: bool = False) -> Path:
    """As `environment`; the test is skipped where the packages cannot be had."""
    try:
        return environment(folder, *packages, shared=shared)
    except Unavailable as error:
        pytest.skip(str(error))


def environment(folder: Path, *packages: str, shared: bool = False) -> Path:
    """Python of a fresh environment with these packages; raises `Unavailable` where they cannot be had.

    `shared`: it sees this environment's packages, too, so that none of them (PyTorch) has to come again.
    """
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    if shared:
        (site,) = folder.glob("lib/python*/site-packages")
        (site / "shared.pth").write_text(sysconfig.get_path("purelib") + "\n")
    done = subprocess.run(
        [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise Unavailable(f"pip cannot install {', '.join(packages)}: {done.stderr.strip().splitlines()[-1]}")
    return python
