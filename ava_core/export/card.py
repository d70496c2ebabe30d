"""The dataset card: what is in a dataset, in words and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from ava_core.export.splits import SPLITS
from ava_core.ontology import Ontology


def write_card(
    folder: Path,
    title: str,
    rows: pl.DataFrame,
    clips: pl.DataFrame,
    split_of: Mapping[str, str],
    ontology: Ontology,
    *,
    note: str = "",
) -> None:
    """Write `dataset_card.md`, and `NOTE.txt` where there is a note that nobody may miss."""
    counts = _class_counts(rows, split_of)
    used = clips.filter(pl.col("clip_id").is_in(list(split_of)))
    present = set(rows["action_id"].unique())
    lines = [
        f"# {title}",
        "",
        *([f"> **{line}**" for line in note.splitlines()] + [""] if note else []),
        f"Spatio-temporal action labels in AVA format. Ontology {ontology.name} {ontology.version}: "
        f"{len(ontology.actions)} actions, {len(present)} of them used.",
        "",
        f"{len(split_of)} videos of {used['duration_s'].sum():.0f} s in all, cut from {used['source_id'].n_unique()} "
        f"source videos; {rows.height} labels on "
        f"{rows.select('video_id', 'timestamp', 'person_id').n_unique()} boxes. Splits are made by source video.",
        "",
        "| split | videos | labels |",
        "|---|---:|---:|",
        *(
            f"| {s} | {sum(v == s for v in split_of.values())} | {sum(c.get(s, 0) for c in counts.values())} |"
            for s in SPLITS
        ),
        "",
        "| id | action | " + " | ".join(SPLITS) + " |",
        "|---:|---|" + "---:|" * len(SPLITS),
        *(
            f"| {a.id} | {a.name} | " + " | ".join(str(counts.get(a.id, {}).get(s, 0)) for s in SPLITS) + " |"
            for a in ontology.actions
        ),
        "",
        "Coordinates are shares of the picture without letterbox bars. Timestamps count from 0900; seconds without "
        "two seconds of context on both sides carry no label. Frames are at constant 30 fps.",
        "",
    ]
    (folder / "dataset_card.md").write_text("\n".join(lines), "utf-8")
    if note:
        (folder / "NOTE.txt").write_text(note + "\n", "utf-8")


def _class_counts(rows: pl.DataFrame, split_of: Mapping[str, str]) -> dict[int, dict[str, int]]:
    counts: dict[int, dict[str, int]] = {}
    joined = rows.with_columns(split=pl.col("video_id").replace_strict(dict(split_of)))
    for action_id, split, number in joined.group_by("action_id", "split").agg(pl.len()).rows():
        counts.setdefault(action_id, {})[split] = number
    return counts
