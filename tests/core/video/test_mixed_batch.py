"""A batch of one good video and one bad file of each kind goes through to the proposals; each bad one says why."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from ava_core.base.settings import Settings
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext
from ava_core.video.cutting import cut_clips
from ava_core.video.intake.source_videos import take_in_sources
from ava_core.video.outcome import outcome_of
from ava_core.video.proposals.batch import make_proposals
from ava_core.video.tracking.batch import track_clips
from tests.support.odd_videos import GROUPS, damaged, with_matrix

MakeVideo = Callable[..., Path]

REASONS = {
    "askew.mp4": "its picture lies askew, turned by 45 degrees; turn it upright first",
    "broken.zip": "it is cut short, or one part of several: its list of contents is missing",
    "cut.mp4": "it cannot be read as video (Invalid data found when processing input)",
    "empty.avi": "the file is empty",
    "packed.rar": "it is an archive (RAR); unpack it first",
    "sound.mp4": "it contains sound but no picture",
    "text.mp4": "it cannot be read as video (Invalid data found when processing input)",
    "zipped.zip/inner.zip/deep.zip": "it is nested two zips deep; unpack the outer ones first",
}


@pytest.fixture
def folder(tmp_path: Path, make_video: MakeVideo, make_sound: Callable[[Path], Path]) -> Path:
    made = tmp_path / "in"
    made.mkdir()
    good = make_video(made / "good.mp4", fps=30, seconds=2.0, size=(320, 240), options=GROUPS)
    damaged(
        make_video(made / "hole.mp4", fps=30, seconds=6.0, size=(320, 240), options=GROUPS), range(70, 80)
    )
    with_matrix(make_video(made / "askew.mp4", seconds=1.0), (0.7, 0.7, -0.7, 0.7))
    make_sound(made / "sound.mp4")
    (made / "cut.mp4").write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    (made / "empty.avi").write_bytes(b"")
    (made / "text.mp4").write_bytes(b"no video at all")
    (made / "packed.rar").write_bytes(b"Rar!\x1a\x07\x00" + bytes(99))
    (made / "broken.zip").write_bytes(b"PK\x03\x04" + bytes(99))
    (made / "Thumbs.db").write_bytes(b"1")
    for name, member in (("deep.zip", good), ("inner.zip", tmp_path / "deep.zip")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.write(member, member.name)
    with zipfile.ZipFile(made / "zipped.zip", "w") as archive:
        archive.write(tmp_path / "inner.zip", "inner.zip")
    return made


def test_bad_files_stop_nobody(
    folder: Path, storage: Storage, small_clips: Settings, make_video: MakeVideo
) -> None:
    make_video(folder / "short.mp4", seconds=0.5)
    at = BatchContext("b", small_clips, storage=storage)
    sources = take_in_sources(at, folder)
    assert dict(sources.filter(status="quarantined").select("original_name", "reason").rows()) == REASONS
    assert set(sources.filter(status="ok")["original_name"]) == {"good.mp4", "hole.mp4", "short.mp4"}
    clips = cut_clips(at, sources)
    assert clips.group_by("source_id").len().sort("source_id").rows() == [("b_good", 1), ("b_hole", 3)]
    storage.path(clips.filter(source_id="b_hole")["path"][0]).unlink()
    (storage.asset_dir("b", "clips") / "detections").fs.rm(
        (storage.asset_dir("b", "clips") / "detections").path, recursive=True
    )
    tracks = track_clips(at, clips)
    make_proposals(at, clips, tracks)
    outcome = outcome_of(at)
    assert outcome is not None
    assert outcome.complaints == [
        "short.mp4: no part of it is long enough for a clip.",
        "b_hole_000: not tracked, b_hole_000.mp4 is missing.",
    ]
    assert outcome.cuts.select(pl.col("damaged", "used").sum()).row(0)[0] == 20
