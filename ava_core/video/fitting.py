"""How a source's picture becomes a clip's: scaled and encoded, or left as it is and copied."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from ava_core.base.settings import Settings
from ava_core.video.media.geometry import Fit, Fitting, Lie, fit_picture
from ava_core.video.media.stream_copy import Copier, copier_of

LARGEST_KEPT: Final = (1920, 1080)
"""Long and short side of the largest picture that `clip_fit=auto` leaves as it is."""
WORTH_COPYING: Final = 0.5
"""Share of a source's clips that have to be copied for its picture to stay: the rest is encoded at full size."""


def fit_source(
    source: dict[str, Any], path: Path, settings: Settings, frames_per_clip: int
) -> tuple[Fit, Copier | None]:
    """How a source (a row of `schemas.SOURCE_VIDEOS`) is fitted, and what copies its clips where that can be.

    With `clip_fit=auto` a picture stays as it is if most of the source's clips can then be copied.
    """
    if settings.clip_fit != "auto":
        fit = _fit(source, settings, settings.clip_fit)
        return fit, _copier(source, path, fit)
    kept = _fit(source, settings, "keep")
    copier = _copier(source, path, kept) if _is_small(source) else None
    if copier and copier.share(frames_per_clip) >= WORTH_COPYING:
        return kept, copier
    scaled = _fit(source, settings, "scale")
    return scaled, copier if _stays(source, scaled) else None


def _fit(source: dict[str, Any], settings: Settings, fitting: Fitting) -> Fit:
    # A table of an older version says neither: then the picture is taken as it was then.
    lie = Lie(bool(source["mirrored"]), source["rotation"], source["pixel_aspect"] or 1.0)
    return fit_picture(
        source["width"], source["height"], settings.clip_width, settings.clip_height, fitting, lie
    )


def _copier(source: dict[str, Any], path: Path, fit: Fit) -> Copier | None:
    return copier_of(path, source) if _stays(source, fit) else None


def _stays(source: dict[str, Any], fit: Fit) -> bool:
    return fit.lie.is_plain and fit.leaves(source["width"], source["height"])


def _is_small(source: dict[str, Any]) -> bool:
    sides = sorted((source["width"], source["height"]), reverse=True)
    return all(side <= most for side, most in zip(sides, LARGEST_KEPT, strict=True))
