"""Taking in a batch: names and hashes kept, bad files quarantined, the same content reported."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from ava_core.base.errors import InputError
from ava_core.base.schemas import SOURCE_VIDEOS
from ava_core.base.settings import load_settings
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext
from ava_core.video.intake.source_videos import take_in_sources

MakeVideo = Callable[..., Path]


def zip_files(target: Path, **files: Path) -> Path:
    with zipfile.ZipFile(target, "w") as archive:
        for name, path in files.items():
            archive.write(path, name.replace("__", "/").replace("_dot_", "."))
    return target


@pytest.fixture
def batch_zip(tmp_path: Path, make_video: MakeVideo, make_sound: MakeVideo) -> Path:
    good = make_video(tmp_path / "good.mp4", seconds=1.0, audio="aac")
    other = make_video(tmp_path / "other.avi", codec="mpeg4", seconds=2.0)
    (tmp_path / "torn.mp4").write_bytes(good.read_bytes()[:2000])
    (tmp_path / "empty.mp4").write_bytes(b"")
    return zip_files(
        tmp_path / "in.zip",
        cam1__good_dot_mp4=good,
        cam2__good_dot_mp4=other,
        cam3__copy_dot_mp4=good,
        sound_dot_mp4=make_sound(tmp_path / "sound.mp4"),
        torn_dot_mp4=tmp_path / "torn.mp4",
        empty_dot_mp4=tmp_path / "empty.mp4",
    )


def test_good_videos_are_stored_as_they_are(batch_zip: Path, storage: Storage, tmp_path: Path) -> None:
    table = take_in_sources(BatchContext("b1", load_settings(), storage=storage), batch_zip)
    assert dict(table.schema) == dict(SOURCE_VIDEOS)
    row = table.row(by_predicate=pl.col("original_name") == "cam1/good.mp4", named=True)
    content = (tmp_path / "good.mp4").read_bytes()
    assert row["status"] == "ok"
    assert row["sha256"] == hashlib.sha256(content).hexdigest()
    assert storage.path(row["path"]).read_bytes() == content
    assert (row["codec"], row["width"], row["height"], row["size_bytes"]) == ("h264", 160, 120, len(content))


def test_bad_files_are_quarantined_with_their_reason_and_the_rest_goes_on(
    batch_zip: Path, storage: Storage
) -> None:
    table = take_in_sources(BatchContext("b1", load_settings(), storage=storage), batch_zip)
    reasons = dict(table.filter(pl.col("status") == "quarantined").select("original_name", "reason").rows())
    assert reasons.keys() == {"sound.mp4", "torn.mp4", "empty.mp4"}
    assert "sound but no picture" in reasons["sound.mp4"]
    assert "empty" in reasons["empty.mp4"]
    assert table.filter(pl.col("status") == "ok").height == 2


def test_equal_names_get_ids_of_their_own(batch_zip: Path, storage: Storage) -> None:
    table = take_in_sources(BatchContext("b1", load_settings(), storage=storage), batch_zip)
    assert table["source_id"].n_unique() == table.height
    assert table["source_id"].str.contains(r"^b1_[A-Za-z0-9_-]+$").all()
    again = take_in_sources(BatchContext("b1", load_settings(), storage=storage), batch_zip)
    assert again.equals(table)


def test_batches_whose_names_run_into_each_other_have_ids_of_their_own(
    storage: Storage, tmp_path: Path, make_video: MakeVideo
) -> None:
    first = make_video(tmp_path / "1_x.mp4", seconds=1.0)
    second = make_video(tmp_path / "x.mp4", seconds=2.0)
    ids = [
        take_in_sources(BatchContext(batch, load_settings(), storage=storage), path)["source_id"].item()
        for batch, path in (("cam", first), ("cam_1", second))
    ]
    assert ids == ["cam_1_x", "cam_1__x"]


def test_a_video_that_was_taken_in_before_keeps_its_id(
    storage: Storage, tmp_path: Path, make_video: MakeVideo
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    make_video(folder / "x.mp4", seconds=1.0)
    at = BatchContext("cam_1", load_settings(), storage=storage)
    before = take_in_sources(at, folder).with_columns(source_id=pl.lit("cam_1_x"))
    storage.write_table(storage.table_path("cam_1", "source_videos"), before)
    make_video(folder / "a x.mp4", seconds=2.0)
    make_video(folder / "x.avi", codec="mpeg4", seconds=3.0)
    again = take_in_sources(at, folder)
    assert dict(again.select("original_name", "source_id").rows()) == {
        "a x.mp4": "cam_1__a_x",
        "x.avi": "cam_1__x",
        "x.mp4": "cam_1_x",
    }


def test_the_same_content_twice_is_reported_within_a_batch_and_across(
    batch_zip: Path, storage: Storage, tmp_path: Path
) -> None:
    first = take_in_sources(BatchContext("b1", load_settings(), storage=storage), batch_zip)
    copy = first.row(by_predicate=pl.col("original_name") == "cam3/copy.mp4", named=True)
    assert (copy["status"], copy["path"]) == ("duplicate", "")
    assert copy["reason"] == "same content as b1_good of batch b1"

    def known(sha256: str) -> str:
        return "x of batch b0" if sha256 == copy["sha256"] else ""

    second = take_in_sources(
        BatchContext("b2", load_settings(), storage=storage), tmp_path / "good.mp4", known
    )
    assert second["status"].to_list() == ["duplicate"]
    assert second["reason"].to_list() == ["same content as x of batch b0"]


def test_an_8k_picture_is_taken(tmp_path: Path, storage: Storage, make_video: MakeVideo) -> None:
    path = make_video(
        tmp_path / "wide.avi", codec="mjpeg", pixel_format="yuvj420p", size=(7680, 4320), fps=1, seconds=2
    )
    row = take_in_sources(BatchContext("b", load_settings(), storage=storage), path).row(0, named=True)
    assert (row["status"], row["width"], row["height"]) == ("ok", 7680, 4320)


def test_strange_names_make_safe_ids(tmp_path: Path, storage: Storage, make_video: MakeVideo) -> None:
    path = make_video(tmp_path / "Übergang №3, 12:00 (copy).mp4", seconds=1.0)
    row = take_in_sources(BatchContext("b", load_settings(), storage=storage), path).row(0, named=True)
    assert row["original_name"] == "Übergang №3, 12:00 (copy).mp4"
    assert row["source_id"] == "b_bergang_3_12_00_copy"


def test_no_input_is_one_sentence(tmp_path: Path, storage: Storage) -> None:
    with pytest.raises(InputError, match="does not exist"):
        take_in_sources(BatchContext("b", load_settings(), storage=storage), tmp_path / "no.zip")


def test_whatever_its_name_ends_in_a_video_is_taken_and_all_else_named(
    tmp_path: Path, storage: Storage, make_video: MakeVideo
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number, suffix in enumerate((".ts", ".MTS", ".wmv", ".dav", ".video", "")):
        made = make_video(tmp_path / "v.ts", fps=25, seconds=1.0 + number / 25)
        made.rename(folder / f"cam{number}{suffix}")
    (folder / "notes.txt").write_text("who was on duty")
    (folder / "photos.rar").write_bytes(b"Rar!\x1a\x07\x00" + bytes(99))
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "empty.avi").write_bytes(b"")
    (folder / "Thumbs.db").write_bytes(b"1")
    table = take_in_sources(BatchContext("b", load_settings(), storage=storage), folder)
    assert table.filter(pl.col("status") == "ok")["original_name"].to_list() == [
        "cam0.ts", "cam1.MTS", "cam2.wmv", "cam3.dav", "cam4.video", "cam5",
    ]  # fmt: skip
    reasons = dict(table.filter(pl.col("status") != "ok").select("original_name", "reason").rows())
    assert reasons.keys() == {"notes.txt", "photos.rar", "empty.mp4", "empty.avi"}
    assert reasons["photos.rar"] == "it is an archive (RAR); unpack it first"
    assert reasons["empty.mp4"] == reasons["empty.avi"] == "the file is empty"
    assert "cannot be read as video" in reasons["notes.txt"]
