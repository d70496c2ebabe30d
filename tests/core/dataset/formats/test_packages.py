"""Releases in the hands of the packages that read them: each in an environment of its own, their code unchanged."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ava_core.dataset.formats.ava.reader import read_rows
from tests.support.numbered import LENGTHS
from tests.support.packages import PACKAGES, Package
from tests.support.throwaway import throwaway

pytestmark = [pytest.mark.slow, pytest.mark.nightly]

ROOT = Path(__file__).parents[4]
SPLITS = ("train", "val", "test")


def said(package: Package, python: Path, folder: Path, *splits: str) -> list[list[Any]]:
    """What it makes of each split, as `tests.support.programs` says."""
    called = [python, "-m", f"tests.support.programs.{package.program}", folder]
    done = subprocess.run(
        [*called, *(package.prefix + split for split in splits)], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]


def labels_in(items: list[Any], package: Package) -> list[tuple[Any, ...]]:
    """Clip, second, box to two decimals, action of every label."""
    return sorted(
        (video.partition("_000000_")[0], second - package.start, *(round(side, 2) for side in box), action)
        for video, second, people, _ in items
        for *box, actions in people
        for action in actions
    )


@pytest.mark.parametrize("package", PACKAGES.values(), ids=PACKAGES)
def test_a_package_finds_every_box_and_label_and_the_right_picture(
    released: Path, numbered: Path, tmp_path: Path, package: Package
) -> None:
    python = throwaway(tmp_path / "environment", *package.installed, shared=True)
    rows = read_rows(released)
    for split, items in zip(SPLITS, said(package, python, released, *SPLITS), strict=True):
        wanted = [
            (video, stamp - 900, *(round(side, 2) for side in box), action)
            for video, stamp, *box, action, _, _ in rows.filter(split=split).rows()
        ]
        assert labels_in(items, package) == sorted(wanted), split
    (items,) = said(package, python, numbered, "val")
    shown = {
        (video.partition("_000000_")[0], second - package.start): tuple(key)
        for video, second, _, key in items
    }
    assert shown == {
        (clip, second): (number, second * 30 + package.off)
        for number, (clip, frames) in enumerate(LENGTHS.items())
        for second in range(2, frames // 30 - 1)
    }


def test_mlcroissant_gives_every_label_with_its_picture(released: Path, tmp_path: Path) -> None:
    python = throwaway(tmp_path / "environment", "mlcroissant[parquet]", shared=True)
    called = [python, "-m", "tests.support.programs.croissant", released]
    done = subprocess.run(called, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    assert all((released / picture).is_file() for *_, picture in found)
    rows = read_rows(released)
    wanted = rows.select("split", *(name for name in rows.columns if name != "split")).rows()
    assert sorted(tuple(row[:-1]) for row in found) == sorted(wanted)
