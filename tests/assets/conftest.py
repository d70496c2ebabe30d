"""A whole platform in one process: real files, real database, real annotation server, Dagster run in process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ava_core.demo.annotators import SimulatedAnnotator
from ava_core.demo.scenes import make_batch_zip
from ava_core.demo.truth import SceneTruth
from tests.support.dagster_site import DagsterSite, annotated

SCENE_SECONDS = 8.0
"""One clip a scene, long enough for labelled seconds."""


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SceneTruth]:
    """A zip with two short scenes and a broken file, and what happens in them."""
    return make_batch_zip(tmp_path_factory.mktemp("scenes"), seed=3, seconds=SCENE_SECONDS)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[DagsterSite]:
    """A platform without an annotation server."""
    built = DagsterSite(tmp_path / "home")
    yield built
    built.close()


@pytest.fixture
def annotated_site(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[DagsterSite, list[SimulatedAnnotator]]]:
    """A platform with an annotation server, two annotators and two workers; databases as the parameter says."""
    given: dict[str, Any] = {}
    if getattr(request, "param", "sqlite") == "postgresql":
        new_database = request.getfixturevalue("new_postgres_database")
        given = {"database_url": new_database(), "dagster_url": new_database()}
    with annotated(tmp_path / "home", workers=2, **given) as built:
        yield built
