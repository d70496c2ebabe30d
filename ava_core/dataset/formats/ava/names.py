"""Every name in a dataset's folder, said once. Paths are relative to that folder, and `release.json` lists them so.

annotations/   ava_<split>_v2.2.csv, ava_<split>_excluded_timestamps_v2.2.csv, ava_<split>_predicted_boxes.csv,
               ava_dense_proposals_<split>.pkl, ava_file_names_<split>.txt, ava_action_list_v2.2.pbtxt,
               ava_included_timestamps_v2.2.txt
frame_lists/   <split>.csv
frames/        <video>/<video>_%06d.jpg from 1              SlowFast, pytorchvideo
rawframes/     <video>/img_%05d.jpg from 1                  mmaction2
keyframes/     <video>/<timestamp>.jpg                      AlphAction
AVA_dataset.csv                                             all splits in one

What is about a dataset lies beside them: card, note, and in a release its record, manifest, lineage and splits.
"""

from __future__ import annotations

from typing import Final

import polars as pl

SPLITS: Final = ("train", "val", "test")

ANNOTATIONS: Final = "annotations"
FRAME_LISTS: Final = "frame_lists"
FRAMES: Final = "frames"
RAWFRAMES: Final = "rawframes"
KEYFRAMES: Final = "keyframes"
PICTURE_SUFFIXES: Final = (".jpg",)

LABEL_MAP: Final = f"{ANNOTATIONS}/ava_action_list_v2.2.pbtxt"
INCLUDED_TIMESTAMPS: Final = f"{ANNOTATIONS}/ava_included_timestamps_v2.2.txt"
ALL_ROWS: Final = "AVA_dataset.csv"

CARD: Final = "dataset_card.md"
CARD_PAGE: Final = "dataset_card.html"
PLOTS: Final = "plots"
NOTE: Final = "NOTE.txt"

RECORD: Final = "release.json"
"""Written last of all: a folder without it is no release (yet)."""
MANIFEST: Final = "manifest.parquet"
LINEAGE: Final = "lineage.parquet"
SPLIT_RECORD: Final = "splits.json"
PICTURES: Final = "pictures.parquet"
"""The hash of every picture."""
CITATION: Final = "CITATION.cff"
CROISSANT: Final = "croissant.json"

IMPORT_RECORD: Final = "import.json"
"""In a dataset that was taken over: what was repaired."""
IMPORTED_WORK: Final = "work"
"""In a dataset that was taken over: what its annotators said, a table a file."""

FRAME_LIST_HEADER: Final = "original_vido_id video_id frame_id path labels"
"""First line of a frame list, as SlowFast and pytorchvideo expect it, spelling included."""


def rows_csv(split: str) -> str:
    """The annotation rows of a split."""
    return f"{ANNOTATIONS}/ava_{split}_v2.2.csv"


def excluded_csv(split: str) -> str:
    """The seconds of a split that readers leave out."""
    return f"{ANNOTATIONS}/ava_{split}_excluded_timestamps_v2.2.csv"


def predicted_csv(split: str) -> str:
    """The detected boxes of a split, for SlowFast."""
    return f"{ANNOTATIONS}/ava_{split}_predicted_boxes.csv"


def proposals_pickle(split: str) -> str:
    """The detected boxes of a split, for mmaction2."""
    return f"{ANNOTATIONS}/ava_dense_proposals_{split}.pkl"


def video_list(split: str) -> str:
    """The videos of a split."""
    return f"{ANNOTATIONS}/ava_file_names_{split}.txt"


def frame_list(split: str) -> str:
    """The frames of a split."""
    return f"{FRAME_LISTS}/{split}.csv"


def frame_name(video: str, number: int) -> str:
    """A frame in `frames/<video>/`; numbers count from 1."""
    return f"{video}_{number:06d}.jpg"


def frame_paths(video: str, number: pl.Expr) -> pl.Expr:
    """Frames below `frames/`, of the videos in a column and the numbers of an expression."""
    return pl.format("{}/{}_{}.jpg", video, video, number.cast(pl.String).str.zfill(6))


def rawframe_name(number: int) -> str:
    """A frame in `rawframes/<video>/`; numbers count from 1."""
    return f"img_{number:05d}.jpg"


def keyframe_name(timestamp: int) -> str:
    """A keyframe in `keyframes/<video>/`."""
    return f"{timestamp}.jpg"
