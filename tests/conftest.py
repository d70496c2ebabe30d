"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

PROJECT_ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """Folder of reference data (videos, ground truth, recordings); the test is skipped where it is absent."""
    folder = Path(os.environ.get("AVA_REFERENCE_DATA", PROJECT_ROOT / ".." / "shared" / "data")).resolve()
    if not folder.is_dir():
        pytest.skip(f"reference data not found at {folder}; set AVA_REFERENCE_DATA")
    return folder


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Tests see neither the developer's AVA_ variables nor a .env file, and never write to the real home."""
    for name in list(os.environ):
        if name.startswith("AVA_") and name not in ("AVA_REFERENCE_DATA", "AVA_TEST_POSTGRES_URL"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AVA_HOME", str(tmp_path / "ava-home"))
