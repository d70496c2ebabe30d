"""How a source's picture lies in a clip's, and the way back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ava_core.video.media.geometry import Fit, fit_picture

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
    shown = fit.apply(white, 0).to_ndarray(format="rgb24").mean(axis=2)
    assert shown[:, : fit.pad_x - 2].max() < 20
    assert shown[:, fit.pad_x + 2 : fit.pad_x + fit.content_width - 2].min() > 235
    assert shown[:, fit.pad_x + fit.content_width + 2 :].max() < 20
