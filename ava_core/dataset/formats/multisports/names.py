"""Names in the folder of MultiSports."""

from __future__ import annotations

from typing import Final

FOLDER: Final = "multisports"
TRUTH: Final = f"{FOLDER}/multisports_GT.pkl"
"""labels, train_videos, test_videos, nframes, resolution, gttubes"""
