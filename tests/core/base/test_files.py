"""A file in a second place: a link, or a copy where there are no links."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ava_core.base.files import link_or_copy


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_text("new")
    return path


def test_it_takes_no_room_where_the_file_system_allows(source: Path, tmp_path: Path) -> None:
    link_or_copy(source, tmp_path / "target")
    assert os.path.samefile(source, tmp_path / "target")


def test_it_is_copied_elsewhere(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("another file system")

    monkeypatch.setattr(os, "link", refuse)
    link_or_copy(source, tmp_path / "target")
    assert (tmp_path / "target").read_text() == "new"
    assert not os.path.samefile(source, tmp_path / "target")


def test_what_is_there_stays_unless_it_is_replaced(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("old")
    link_or_copy(source, target)
    assert target.read_text() == "old"
    link_or_copy(source, target, replace=True)
    assert target.read_text() == "new"
