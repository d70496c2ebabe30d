"""What the console fetched from an object store is kept by content, within bounds, on one disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from upath import UPath

from ava_ui.web.fetched import FetchedFiles


@pytest.fixture
def store(tmp_path: Path) -> UPath:
    """A folder that is not on this machine."""
    return UPath(f"memory://{tmp_path.name}")


def put(store: UPath, name: str, content: bytes) -> UPath:
    (store / name).write_bytes(content)
    return store / name


def test_a_file_is_fetched_once_until_it_changes(store: UPath, tmp_path: Path) -> None:
    files = FetchedFiles(tmp_path / "kept")
    clip = put(store, "clip.mp4", b"first")
    kept = files.here(clip)
    assert (kept.read_bytes(), kept.suffix) == (b"first", ".mp4")
    inode = kept.stat().st_ino
    assert files.here(clip).stat().st_ino == inode
    put(store, "clip.mp4", b"anew!")
    assert files.here(clip).read_bytes() == b"anew!", "of the same size, under the same address"


def test_it_needs_no_other_disk(store: UPath, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> None:
        raise OSError("TMPDIR is another disk")

    monkeypatch.setattr("tempfile.mkdtemp", none)
    assert FetchedFiles(tmp_path / "kept").here(put(store, "a", b"1")).read_bytes() == b"1"


def test_it_stays_within_its_bounds_and_keeps_what_is_asked_for(store: UPath, tmp_path: Path) -> None:
    files = FetchedFiles(tmp_path / "kept", most=250)
    clips = [put(store, str(number), bytes([number]) * 100) for number in range(3)]
    for age, clip in zip((30, 60), clips, strict=False):
        kept = files.here(clip)
        os.utime(kept, (kept.stat().st_mtime - age,) * 2)
    files.here(clips[2])
    assert sorted(path.read_bytes()[:1] for path in (tmp_path / "kept").iterdir()) == [b"\0", b"\2"]


def test_a_fetch_that_breaks_leaves_nothing(store: UPath, tmp_path: Path) -> None:
    files = FetchedFiles(tmp_path / "kept")
    with pytest.raises(FileNotFoundError):
        files.here(store / "nowhere")
    clip = put(store, "clip.mp4", b"first")

    def broken(*_: object) -> None:
        raise ConnectionError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shutil.copyfileobj", broken)
        with pytest.raises(ConnectionError):
            files.here(clip)
    assert list((tmp_path / "kept").iterdir()) == []
