"""All rules over a dataset's folder, file by file and between files."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Final

import polars as pl

from ava_core.base.errors import AvaError
from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.ava.checks.boxes import check_predicted, check_proposals
from ava_core.dataset.formats.ava.checks.excluded import check_excluded, read_excluded
from ava_core.dataset.formats.ava.checks.finding import EXAMPLES, Finding
from ava_core.dataset.formats.ava.checks.frames import FrameList
from ava_core.dataset.formats.ava.checks.pictures import check_pictures, check_recorded_pictures
from ava_core.dataset.formats.ava.checks.present import check_names, check_presence
from ava_core.dataset.formats.ava.checks.rows import AnnotationCsv
from ava_core.dataset.formats.ava.checks.together import (
    check_kinetics,
    check_many_labels,
    check_trained_classes,
    check_validated,
)
from ava_core.dataset.formats.ava.files import AvaFiles, find_files
from ava_core.dataset.formats.ava.labels import read_pbtxt
from ava_core.dataset.formats.ava.readers import MOST_CLASSES
from ava_core.video.media.hashing import hash_file

ONE_SET: Final = "List the same videos in both: --fix does"


def validate_dataset(place: Path) -> list[Finding]:
    """Check a dataset folder or a single file of one; returns all findings, none if every rule holds.

    Files are recognised by their content, whatever their names. Raises `InputError` if there is no part of an AVA
    dataset.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     csv = Path(folder, "annotations", "ava_val_v2.2.csv")
    ...     csv.parent.mkdir()
    ...     _ = csv.write_text("gate_000,0904,0.500,0.200,0.300,0.900,12,1\\n")
    ...     print(*validate_dataset(Path(folder)), sep="\\n")  # doctest: +ELLIPSIS
    annotations/ava_action_list_v2.2.pbtxt: the label map is missing. The AVA evaluation ...
    annotations/ava_val_v2.2.csv:1: a box has no width or height. The AVA evaluation ...
    """
    return list(_findings(find_files(place), alone=place.is_file()))


def _findings(files: AvaFiles, *, alone: bool) -> Iterator[Finding]:
    actions: set[int] | None = None
    if not alone:
        yield from _unchanged(files.root)
        yield from check_presence(files)
    yield from check_names(files)
    if ("label map", "") in files.files:
        actions = yield from _label_map(files)
    split_of: dict[str, str] = {}
    rows_of: dict[str, pl.DataFrame] = {}
    splits = dict.fromkeys(split for role, split in files.files if role != "label map")
    for split in sorted(splits, key=lambda split: [*names.SPLITS, split].index(split)):
        rows = pl.DataFrame(schema=dict.fromkeys(("video_id", "timestamp"), pl.String))
        frames = FrameList(
            files.root, path := files.path("frame list", split), files.name(path) if path else ""
        )
        yield from frames.check()
        if (path := files.path("rows", split)) is not None:
            csv = AnnotationCsv(path, files.name(path))
            yield from csv.check_text()
            yield from csv.check_rows(actions)
            yield from csv.check_window(frames.counts)
            yield from _same_videos(csv, frames)
            yield from _in_one_split(csv, split, split_of)
            yield from check_many_labels(csv.name, csv.rows)
            rows = rows_of[split] = csv.rows
        excluded = read_excluded(files.path("excluded", split))
        if (path := files.path("excluded", split)) is not None:
            yield from check_excluded(files.name(path), excluded, rows)
        if (path := files.path("proposals", split)) is not None:
            keys = rows.select(pl.concat_str("video_id", pl.col("timestamp").str.zfill(4), separator=","))
            yield from check_proposals(path, files.name(path), set(keys.to_series().drop_nulls()))
        if (path := files.path("predicted", split)) is not None:
            yield from check_predicted(path, files.name(path), split, set(frames.counts["video"]))
        if split == "val" and frames.path is not None and split in rows_of:
            yield from check_validated(csv.name, rows, excluded, set(frames.counts["video"]))
    yield from check_trained_classes(
        {split: files.name(files.files["rows", split]) for split in rows_of}, rows_of
    )
    if not alone:
        yield from check_kinetics(files.root)
        labelled = [rows.select("video_id", "timestamp") for rows in rows_of.values() if rows.height]
        yield from check_pictures(files.root, pl.concat(labelled).unique() if labelled else None)


def _unchanged(folder: Path) -> Iterator[Finding]:
    """A release says in `release.json` what its files were when it was made."""
    path = folder / names.RECORD
    if not path.is_file():
        return
    try:
        hashes = dict(json.loads(path.read_text("utf-8")).get("files", {}))
    except (ValueError, AttributeError):
        yield Finding(
            names.RECORD, 0, "it is not a JSON object", "Nobody can tell what the release was made of"
        )
        return
    for name, sha256 in hashes.items():
        own = folder / name
        if not own.is_file():
            yield Finding(
                name, 0, "the file is missing since the release was made", "The release is not whole"
            )
        elif hash_file(own) != sha256:
            yield Finding(name, 0, "the file was changed since the release was made", "Releases never change")
    yield from check_recorded_pictures(folder)


def _label_map(files: AvaFiles) -> Generator[Finding, None, set[int] | None]:
    path = files.files["label map", ""]
    name = files.name(path)
    try:
        text = path.read_text("utf-8")
        actions = read_pbtxt(text, name)
    except (AvaError, UnicodeDecodeError) as error:
        rule = f"the label map cannot be read ({str(error).rstrip('.')})"
        cure = (
            "Write label { name: … label_id: … } or item { name: … id: … } blocks: --fix does with --ontology"
        )
        yield Finding(name, 0, rule, "The AVA evaluation, mmaction2 and YOWOv2 name no class", cure=cure)
        return None
    if "\n  name:" not in text or ("\n  id:" not in text and "\n  label_id:" not in text):
        yield Finding(
            name,
            0,
            "fields do not begin with two spaces, name and id or label_id",
            "The AVA evaluation finds no class",
            cure="Indent them so: --fix does",
        )
    if min(actions) < 1:
        yield Finding(
            name,
            0,
            "an action id is below 1",
            "mmaction2 takes 0 for the background class",
            cure="Count classes from 1",
        )
    if max(actions) > MOST_CLASSES:
        yield Finding(
            name, 0, f"an action id is above {MOST_CLASSES}",
            "SlowFast, YOWOv2, YOWOv3 and AlphAction cannot be trained on rows of it", "warning",
        )  # fmt: skip
    if "activitynet" in path.name:
        # Google's list of the classes that are evaluated: rows of others are left out on purpose.
        return set(range(1, max(MOST_CLASSES, *actions) + 1))
    return set(actions)


def _same_videos(csv: AnnotationCsv, frames: FrameList) -> Iterator[Finding]:
    if frames.path is None:
        return
    labelled, listed = set(csv.rows["video_id"].unique()), set(frames.counts["video"])
    for video in sorted(map(str, labelled - listed))[:EXAMPLES]:
        yield Finding(
            csv.name, 0, f"{video} is not in {frames.name}", "SlowFast raises KeyError", cure=ONE_SET
        )
    for video in sorted(listed - labelled)[:EXAMPLES]:
        yield Finding(
            frames.name,
            0,
            f"{video} is not in {csv.name}",
            "SlowFast's counts of videos differ, it stops",
            cure=ONE_SET,
        )


def _in_one_split(csv: AnnotationCsv, split: str, split_of: dict[str, str]) -> Iterator[Finding]:
    for video in csv.rows["video_id"].unique().sort().cast(pl.String):
        other = split_of.setdefault(video, split)
        if other != split:
            yield Finding(
                csv.name,
                0,
                f"{video} is in {other} too",
                "Training data is in the test data",
                cure="Keep it in one of them",
            )
