"""Pictures of a dataset are sized when it is exported; boxes stay where they are in the picture."""

from __future__ import annotations

import polars as pl
import pytest

from ava_core.base.schemas import CLIPS, PROPOSALS
from ava_core.base.settings import load_settings
from ava_core.dataset.export.picture_sizes import as_pictures
from ava_core.dataset.formats.ava.rows import normalised

CLIP = {
    "source_id": "s", "batch": "b", "index": 0, "start_s": 0.0, "duration_s": 15.0, "frames": 450, "scale_x": 1.0,
    "scale_y": 1.0, "path": "", "sha256": "",
}  # fmt: skip


def clip(clip_id: str, width: int, height: int, bar: int = 0) -> dict[str, object]:
    inner = {"pad_x": 0, "pad_y": bar, "content_width": width, "content_height": height - 2 * bar}
    return CLIP | {"clip_id": clip_id, "width": width, "height": height} | inner


CLIPS_OF_ALL_SIZES = pl.DataFrame(
    [
        clip("large", 1920, 1080),
        clip("tall", 1080, 1920),
        clip("fits", 1280, 720),
        clip("bars", 640, 480, bar=60),
    ],
    schema=dict(CLIPS),
)
BOXES = pl.DataFrame(
    [
        {"clip_id": name, "second": 5, "track_id": 1, "x1": 60.0, "y1": 120.0, "x2": 300.0, "y2": 360.0}
        for name in CLIPS_OF_ALL_SIZES["clip_id"]
    ],
    schema=dict(PROPOSALS),
)


def test_large_pictures_are_sized_and_the_others_left_alone() -> None:
    clips, (boxes,) = as_pictures(CLIPS_OF_ALL_SIZES, (BOXES,), load_settings())
    assert dict(clips.schema) == dict(CLIPS)
    assert clips.select("width", "height", "content_width", "content_height", "pad_y").rows() == [
        (1280, 720, 1280, 720, 0), (404, 720, 404, 720, 0), (1280, 720, 1280, 720, 0), (640, 480, 640, 360, 60),
    ]  # fmt: skip
    assert clips["scale_x"].to_list() == pytest.approx([2 / 3, 404 / 1080, 1, 1])
    assert boxes.filter(clip_id="large").select("x1", "y2").row(0) == pytest.approx((40, 240))
    assert normalised(boxes, clips).equals(normalised(BOXES, CLIPS_OF_ALL_SIZES)), "shares stay what they are"


@pytest.mark.parametrize("fitting", ["keep", "scale", "letterbox"])
def test_a_size_that_was_asked_for_stays(fitting: str) -> None:
    clips, (boxes,) = as_pictures(CLIPS_OF_ALL_SIZES, (BOXES,), load_settings(clip_fit=fitting))
    assert clips.equals(CLIPS_OF_ALL_SIZES)
    assert boxes.equals(BOXES)
