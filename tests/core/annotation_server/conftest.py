"""A server in this process, filled: see `place`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server_place import Place, make_place


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, small_clip: Path) -> Iterator[Place]:
    """A place for tests that leave it as they find it, or do not mind what others leave."""
    made = make_place(tmp_path_factory.mktemp("place"), small_clip)
    yield made
    made.app.state.store.close()


@pytest.fixture
def place(tmp_path: Path, small_clip: Path) -> Iterator[Place]:
    """A place of the test's own."""
    made = make_place(tmp_path / "place", small_clip)
    yield made
    made.app.state.store.close()
