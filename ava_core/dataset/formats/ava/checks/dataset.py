"""All rules over a dataset's folder, file by file and between files."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Final

import polars as pl

from ava_core.base.errors import AvaError, InputError
from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.ava.checks.boxes import check_predicted, check_proposals
from ava_core.dataset.formats.ava.checks.excluded import check_excluded
from ava_core.dataset.formats.ava.checks.finding import EXAMPLES, Finding
from ava_core.dataset.formats.ava.checks.frames import FrameList
from ava_core.dataset.formats.ava.checks.rows import AnnotationCsv
from ava_core.dataset.formats.ava.labels import read_pbtxt
from ava_core.dataset.formats.ava.names import SPLITS
from ava_core.video.media.hashing import hash_file

ALPHACTION_CLASSES: Final = 80


def validate_dataset(folder: Path) -> list[Finding]:
    """All findings in a dataset folder; none where every rule holds.

    Raises `InputError` where the folder holds no `annotations/ava_<split>_v2.2.csv` at all.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     csv = Path(folder, "annotations", "ava_val_v2.2.csv")
    ...     csv.parent.mkdir()
    ...     _ = csv.write_text("gate_000,0904,0.500,0.200,0.300,0.900,12,1\\n")
    ...     print(*validate_dataset(Path(folder)), sep="\\n")  # doctest: +ELLIPSIS
    annotations/ava_action_list_v2.2.pbtxt: the label map is missing. No reader can name the classes.
    annotations/ava_val_v2.2.csv:1: a box has no width or height. RoIAlign gives empty features.
    frame_lists/val.csv: ...
    """
    splits = [split for split in SPLITS if (folder / names.rows_csv(split)).is_file()]
    if not splits:
        raise InputError(
            f"{folder} holds no {names.rows_csv('<split>')}.",
            f"Give the folder that holds `{names.ANNOTATIONS}`.",
        )
    return list(_findings(folder, splits))


def _findings(folder: Path, splits: list[str]) -> Iterator[Finding]:
    yield from _unchanged(folder)
    actions = yield from _label_map(folder)
    split_of: dict[str, str] = {}
    for split in splits:
        csv = AnnotationCsv(folder, names.rows_csv(split))
        yield from csv.check_text()
        yield from csv.check_rows(actions)
        frames = FrameList(folder, split)
        yield from frames.check()
        yield from csv.check_window(frames.counts)
        yield from _same_videos(csv, frames)
        yield from _in_one_split(csv, split, split_of)
        yield from check_excluded(folder, split, csv.rows)
        yield from check_proposals(folder, split)
        yield from check_predicted(folder, split, set(frames.counts["video"]))


def _unchanged(folder: Path) -> Iterator[Finding]:
    """A release says in `release.json` what its files were when it was made."""
    path = folder / names.RECORD
    if not path.is_file():
        return
    try:
        hashes = dict(json.loads(path.read_text("utf-8")).get("files", {}))
    except (ValueError, AttributeError):
        yield Finding(names.RECORD, 0, "it is no JSON object", "Nobody can tell what the release was made of")
        return
    for name, sha256 in hashes.items():
        own = folder / name
        if not own.is_file():
            yield Finding(
                name, 0, "the file is missing since the release was made", "The release is not whole"
            )
        elif hash_file(own) != sha256:
            yield Finding(name, 0, "the file was changed since the release was made", "Releases never change")


def _label_map(folder: Path) -> Generator[Finding, None, set[int] | None]:
    name = names.LABEL_MAP
    path = folder / name
    if not path.is_file():
        yield Finding(name, 0, "the label map is missing", "No reader can name the classes")
        return None
    try:
        text = path.read_text("utf-8")
        actions = read_pbtxt(text, name)
    except (AvaError, UnicodeDecodeError) as error:
        yield Finding(name, 0, f"the label map cannot be read ({error})", "No reader can name the classes")
        return None
    if "\n  name:" not in text or "\n  id:" not in text:
        yield Finding(
            name, 0, "fields do not begin with two spaces, name and id", "The AVA evaluation finds no class"
        )
    if min(actions) < 1:
        yield Finding(name, 0, "an action id is below 1", "Readers take 0 for the background class")
    if max(actions) > ALPHACTION_CLASSES:
        yield Finding(
            name, 0, f"an action id is above {ALPHACTION_CLASSES}", "AlphAction cannot read it", "warning"
        )
    return set(actions)


def _same_videos(csv: AnnotationCsv, frames: FrameList) -> Iterator[Finding]:
    if not frames.path.is_file():
        return
    labelled, listed = set(csv.rows["video_id"].unique()), set(frames.counts["video"])
    for video in sorted(map(str, labelled - listed))[:EXAMPLES]:
        yield Finding(csv.name, 0, f"{video} is not in {frames.name}", "SlowFast raises KeyError")
    for video in sorted(listed - labelled)[:EXAMPLES]:
        yield Finding(
            frames.name, 0, f"{video} is not in {csv.name}", "SlowFast's counts of videos differ, it stops"
        )


def _in_one_split(csv: AnnotationCsv, split: str, split_of: dict[str, str]) -> Iterator[Finding]:
    for video in csv.rows["video_id"].unique().sort().cast(pl.String):
        other = split_of.setdefault(video, split)
        if other != split:
            yield Finding(csv.name, 0, f"{video} is in {other} too", "What is trained on is tested on")
