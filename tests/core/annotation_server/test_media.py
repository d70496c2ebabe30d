"""Media that a task is made of: what cannot be shown, or would fill the memory, fails when it comes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ava_core.annotation_server import media
from tests.support.crafted import png


def given(folder: Path, **files: bytes) -> Path:
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_bytes(content)
    return folder


def video(width: int, height: int) -> bytes:
    """Three frames as a bare stream, which says its size itself."""
    import io

    import av

    made = io.BytesIO()
    with av.open(made, "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for _ in range(3):
            picture = np.zeros((height, width, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return made.getvalue()


def test_pictures_are_described_by_name_and_size(tmp_path: Path) -> None:
    described = media.describe(given(tmp_path, a_png=png(30, 20, 20), b_png=png(40, 20, 20)), {})
    assert [(one["name"], one["width"], one["height"]) for one in described["frames"]] == [
        ("a.png", 30, 20), ("b.png", 40, 20),
    ]  # fmt: skip
    assert (described["mode"], described["size"]) == ("annotation", 2)


@pytest.mark.parametrize("side", [8193, 30_000, 2**31 - 1])
def test_a_picture_of_too_many_pixels_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, side: int
) -> None:
    import cv2

    monkeypatch.setattr(cv2, "imread", lambda path: pytest.fail("it was unpacked"))
    with pytest.raises(media.BadUpload, match="could be decompression bomb"):
        media.describe(given(tmp_path, a_png=png(side, side, 0)), {})


@pytest.mark.parametrize(
    "content", [b"", b"no picture", b"\xff\xd8" + b"\xff" * 100_000, b"#define a_width 5\n"]
)
def test_what_is_no_picture_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(media.BadUpload, match=r"cannot identify image file 'a\.png'"):
        media.describe(given(tmp_path, a_png=content), {})


def test_a_video_of_too_many_pixels_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "MAX_PIXELS", 100 * 100)
    with pytest.raises(media.BadUpload, match="could be decompression bomb"):
        media.describe(given(tmp_path, a_h264=video(160, 120)), {})


def test_no_frame_of_a_video_is_larger_than_the_limit_whatever_the_file_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "MAX_PIXELS", 100 * 100)
    monkeypatch.setattr(media, "_must_fit", lambda width, height: None)
    with pytest.raises(ValueError, match="max_pixels"):
        media.describe(given(tmp_path, a_h264=video(160, 120)), {})
