"""The README's "Label your first clip in five minutes", walked: one person, one account, their own dataset."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from ava_assets.running.services import free_port
from ava_core.base.settings import load_settings
from ava_core.dataset.formats.ava.checks import errors_among, validate_dataset
from tests.support.alone import Alone
from tests.support.processes import ava_up

pytestmark = [pytest.mark.slow, pytest.mark.nightly, pytest.mark.xdist_group("up")]


def test_one_person_alone_makes_a_dataset(browser: Browser, tmp_path: Path, shots: Path) -> None:
    settings = load_settings(
        home=tmp_path / "home", cvat_port=free_port(), dagster_port=free_port(), console_port=free_port(),
        cvat_poll_seconds=1, detector="motion", clip_seconds=4, clip_min_seconds=4,
    )  # fmt: skip
    with ava_up(settings):
        alone = Alone(
            browser, settings, lambda name, page: page.screenshot(path=str(shots / f"alone_{name}.png"))
        )
        alone.begin()
        alone.add(tmp_path / "videos")
        assert alone.label() == alone.approve() == 2
        dataset = alone.release(tmp_path / "taken")
    assert errors_among(validate_dataset(dataset)) == []
    assert (alone.visitor.troubles, alone.visitor.elsewhere) == ([], [])
