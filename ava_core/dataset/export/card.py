"""The dataset card: what is in a dataset, how far it can be trusted, and what it lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import polars as pl

from ava_core.base.report.document import Block, Heading, Numbers, Picture, Text, to_html, to_markdown
from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.ava.names import SPLITS
from ava_core.dataset.formats.ava.readers import MOST_EVALUATED, SLOWFAST_THRESHOLD
from ava_core.dataset.formats.ava.rows import excluded_seconds
from ava_core.dataset.formats.dataset import Dataset

CHANCES: Final = (0.5, 0.6, 0.7, 0.8, 0.9)
CHANCE_BANDS: Final = ("below .5", ".5 to .6", ".6 to .7", ".7 to .8", ".8 to .9", ".9 and more")


@dataclass(frozen=True)
class Card:
    """What the card is made of; what is not known is left empty and said to be so.

    `dropped`: classes that were left out, and why; `agreement`: tables of `agreement.measure.measure_agreement`;
    `lineage`: as `lineage.lineage` gives it; `about`: as `provenance.describe` gives it.
    """

    dataset: Dataset
    note: str = ""
    licence: str = ""
    least_rows: int = 0
    dropped: Mapping[str, str] = field(default_factory=dict)
    agreement: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    lineage: pl.DataFrame | None = None
    about: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def counts(self) -> pl.DataFrame:
        """`action_id, name`, and labels by split, for every action of the ontology."""
        split = pl.col("video_id").replace_strict(dict(self.dataset.split_of))
        found = self.dataset.rows.with_columns(split=split)
        actions = self.dataset.ontology.actions
        table = pl.DataFrame({"action_id": [a.id for a in actions], "name": [a.name for a in actions]})
        for name in SPLITS:
            own = (
                found.filter(pl.col("split") == name)
                .group_by("action_id")
                .agg(pl.len().cast(pl.Int64).alias(name))
            )
            table = table.join(
                own.with_columns(pl.col("action_id").cast(pl.Int64)), on="action_id", how="left"
            )
        return table.with_columns(pl.col(SPLITS).fill_null(0)).sort("action_id")


def write_card(folder: Path, card: Card) -> None:
    """Write `dataset_card.md`, `dataset_card.html`, `plots/*.svg`, and `NOTE.txt` where there is a note."""
    blocks = list(_blocks(card))
    plots = [block for block in blocks if isinstance(block, Picture)]
    if plots:
        (folder / names.PLOTS).mkdir()
    for plot in plots:
        (folder / names.PLOTS / f"{plot.name}.svg").write_text(plot.svg, "utf-8")
    (folder / names.CARD).write_text(to_markdown(blocks), "utf-8")
    (folder / names.CARD_PAGE).write_text(to_html(card.dataset.title, blocks), "utf-8")
    if card.note:
        (folder / names.NOTE).write_text(card.note + "\n", "utf-8")


def _blocks(card: Card) -> Iterator[Block]:
    yield Heading(card.dataset.title, 1)
    for line in card.note.splitlines():
        yield Text(line, strong=True)
    yield from _contents(card)
    yield from _agreement(card)
    yield from _votes(card)
    yield from _chances(card)
    yield Heading("Known gaps")
    yield Text(*_gaps(card))
    yield from _provenance(card)
    yield Heading("Licence")
    yield Text(card.licence or "None given. Ask before you use or share this dataset.")


def _contents(card: Card) -> Iterator[Block]:
    from ava_core.dataset.export.plots import plot_counts

    data = card.dataset
    rows, ontology = data.rows, data.ontology
    clips = data.clips.filter(pl.col("clip_id").is_in(list(data.split_of)))
    boxes = rows.select("video_id", "timestamp", "person_id").n_unique()
    yield Text(
        f"Spatio-temporal action labels in AVA format. Ontology {ontology.name} {ontology.version}: "
        f"{len(ontology.actions)} actions, {rows['action_id'].n_unique()} of them used.",
    )
    yield Text(
        f"{clips.height} videos of {clips['duration_s'].sum():.0f} s in all, cut from "
        f"{clips['source_id'].n_unique()} source videos; {rows.height} labels on {boxes} boxes. "
        "Splits are made by source video.",
    )
    yield Numbers(
        ("split", "source videos", "videos", "boxes", "labels"), [_split_row(card, split) for split in SPLITS]
    )
    yield Heading("Labels by class")
    used = card.counts.filter(pl.sum_horizontal(SPLITS) > 0)
    yield Picture("classes", "Labels by class and split", plot_counts(used))
    yield Numbers(("id", "action", *SPLITS), card.counts.rows())
    yield Text(
        "Coordinates are fractions of the picture without letterbox bars. Timestamps count from 0900; "
        "seconds "
        "without two seconds of context on both sides carry no label. Frames are at constant 30 fps.",
    )


def _split_row(card: Card, split: str) -> tuple[object, ...]:
    clips, rows = card.dataset.clips_of(split), card.dataset.rows_of(split)
    boxes = rows.select("video_id", "timestamp", "person_id").n_unique()
    return split, clips["source_id"].n_unique(), clips.height, boxes, rows.height


def _agreement(card: Card) -> Iterator[Block]:
    from ava_core.dataset.export.plots import plot_agreement

    if not card.agreement:
        return
    yield Heading("Agreement between annotators")
    overall = card.agreement["overall"].select("statistic", "value", "low", "high", "n", "reason")
    yield Text("95 % intervals from resampling clips. Undefined figures show a reason, never a number.")
    yield Numbers(("figure", "value", "low", "high", "n", "reason"), overall.rows())
    by_class = card.agreement["per_class"].select(
        "action_id", "name", "alpha", "low", "high", "positives", "reason"
    )
    if by_class["alpha"].count():
        yield Picture(
            "agreement", "Krippendorff's alpha by class, with 95 % intervals", plot_agreement(by_class)
        )
    yield Numbers(("id", "action", "alpha", "low", "high", "positive ratings", "reason"), by_class.rows())
    yield Heading("Annotators")
    cards = card.agreement["annotators"].select(
        "annotator", "clips", "boxes", "edit_rate", "mean_alpha", "mean_iou"
    )
    yield Numbers(("annotator", "clips", "boxes", "edit rate", "mean alpha", "mean IoU"), cards.rows())


def _votes(card: Card) -> Iterator[Block]:
    from ava_core.dataset.export.plots import plot_votes

    if card.lineage is None or card.lineage["votes"].count() == 0:
        return
    shares = card.lineage.drop_nulls("votes").group_by("rule", "votes", "voters").agg(labels=pl.len())
    shares = shares.sort("rule", "voters", "votes")
    yield Heading("Votes")
    yield Picture("votes", "Labels by the share of annotators who gave them", plot_votes(shares))
    yield Numbers(("rule", "votes", "voters", "labels"), shares.rows())


def _chances(card: Card) -> Iterator[Block]:
    if card.lineage is None or card.lineage["posterior"].count() == 0:
        return
    known = card.lineage.drop_nulls("posterior").select("posterior")
    wrong = float((1 - known["posterior"]).sum())
    yield Heading("How sure the labels are")
    yield Text(
        "The chance that a label holds follows from who gave it and how often each errs. "
        f"Of {known.height} labels with a chance {wrong:.0f} are expected to be wrong ({wrong / known.height:.1%}); "
        f"of {card.lineage.height - known.height} nothing is known."
    )
    bands = known.with_columns(
        band=pl.col("posterior").cut(CHANCES, left_closed=True, labels=CHANCE_BANDS).cast(pl.String)
    )
    chance = pl.col("posterior")
    rows = bands.group_by("band").agg(
        pl.len(), (1 - chance).sum().round(1).alias("wrong"), least=chance.min()
    )
    yield Numbers(
        ("chance", "labels", "expected to be wrong"), rows.sort("least").select("band", "len", "wrong").rows()
    )


def _gaps(card: Card) -> Iterator[str]:
    data = card.dataset
    for clip, reason in card.about.get("left_out", {}).items():
        yield f"Excluded: clip {clip}, {reason}."
    for batch, reason in card.about.get("behind", {}).items():
        yield f"Excluded: batch {batch}, whose consensus was out of date: {reason}."
    total = pl.sum_horizontal(SPLITS)
    unused = card.counts.filter(total == 0)["name"].to_list()
    if unused:
        yield f"Classes without a label: {', '.join(unused)}."
    rare = card.counts.filter(total > 0, total < card.least_rows).select("name", total.alias("n")).rows()
    if rare:
        yield f"Classes below {card.least_rows} labels: {', '.join(f'{name} ({n})' for name, n in rare)}."
    for name, reason in card.dropped.items():
        yield f"Excluded: {name}, {reason}."
    untrained = card.counts.filter(pl.col("train") == 0, total > 0)["name"].to_list()
    if untrained:
        yield f"Classes without a label in train: {', '.join(untrained)}."
    empty = [split for split in SPLITS if split not in data.split_of.values()]
    if empty:
        yield f"Splits without a video: {', '.join(empty)}."
    excluded = excluded_seconds(data.disputed, data.clips_of("train")).height + sum(
        excluded_seconds(data.disputed, data.clips_of(split)).height for split in SPLITS[1:]
    )
    yield f"Seconds excluded because they are disputed or unusable: {excluded}."
    yield from _reader_gaps(data)
    if card.lineage is not None:
        single = card.lineage.filter(pl.col("voters") == 1).height
        yield f"Labels that rest on one annotator's word: {single} of {card.lineage.height}."


def _reader_gaps(data: Dataset) -> Iterator[str]:
    crowded = data.rows.group_by("video_id", "timestamp").agg(n=pl.len()).filter(pl.col("n") > MOST_EVALUATED)
    if crowded.height:
        yield (
            f"Keyframes with more than {MOST_EVALUATED} labels: {crowded.height}. The AVA evaluation reads "
            f"{MOST_EVALUATED} detections of a keyframe, so no model can find them all."
        )
    best = (
        data.proposals.filter(pl.col("clip_id").is_in(list(data.split_of)))
        .group_by("clip_id")
        .agg(pl.max("score"))
    )
    weak = len(data.split_of) - best.filter(pl.col("score") >= SLOWFAST_THRESHOLD).height
    if weak:
        yield (
            f"Videos without a proposal of score {SLOWFAST_THRESHOLD} or more: {weak}. Lower SlowFast's "
            "AVA.DETECTION_SCORE_THRESH and mmaction2's person_det_score_thr for this detector."
        )


def _provenance(card: Card) -> Iterator[Block]:
    if not card.about:
        return
    about = card.about
    yield Heading("Provenance")
    ontology = about["ontology"]
    yield Text(
        f"Made {about['made_at']} by {about['made_by']}; ontology {ontology['name']} {ontology['version']} "
        f"({ontology['digest']}). Options, settings and hashes are in {names.RECORD}, sources in "
        f"{names.MANIFEST}, the votes behind every row in {names.LINEAGE}.",
    )
    rows = [
        (name, batch["clips"], source, sha256)
        for name, batch in about["batches"].items()
        for source, sha256 in batch["sources"].items()
    ]
    yield Numbers(("batch", "clips", "source video", "SHA-256"), rows)
