"""Names in the folder of AVA-Kinetics.

kinetics/annotations/   kinetics_<split>_v1.0.csv, kinetics_<split>_excluded_timestamps_v1.0.csv,
                        kinetics_dense_proposals_<split>.pkl, ava_action_list_v2.2.pbtxt
kinetics/rawframes/     <name>_<start>_<end>/img_%05d.jpg from 1
"""

from __future__ import annotations

from typing import Final

import polars as pl

from ava_core.base.schemas import CLIP_FPS
from ava_core.dataset.formats.ava import names as ava

FOLDER: Final = "kinetics"
ANNOTATIONS: Final = f"{FOLDER}/{ava.ANNOTATIONS}"
LABEL_MAP: Final = f"{FOLDER}/{ava.LABEL_MAP}"


def rows_csv(split: str) -> str:
    """The annotation rows of a split."""
    return f"{ANNOTATIONS}/kinetics_{split}_v1.0.csv"


def excluded_csv(split: str) -> str:
    """The seconds of a split that readers leave out."""
    return f"{ANNOTATIONS}/kinetics_{split}_excluded_timestamps_v1.0.csv"


def proposals_pickle(split: str) -> str:
    """The detected boxes of a split."""
    return f"{ANNOTATIONS}/kinetics_dense_proposals_{split}.pkl"


def kinetics_id(name: str) -> pl.Expr:
    """`<name>_<first second>_<last second>` from the column `name` and `frames`; never of 11 characters.

    mmaction2 takes an id of 11 characters for a YouTube id, and its seconds for AVA's 900 to 1800.
    """
    seconds = (pl.col("frames") // CLIP_FPS).cast(pl.String).str.zfill(6)
    return pl.format("{}_000000_{}", name, seconds).alias("kinetics_id")
