"""An empty database, on each of the two systems that are supported."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ava_core.store import Store, open_store


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A fresh database with its schema."""
    sqlite = f"sqlite:///{tmp_path / 'ava.db'}"
    opened = open_store(sqlite if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    yield opened
    opened.close()
