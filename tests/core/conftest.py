"""Settings and a database in the test's own folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ava_core.base.settings import Settings, load_settings
from ava_core.store import Store, open_store

if TYPE_CHECKING:
    from tests.support.annotation_site import AnnotationSite


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


@pytest.fixture
def site(annotation_site: AnnotationSite) -> AnnotationSite:
    """A platform with two clips and three annotators beside a running annotation server."""
    return annotation_site
