"""The older tools' files of a batch."""

from __future__ import annotations

import zipfile
from pathlib import Path

import polars as pl

from ava_core.base.pickles import safe_load
from ava_core.base.schemas import CLIPS, TRACKS
from ava_core.base.settings import load_settings
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext
from ava_core.video.proposals.batch import make_proposals


def test_pickle_and_frames_speak_of_the_same_pictures(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    clips = pl.DataFrame(
        [{"clip_id": name, "batch": "b", "frames": 90} for name in ("c2", "c1")], schema=dict(CLIPS)
    )
    for clip_id in clips["clip_id"]:
        for second in range(3):
            path = storage.asset_dir("b", "clips") / "keyframes" / clip_id / f"{second:04d}.jpg"
            storage.write_bytes(path, f"{clip_id} {second}".encode())
    rows = [("c1", f, 4, 1.0 + f, 2.0, 9.0 + f, 8.0, 0.5, False) for f in range(0, 61, 3)]
    tracks = pl.DataFrame(rows, schema=dict(TRACKS), orient="row")

    proposals = make_proposals(BatchContext("b", load_settings(), storage=storage), clips, tracks)
    folder = storage.asset_dir("b", "dense_proposals")
    content = safe_load(Path(folder.path) / "dense_proposals.pkl")
    assert proposals["second"].to_list() == [0, 1, 2]
    assert content["c1"]["c1_frame_0002.jpg"] == [[61.0, 2.0, 69.0, 8.0, 0.5, 4]]
    assert content["c2"] == {}
    with zipfile.ZipFile(folder / "frames.zip") as archive:
        assert archive.namelist() == [f"{c}_frame_{s:04d}.jpg" for c in ("c1", "c2") for s in range(3)]
        assert archive.read("c2_frame_0001.jpg") == b"c2 1"
        assert set(content["c1"]) <= set(archive.namelist())
