"""A few faults every night; by hand, with a seed, as many as you like: `python -m tests.chaos`."""

from __future__ import annotations

from pathlib import Path

import pytest

from ava_core.demo.scenes import make_batch_zip
from tests.chaos.__main__ import SCENE_SECONDS, disturbed, undisturbed
from tests.chaos.platform import Platform
from tests.support.postgres import Postgres

FAULTS = ["run killed", "PostgreSQL killed", "code server killed", "disk full", "ava up and guard killed"]


@pytest.mark.slow
@pytest.mark.nightly
def test_a_way_that_is_disturbed_ends_in_the_bytes_of_the_undisturbed_one(tmp_path: Path) -> None:
    input_ = make_batch_zip(tmp_path / "scenes", seed=3, seconds=SCENE_SECONDS)
    with Postgres() as postgres:
        want, _ = undisturbed(Platform(tmp_path / "undisturbed", postgres), input_)
        outcome = disturbed(1, Platform(tmp_path / "disturbed", postgres), input_, FAULTS, want)
    assert (outcome.said, outcome.same) == ("", True)
    assert outcome.faults == FAULTS
