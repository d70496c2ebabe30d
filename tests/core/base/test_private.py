"""What is written is its user's alone: the home, new files, secrets that are made once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest

from ava_core.base.private import close_home, secret_file


@pytest.fixture(autouse=True)
def _umask_is_put_back() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_new_home_and_an_open_one_are_closed_for_others(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    for home in (tmp_path / "open", tmp_path / "new" / "home"):
        close_home(home)
        (home / "file").touch()
        (home / "folder").mkdir()
        assert [mode(path) for path in (home, home / "file", home / "folder")] == [0o700, 0o600, 0o700]


def test_a_secret_is_made_once_whoever_comes_first(tmp_path: Path) -> None:
    file, numbers = tmp_path / "home" / "code", count()
    with ThreadPoolExecutor(8) as people:
        found = set(people.map(lambda _: secret_file(file, lambda: f"secret {next(numbers)}"), range(40)))
    assert len(found) == 1
    assert mode(file) == 0o600
    assert list(file.parent.iterdir()) == [file], "nothing half made is left"
