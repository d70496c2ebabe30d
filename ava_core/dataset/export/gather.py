"""All approved batches as one dataset: what fits together, what is left out, who agreed how far."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import polars as pl
from upath import UPath

from ava_core.annotation.answered import shares
from ava_core.base.errors import ExportError
from ava_core.base.schemas import HAS_VIDEO
from ava_core.base.settings import Settings
from ava_core.base.storage import Storage
from ava_core.batch import open_batch
from ava_core.dataset.export.inputs import BatchTables, BatchWork
from ava_core.dataset.export.options import ReleaseOptions
from ava_core.dataset.export.release_pictures import Fetch, Pictures, pictures_of, videos_of
from ava_core.dataset.export.release_splits import given_splits, release_splits
from ava_core.dataset.export.val_clips import unvalidated, usable_clips
from ava_core.dataset.formats.ava.rows import KEY_COLUMNS, annotation_rows
from ava_core.dataset.formats.dataset import Dataset
from ava_core.dataset.formats.flavours import chosen_flavours
from ava_core.ontology import Ontology
from ava_core.quality.agreement.measure import measure_agreement
from ava_core.store import Store, imported_work

WITHOUT_PICTURES: Final = (
    "it was imported without pictures: layouts that hold none take it (`--flavour parquet`, or `none`)"
)

Inputs = Sequence[tuple[BatchTables, BatchWork]]


@dataclass(frozen=True)
class Chosen:
    """What goes in: rows (`rows.ROW_COLUMNS`), clips that have rows, and of every source its content's hash.

    `agreement`: tables of `agreement.measure`; `dropped`: reasons by id of the classes that were left out;
    `pictures`: folders of the clips, and the clips that were left out as they lack some; empty where nobody asked;
    `usable`: clips that readers can validate on.
    """

    ontology: Ontology
    rows: pl.DataFrame
    clips: pl.DataFrame
    content: Mapping[str, str]
    agreement: Mapping[str, pl.DataFrame]
    dropped: Mapping[int, str]
    pictures: Pictures
    usable: frozenset[str]

    def without(self, clips: Collection[str]) -> Chosen:
        """The same without these clips."""
        return replace(
            self,
            rows=self.rows.filter(~pl.col("video_id").is_in(list(clips))),
            clips=self.clips.filter(~pl.col("clip_id").is_in(list(clips))),
        )


@dataclass(frozen=True)
class Gathered:
    """The dataset, what `splits.json` keeps, agreement (`agreement.measure`), and what was left out with the reason.

    `dropped`: classes by name; `left_out`: clips by id.
    """

    dataset: Dataset
    splits: Mapping[str, Any]
    agreement: Mapping[str, pl.DataFrame]
    dropped: Mapping[str, str]
    left_out: Mapping[str, str]


def gather(
    name: str,
    inputs: Inputs,
    options: ReleaseOptions,
    settings: Settings,
    storage: Storage,
    store: Store,
    *,
    fetch: Fetch,
    fetch_video: Callable[[UPath], Path],
) -> Gathered:
    """Put the batches together; `fetch` brings a folder of pictures to this machine, `fetch_video` a
    clip's file.

    A clip that lacks what the chosen layouts hold is left out. Raises `ExportError` where they do not fit, too little
    was answered, a class is too weak, or no clip has pictures.
    """
    layouts = chosen_flavours(options.flavours).values()

    def look(clips: pl.DataFrame) -> Pictures:
        """What the layouts hold of the clips."""
        pictures = videos = Pictures()
        lacking: dict[str, str] = {}
        if any(layout.pictures or layout.videos for layout in layouts):
            lacking = dict.fromkeys(clips.filter(~HAS_VIDEO)["clip_id"].sort(), WITHOUT_PICTURES)
            clips = clips.filter(HAS_VIDEO)
            if clips.is_empty() and lacking:
                raise ExportError(
                    "No clip has pictures: all of them were imported without any.",
                    "Choose layouts that hold none: --flavour none, or --flavour parquet.",
                )
        if any(layout.pictures for layout in layouts):
            pictures = pictures_of(clips, storage, fetch)
        if any(layout.videos for layout in layouts):
            videos = videos_of(clips, storage, fetch_video)
        return Pictures(pictures.folders, videos.videos, {**lacking, **videos.lacking, **pictures.lacking})

    inputs = _without_doubt(inputs, options)
    chosen = choose(inputs, options, settings, store, pictures=look)
    options = _without_idle_pins(options, chosen, inputs)
    content, ontology = chosen.content, chosen.ontology
    splits = release_splits(
        chosen.rows, chosen.clips, content, options, settings.seed, storage.path("releases"),
        usable=chosen.usable, given=given_splits(inputs),
    )  # fmt: skip
    left_out = unvalidated(chosen.clips, splits, chosen.usable)
    chosen = chosen.without(left_out)
    rows, used = chosen.rows, chosen.clips
    if rows.is_empty():
        raise ExportError(
            "No clip remains: those of val and test show no people at any second used for validation.",
            "Pin their source videos to train, or approve more clips.",
        )
    dataset = Dataset(
        title=f"Release {name}",
        rows=rows,
        clips=used,
        proposals=pl.concat([tables.proposals for tables, _ in inputs]),
        disputed=pl.concat([tables.disputed for tables, _ in inputs]),
        split_of={c: splits[s] for c, s in used.select("clip_id", "source_id").sort("clip_id").rows()},
        ontology=ontology,
        pictures=_of_clips(chosen.pictures.folders, used),
        videos=_of_clips(chosen.pictures.videos, used),
    )
    record = {
        "seed": settings.seed, "ratios": dict(options.ratios), "sources": splits,
        "sha256": {source: content[source] for source in splits},
    }  # fmt: skip
    dropped = {ontology.action(number).name: why for number, why in chosen.dropped.items()}
    return Gathered(dataset, record, chosen.agreement, dropped, {**chosen.pictures.lacking, **left_out})


def _without_doubt(inputs: Inputs, options: ReleaseOptions) -> Inputs:
    return [(tables.without_doubt(options.least_chance), work) for tables, work in inputs]


def _of_clips(places: Mapping[str, Path], clips: pl.DataFrame) -> dict[str, Path]:
    return {clip: places[clip] for clip in clips["clip_id"].sort() if clip in places}


def _without_idle_pins(options: ReleaseOptions, chosen: Chosen, inputs: Inputs) -> ReleaseOptions:
    """Without the pins of sources all of whose clips were left out: such a pin is no mistake."""
    lacking = pl.col("clip_id").is_in(list(chosen.pictures.lacking))
    lost = {source for tables, _ in inputs for source in tables.clips.filter(lacking)["source_id"]}
    idle = lost - set(chosen.clips["source_id"])
    return replace(options, pins={name: split for name, split in options.pins.items() if name not in idle})


def choose(
    inputs: Inputs,
    options: ReleaseOptions,
    settings: Settings,
    store: Store,
    *,
    repetitions: int = 1000,
    pictures: Callable[[pl.DataFrame], Pictures] = lambda clips: Pictures(),
) -> Chosen:
    """The rows that go in; `repetitions` of agreement's intervals, `pictures` finds those of clips.

    Raises `ExportError` as `gather` does.
    """
    inputs = _without_doubt(inputs, options)
    _refuse_doubled_sources(inputs)
    _refuse_unanswered(inputs, settings, store)
    ontology = _common_ontology([tables for tables, _ in inputs], settings, store)
    found = pl.concat(
        [annotation_rows(t.consensus_boxes, t.consensus_labels, t.clips, t.disputed) for t, _ in inputs]
    ).sort(KEY_COLUMNS)
    clips = pl.concat([tables.clips for tables, _ in inputs])
    there = pictures(_with_rows(clips, found))
    found = found.filter(~pl.col("video_id").is_in(list(there.lacking)))
    agreement = _agreement(found, inputs, ontology, settings.seed, repetitions)
    dropped = _dropped(found, agreement["per_class"], ontology, options)
    rows = found.filter(~pl.col("action_id").is_in(list(dropped)))
    if rows.is_empty():
        raise ExportError("No approved clip has a labelled person.", "Approve clips, or lower the floor.")
    used = _with_rows(clips, rows)
    usable = usable_clips(rows, used, pl.concat([tables.proposals for tables, _ in inputs]))
    return Chosen(ontology, rows, used, _content(inputs), agreement, dropped, there, usable)


def _with_rows(clips: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    return clips.filter(pl.col("clip_id").is_in(rows["video_id"].unique().to_list()))


def manifest(dataset: Dataset, inputs: Inputs) -> pl.DataFrame:
    """A row per video: where it comes from, to the file and second."""
    sources = pl.concat([tables.source_videos for tables, _ in inputs])
    named = sources.select("source_id", "original_name", source_sha256="sha256")
    counts = dataset.rows.group_by(pl.col("video_id").alias("clip_id")).agg(rows=pl.len())
    joined = dataset.clips.join(named, on="source_id").join(counts, on="clip_id").sort("clip_id")
    split = pl.col("clip_id").replace_strict(dict(dataset.split_of))
    return joined.with_columns(split=split).rename({"clip_id": "video_id"})


def _dropped(
    rows: pl.DataFrame, per_class: pl.DataFrame, ontology: Ontology, options: ReleaseOptions
) -> dict[int, str]:
    """Classes that are left out, with the reason. Raises `ExportError` where one is too weak and must not be."""
    counts = dict(rows.group_by("action_id").agg(pl.len()).rows())
    dropped = {
        action: f"{number} labels, fewer than {options.least_rows}"
        for action, number in sorted(counts.items())
        if options.drop_rare and number < options.least_rows
    }
    alphas = dict(per_class.drop_nulls("alpha").select("action_id", "alpha").rows())
    for action in ontology.actions:
        floor, alpha = action.minimum_alpha, alphas.get(action.id)
        if floor is None or alpha is None or alpha >= floor or action.id not in counts:
            continue
        weak = f"alpha {alpha:.3f}, below {floor:g}"
        if not options.drop_weak:
            raise ExportError(
                f"Annotators disagree on {action.name}: {weak}, the ontology's floor.",
                "Have it labelled or adjudicated again, or exclude it: --drop-weak.",
            )
        dropped[action.id] = weak
    return dropped


def _agreement(
    rows: pl.DataFrame, inputs: Inputs, ontology: Ontology, seed: int, repetitions: int
) -> dict[str, pl.DataFrame]:
    """Agreement of those who had a vote, on the clips that have rows."""
    released = pl.col("clip_id").is_in(rows["video_id"].unique().to_list())

    def together(tables: list[pl.DataFrame]) -> pl.DataFrame:
        return pl.concat(
            table.filter(released, ~pl.col("annotator").is_in(sorted(work.excluded)))
            for table, (_, work) in zip(tables, inputs, strict=True)
        )

    return measure_agreement(
        together([work.raw_boxes for _, work in inputs]),
        together([work.raw_labels for _, work in inputs]),
        together([work.completed for _, work in inputs]),
        ontology,
        seed=seed,
        repetitions=repetitions,
    )


def _content(inputs: Inputs) -> dict[str, str]:
    return dict(
        pl.concat([tables.source_videos for tables, _ in inputs]).select("source_id", "sha256").rows()
    )


def _refuse_doubled_sources(inputs: Inputs) -> None:
    owner: dict[str, str] = {}
    for tables, _ in inputs:
        for source in tables.clips["source_id"].unique().sort():
            if owner.setdefault(source, tables.batch) != tables.batch:
                raise ExportError(
                    f"Batches {owner[source]} and {tables.batch} both have a source video {source}.",
                    "Add one of them again under a different batch name.",
                )


def _refuse_unanswered(inputs: Inputs, settings: Settings, store: Store) -> None:
    """Silence would be released as "no": approved clips of every batch must be answered well enough."""
    for tables, work in inputs:
        least = open_batch(settings, tables.batch, store=store).settings.answered_least
        # A dataset that was taken over is as complete as it was: what it does not say nobody was asked.
        without = work.excluded | imported_work.annotators_of(store, tables.batch)
        found = shares(work.answered, tables.consensus_boxes["clip_id"].unique().to_list(), without)
        for group, share in found.filter(pl.col("share") < least).select("group", "share").rows():
            raise ExportError(
                f"Batch {tables.batch}: annotators answered {group!r} for {share:.0%} of the time people "
                f"are visible, less than {least:.0%} (AVA_ANSWERED_LEAST).",
                "Have the rest answered, release without this batch, or lower the share.",
            )


def _common_ontology(inputs: Sequence[BatchTables], settings: Settings, store: Store) -> Ontology:
    found = {each.batch: open_batch(settings, each.batch, store=store).ontology for each in inputs}
    newest = max(found.values(), key=lambda ontology: (ontology.version, len(ontology.actions)))
    known = {(action.id, action.name) for action in newest.actions}
    for batch, ontology in found.items():
        clash = [a for a in ontology.actions if (a.id, a.name) not in known and a.id not in newest.retired]
        if ontology.name != newest.name or clash:
            raise ExportError(
                f"Batch {batch} uses ontology {ontology.name} {ontology.version}, others {newest.name} "
                f"{newest.version}" + (f", where {clash[0].id} is not {clash[0].name}." if clash else "."),
                "Release only batches of one ontology together.",
            )
    return newest
