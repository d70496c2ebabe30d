"""How a source's picture lies in a clip's, and the way back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ava_core.video.media.geometry import Fit, Lie, fit_picture

SIDES = st.integers(16, 8192)
FITTINGS = st.sampled_from(["scale", "letterbox"])


def to_clip(fit: Fit, x: float, y: float) -> tuple[float, float]:
    return x * fit.scale_x + fit.pad_x, y * fit.scale_y + fit.pad_y


@given(SIDES, SIDES, FITTINGS)
def test_the_picture_lies_inside_the_clip(width: int, height: int, fitting: str) -> None:
    fit = fit_picture(width, height, 1280, 720, fitting)  # type: ignore[arg-type]
    assert to_clip(fit, 0, 0) == (fit.pad_x, fit.pad_y)
    right, bottom = to_clip(fit, width, height)
    assert right == pytest.approx(fit.pad_x + fit.content_width)
    assert bottom == pytest.approx(fit.pad_y + fit.content_height)
    assert 0 <= fit.pad_x <= fit.width - fit.content_width
    assert 0 <= fit.pad_y <= fit.height - fit.content_height
    assert max(fit.width / 1280, fit.height / 720) <= 1.0


@given(SIDES, SIDES, FITTINGS)
def test_all_sizes_are_even_as_h264_wants(width: int, height: int, fitting: str) -> None:
    fit = fit_picture(width, height, 1280, 720, fitting)  # type: ignore[arg-type]
    sizes = (fit.width, fit.height, fit.pad_x, fit.pad_y, fit.content_width, fit.content_height)
    assert all(size % 2 == 0 for size in sizes)


@given(SIDES, SIDES, FITTINGS, st.floats(0, 1), st.floats(0, 1))
def test_the_transform_is_undone(width: int, height: int, fitting: str, u: float, v: float) -> None:
    fit = fit_picture(width, height, 1280, 720, fitting)  # type: ignore[arg-type]
    x, y = to_clip(fit, u * width, v * height)
    assert (x - fit.pad_x) / fit.scale_x == pytest.approx(u * width, abs=1e-6)
    # Shares of the picture without bars are shares of the source: what an export writes.
    assert (x - fit.pad_x) / fit.content_width == pytest.approx(u, abs=1e-9)
    assert (y - fit.pad_y) / fit.content_height == pytest.approx(v, abs=1e-9)


@given(st.integers(200, 8192), st.integers(200, 8192))
def test_proportions_stay_to_the_pixel_that_evenness_costs(width: int, height: int) -> None:
    fit = fit_picture(width, height, 1280, 720, "scale")
    exact = min(1.0, 1280 / width, 720 / height)
    assert abs(fit.content_width - width * exact) <= 2
    assert abs(fit.content_height - height * exact) <= 2


def test_small_pictures_are_never_enlarged_without_bars() -> None:
    fit = fit_picture(640, 480, 1280, 720, "scale")
    assert (fit.width, fit.height, fit.scale_x) == (640, 480, 1.0)


def test_letterbox_gives_the_asked_size_with_bars() -> None:
    fit = fit_picture(640, 480, 1280, 720, "letterbox")
    assert (fit.width, fit.height) == (1280, 720)
    assert (fit.content_width, fit.content_height, fit.pad_x, fit.pad_y) == (960, 720, 160, 0)


def test_bars_are_black_and_the_picture_is_where_the_transform_says() -> None:
    import av

    white = av.VideoFrame.from_ndarray(np.full((480, 640, 3), 255, np.uint8), format="rgb24")
    fit = fit_picture(640, 480, 1280, 720, "letterbox")
    shown = fit.apply(white).to_ndarray(format="rgb24").mean(axis=2)
    assert shown[:, : fit.pad_x - 2].max() < 20
    assert shown[:, fit.pad_x + 2 : fit.pad_x + fit.content_width - 2].min() > 235
    assert shown[:, fit.pad_x + fit.content_width + 2 :].max() < 20


def grey(width: int, height: int, left: int, right: int) -> np.ndarray:
    """A picture whose halves differ."""
    pixels = np.full((height, width, 3), left, np.uint8)
    pixels[:, width // 2 :] = right
    return pixels


def test_a_mirrored_picture_is_shown_the_other_way_round() -> None:
    import av

    frame = av.VideoFrame.from_ndarray(grey(320, 240, 40, 200), format="rgb24")
    shown = fit_picture(320, 240, 1280, 720, "keep", Lie(mirrored=True)).apply(frame)
    luma = shown.to_ndarray(format="gray")
    assert luma[:, :150].mean() > 180
    assert luma[:, 170:320].mean() < 60


def test_wide_pixels_make_a_wider_picture() -> None:
    lie = Lie(pixel_aspect=64 / 45)
    assert lie.shown_size(720, 576) == (1024, 576)
    fit = fit_picture(1024, 576, 1280, 720, "scale", lie)
    assert (fit.width, fit.height, fit.scale_x) == (1024, 576, 1.0)
    assert not fit.leaves(720, 576)


@pytest.mark.parametrize(
    ("size", "place"), [((640, 480), (320, 0, 960, 720)), ((640, 360), (0, 0, 1280, 720))]
)
def test_a_frame_of_another_size_keeps_its_proportions(
    size: tuple[int, int], place: tuple[int, int, int, int]
) -> None:
    import av

    fit = fit_picture(1280, 720, 1280, 720, "scale")
    white = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), 255, np.uint8), format="rgb24")
    luma = fit.apply(white).to_ndarray(format="gray")
    bright = np.argwhere(luma[:, :1280] > 200)
    top, left = bright.min(axis=0)
    bottom, right = bright.max(axis=0) + 1
    width = place[2]
    assert (right - left, bottom - top) == (width, place[3])
    assert left == (1280 - width) // 2
    assert top == place[1]


@pytest.mark.parametrize("colour_range", [1, 2])
def test_range_and_matrix_of_colours_stay(colour_range: int) -> None:
    import av

    frame = av.VideoFrame.from_ndarray(grey(640, 480, 64, 192), format="rgb24").reformat(
        format="yuv420p", dst_colorspace="ITU709", dst_color_range=colour_range
    )
    frame.colorspace, frame.color_range = 1, colour_range
    shown = fit_picture(640, 480, 320, 240, "letterbox").apply(frame)
    assert (shown.color_range, shown.colorspace) == (colour_range, 1)
    before, after = (one.to_ndarray(format="rgb24")[:, 5].mean() for one in (frame, shown))
    assert after == pytest.approx(before, abs=2)
