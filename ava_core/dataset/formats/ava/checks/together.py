"""Rules between the splits, and for layouts beside AVA's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import polars as pl

from ava_core.dataset.formats.ava.checks.finding import EXAMPLES, Finding
from ava_core.dataset.formats.ava.names import SPLITS
from ava_core.dataset.formats.ava.readers import MOST_EVALUATED, VALIDATED_EVERY

KINETICS_CSV: Final = "kinetics/annotations/kinetics_{split}_v1.0.csv"


def check_validated(
    name: str, rows: pl.DataFrame, excluded: pl.DataFrame, listed: set[str]
) -> Iterator[Finding]:
    """Each video needs a labelled second that is validated on; `rows`, `excluded`: times as text."""
    kept = rows.join(excluded, on=["video_id", "timestamp"], how="anti")
    looked_at = kept.filter(pl.col("timestamp").cast(pl.Float64, strict=False) % VALIDATED_EVERY == 0)
    for video in sorted(listed & set(rows["video_id"]) - set(looked_at["video_id"]))[:EXAMPLES]:
        yield Finding(
            name, 0, f"{video} has no row at a second divisible by {VALIDATED_EVERY}",
            "YOWOv2 validates on those alone and stops with AssertionError: len(boxes_and_labels) == len(image_paths)",
            cure="Put the video into train",
        )  # fmt: skip


def check_trained_classes(names: Mapping[str, str], rows_of: Mapping[str, pl.DataFrame]) -> Iterator[Finding]:
    """Classes of val and test that train lacks."""
    if "train" not in rows_of or rows_of["train"].is_empty():
        return
    trained = set(rows_of["train"]["action_id"])
    for split in ("val", "test"):
        new = set(rows_of[split]["action_id"]) - trained if split in rows_of else set()
        if new:
            some = ", ".join(sorted(map(str, new), key=lambda text: (len(text), text))[:EXAMPLES])
            yield Finding(
                names[split], 0, f"{len(new)} classes have rows here and none in train: {some}",
                "No model can learn them: their AP is 0 and lowers the mean", "warning",
                "Split again, or leave the class out of the label map",
            )  # fmt: skip


def check_many_labels(name: str, rows: pl.DataFrame) -> Iterator[Finding]:
    """Seconds with more labels than the evaluation reads detections."""
    many = rows.group_by("video_id", "timestamp").len().filter(pl.col("len") > MOST_EVALUATED)
    if many.height:
        video, stamp, most = many.sort("len", "video_id", descending=[True, False]).row(0)
        yield Finding(
            name, 0, f"{many.height} seconds have more than {MOST_EVALUATED} labels, {video} at {stamp} has {most}",
            f"The AVA evaluation reads {MOST_EVALUATED} detections a second: mAP stays below 1 even for the truth",
            "warning",
        )  # fmt: skip


def check_kinetics(root: Path) -> Iterator[Finding]:
    """The last row of a csv of AVA-Kinetics must be of a longest clip."""
    for split in SPLITS:
        name = KINETICS_CSV.format(split=split)
        path = root / name
        ids = (
            [line.partition(",")[0] for line in path.read_text("utf-8", "replace").splitlines()]
            if path.is_file()
            else []
        )
        spans = [_seconds(video) for video in ids]
        if spans and spans[-1] < max(spans):
            yield Finding(
                name, len(ids), f"the last row is of a clip of {spans[-1]} s, others have {max(spans)} s",
                "mmaction2 AVAKineticsDataset holds every item to the last row's range, and shows wrong pictures of "
                "longer clips without an error", cure="Move the rows of a longest clip to the end",
            )  # fmt: skip


def _seconds(video: str) -> int:
    first, _, last = video.rpartition("_")
    start = first.rpartition("_")[2]
    return int(last) - int(start) if last.isdigit() and start.isdigit() else 0
