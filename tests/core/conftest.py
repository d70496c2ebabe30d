"""Settings and a database in the test's own folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ava_core.base.settings import Settings, load_settings
from ava_core.store import Store, open_store


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Default settings with a home of the test's own."""
    return load_settings(home=tmp_path / "home")


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    """The database of these settings."""
    opened = open_store(settings)
    yield opened
    opened.close()
