"""A release in tar files: the same files again wherever they are unpacked, with checksums that `sha256sum` reads."""

from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path

import pytest

from ava_core.base.errors import ExportError
from ava_core.dataset.export.packing import SUMS, pack
from ava_core.dataset.formats.ava.checks import errors_among, validate_dataset

CONTENT = {
    "release.json": b'{"name": "v1"}',
    "frames/a/1.jpg": b"x" * 3000,
    "frames/a/2.jpg": b"y" * 3000,
    "b.csv": b"z" * 9000,
}


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A folder of a few files that says it is a release."""
    folder = tmp_path / "copy"
    for name, content in CONTENT.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def unpacked(tars: list[Path], into: Path) -> dict[str, bytes]:
    for path in tars:
        with tarfile.open(path) as tar:
            tar.extractall(into, filter="data")
    return {
        file.relative_to(into / "v1").as_posix(): file.read_bytes()
        for file in into.rglob("*")
        if file.is_file()
    }


def test_tar_files_of_a_size_hold_everything_once(release: Path, tmp_path: Path) -> None:
    written = pack(release, tmp_path / "out", most_bytes=8000)
    assert [path.name for path in written] == ["v1-00000.tar", "v1-00001.tar", "v1-00002.tar", SUMS]
    *tars, sums = written
    assert unpacked(tars, tmp_path / "again") == CONTENT
    lines = [f"{hashlib.sha256(tar.read_bytes()).hexdigest()}  {tar.name}\n" for tar in tars]
    assert sums.read_text() == "".join(lines)


def test_one_tar_file_has_its_checksum_beside_it_and_is_the_same_each_time(
    release: Path, tmp_path: Path
) -> None:
    tar, sums = pack(release, tmp_path / "all.tar", most_bytes=1)
    assert (tar.name, sums.name) == ("all.tar", "all.tar.sha256")
    assert unpacked([tar], tmp_path / "again") == CONTENT
    assert sums.read_text() == f"{hashlib.sha256(tar.read_bytes()).hexdigest()}  all.tar\n"
    other, _ = pack(release, tmp_path / "other.tar")
    assert other.read_bytes() == tar.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_a_packed_release_validates_where_it_is_unpacked(released: Path, tmp_path: Path) -> None:
    tar, _ = pack(released, tmp_path / "golden.tar")
    with tarfile.open(tar) as opened:
        opened.extractall(tmp_path / "again", filter="data")
    assert errors_among(validate_dataset(tmp_path / "again" / "golden")) == []


def test_what_is_no_release_and_what_exists_is_refused(release: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    with pytest.raises(ExportError, match="already exists"):
        pack(release, tmp_path / "kept")
    (release / "release.json").unlink()
    with pytest.raises(ExportError, match="is not a release"):
        pack(release, tmp_path / "out")


def test_a_pack_that_breaks_leaves_nothing(
    release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ava_core.dataset.export.packing.hash_file", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        pack(release, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]
