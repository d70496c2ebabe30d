"""Videos made on the spot, and what cuts them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ava_core.base.settings import Settings, load_settings
from ava_core.base.storage import Storage
from tests.support.videos import Picture, number_in, write_sound, write_video


@pytest.fixture(scope="session")
def make_video() -> Callable[..., Path]:
    """`write_video`."""
    return write_video


@pytest.fixture(scope="session")
def make_sound() -> Callable[..., Path]:
    """`write_sound`."""
    return write_sound


@pytest.fixture(scope="session")
def shown_number() -> Callable[[Picture], int]:
    """`number_in`."""
    return number_in


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    """Files in the test's own folder."""
    return Storage(tmp_path / "storage")


@pytest.fixture
def small_clips() -> Settings:
    """Clips of 2 s, remainders from 1 s: what 15 s and 5 s are, in less time."""
    return load_settings(clip_seconds=2.0, clip_min_seconds=1.0)
