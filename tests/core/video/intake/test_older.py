"""Files that an older tool made become a batch: their pictures, their boxes, their track ids."""

from __future__ import annotations

import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from ava_core.base.errors import InputError, UnsafePickleError
from ava_core.base.pickles import safe_load
from ava_core.base.settings import load_settings
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext
from ava_core.dataset.formats.ava.proposals import write_ava_pickle
from ava_core.video.cutting import cut_clips
from ava_core.video.intake.source_videos import take_in_sources
from ava_core.video.media.frames import decoded_frames, jpeg
from ava_core.video.proposals.batch import make_proposals
from ava_core.video.tracking.batch import track_clips

GREYS = {0: 40, 1: 90, 2: 140, 3: 190}
BOXES = {
    "1_clip_000": {
        "1_clip_000_frame_0000.jpg": [[10.0, 20.0, 50.0, 90.0, 0.9, 0], [60.0, 20.0, 90.0, 80.0, 0.8, 4]],
        "1_clip_000_frame_0001.jpg": [[12.0, 20.0, 52.0, 90.0, 0.9, 0]],
        "1_clip_000_frame_0003.jpg": [[20.0, 20.0, 60.0, 90.0, 0.7, 0]],
    },
    "1_clip_001": {},
}


def picture(grey: int, width: int = 160, height: int = 120) -> bytes:
    return jpeg(np.full((height, width, 3), grey, np.uint8))


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def make(content: Any = None, pictures: dict[str, bytes] | None = None) -> Path:
        folder = tmp_path / "older"
        folder.mkdir()
        boxes = BOXES if content is None else content
        (folder / "dense_proposals.pkl").write_bytes(
            boxes if isinstance(boxes, bytes) else pickle.dumps(boxes)
        )
        if pictures is None:
            pictures = {f"{c}_frame_{s:04d}.jpg": picture(g) for c in BOXES for s, g in GREYS.items()}
        with zipfile.ZipFile(folder / "frames.zip", "w") as archive:
            for name, data in pictures.items():
                archive.writestr(name, data)
        return folder

    return make


def go_on(folder: Path, storage: Storage) -> dict[str, pl.DataFrame]:
    settings = load_settings(detector="rfdetr", rf_home=folder)  # no detector: nothing may be detected again
    at = BatchContext("b", settings, storage=storage)
    sources = take_in_sources(at, folder)
    clips = cut_clips(at, sources)
    tracks = track_clips(at, clips)
    proposals = make_proposals(at, clips, tracks)
    return {"sources": sources, "clips": clips, "tracks": tracks, "proposals": proposals}


def test_boxes_and_ids_are_theirs(write: Callable[..., Path], tmp_path: Path) -> None:
    tables = go_on(write(), Storage(tmp_path / "s"))
    rows = tables["proposals"].select("clip_id", "second", "track_id", "x1", "y1", "x2", "y2", "score").rows()
    # Ids count from 1 here. Second 2 had no box: none is made up between 1 and 3.
    assert rows == [
        ("b_1_clip_000_000", 0, 1, 10.0, 20.0, 50.0, 90.0, 0.9),
        ("b_1_clip_000_000", 0, 5, 60.0, 20.0, 90.0, 80.0, 0.8),
        ("b_1_clip_000_000", 1, 1, 12.0, 20.0, 52.0, 90.0, 0.9),
        ("b_1_clip_000_000", 3, 1, 20.0, 20.0, 60.0, 90.0, 0.7),
    ]
    assert tables["sources"]["original_name"].to_list() == ["1_clip_000", "1_clip_001"]
    assert tables["sources"]["status"].to_list() == ["ok", "ok"]


def test_each_picture_stays_for_its_second(write: Callable[..., Path], tmp_path: Path) -> None:
    storage = Storage(tmp_path / "s")
    clips = go_on(write(), storage)["clips"]
    assert clips["frames"].to_list() == [120, 120]
    frames = list(decoded_frames(Path(storage.path(clips["path"][0]).path)))
    assert [round(float(frames[30 * s + 15].mean())) for s in GREYS] == pytest.approx(
        list(GREYS.values()), abs=3
    )


def test_written_again_they_are_what_they_were(write: Callable[..., Path], tmp_path: Path) -> None:
    storage = Storage(tmp_path / "s")
    go_on(write(), storage)
    again = safe_load(Path(storage.asset_dir("b", "dense_proposals").path) / "dense_proposals.pkl")
    first = again["b_1_clip_000_000"]["b_1_clip_000_000_frame_0000.jpg"]
    assert first == [[10.0, 20.0, 50.0, 90.0, 0.9, 1], [60.0, 20.0, 90.0, 80.0, 0.8, 5]]


def test_odd_pictures_are_scaled_to_even_ones_and_their_boxes_with_them(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    content = {"c": {"c_frame_0000.jpg": [[0.0, 0.0, 161.0, 121.0, 0.9, 1]]}}
    tables = go_on(write(content, {"c_frame_0000.jpg": picture(50, 161, 121)}), Storage(tmp_path / "s"))
    assert tables["clips"].select("width", "height").row(0) == (160, 120)
    assert tables["tracks"].select("x2", "y2").row(0) == pytest.approx((160.0, 120.0))


def test_avas_own_layout_is_read(write: Callable[..., Path], tmp_path: Path) -> None:
    write_ava_pickle(
        tmp_path / "p.pkl", {"v,0901": np.array([[0.25, 0.5, 0.5, 1.0, 0.9]]), "v,0902": np.empty((0, 5))}
    )
    pictures = {f"v_frame_{s:04d}.jpg": picture(60) for s in range(3)}
    tables = go_on(write((tmp_path / "p.pkl").read_bytes(), pictures), Storage(tmp_path / "s"))
    assert tables["proposals"].select("second", "x1", "y1", "x2", "y2").rows() == [
        (1, 40.0, 60.0, 80.0, 120.0)
    ]


def test_a_clip_that_does_not_fit_is_quarantined_and_the_rest_goes_on(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    content = {
        c: {f"{c}_frame_0001.jpg": [[1.0, 1.0, 9.0, 9.0, 0.9, 1]]} for c in ("good", "lacks", "sizes", "text")
    }
    pictures = {f"good_frame_{s:04d}.jpg": picture(60) for s in range(2)} | {
        "lacks_frame_0000.jpg": picture(60),
        "sizes_frame_0000.jpg": picture(60),
        "sizes_frame_0001.jpg": picture(60, 64, 64),
        "text_frame_0001.jpg": b"no picture",
    }
    tables = go_on(write(content, pictures), Storage(tmp_path / "s"))
    reasons = dict(tables["sources"].select("original_name", "reason").rows())
    assert reasons["good"] == ""
    assert "second 1 but no picture" in reasons["lacks"]
    assert "differ in size" in reasons["sizes"]
    assert "is not a JPEG or PNG" in reasons["text"]
    assert tables["clips"].height == 1


def test_a_hostile_pickle_executes_nothing(write: Callable[..., Path], tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return os.system, (f"touch {tmp_path / 'executed'}",)

    with pytest.raises(UnsafePickleError, match="system"):
        take_in_sources(
            BatchContext("b", load_settings(), storage=Storage(tmp_path / "s")), write({"c": Evil()})
        )
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    ("content", "pictures", "reason"),
    [
        ([1, 2], None, "is not dict"),
        ({"1_clip_000": {"x.jpg": []}}, None, "is not dict"),
        ({"1_clip_000": {"a_frame_0001.jpg": [[1, 2, 3]]}}, None, "is not dict"),
        ({"other": {}}, None, "speaks of other, of which"),
        (None, {"readme.txt": b"x"}, "holds no <clip>_frame"),
    ],
)
def test_files_that_are_none_say_so(
    content: Any, pictures: Any, reason: str, write: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=reason):
        take_in_sources(
            BatchContext("b", load_settings(), storage=Storage(tmp_path / "s")), write(content, pictures)
        )
