"""An AVA dataset, made here or elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import polars as pl

from ava_core.base.errors import InputError, MediaError
from ava_core.base.pictures import read_picture
from ava_core.base.schemas import AVA_TIMESTAMP_OFFSET, BOX_COLUMNS, CLIP_FPS, CLIPS, DISPUTED, PROPOSALS
from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.ava.files import AvaFiles, find_files
from ava_core.dataset.formats.ava.reader import action_names, listed_frames
from ava_core.dataset.formats.ava.rows import CONTEXT_SECONDS, DECIMALS, KEY_COLUMNS, in_window
from ava_core.dataset.formats.boxes import (
    FINITE,
    IN_SHARES,
    WHOLE,
    are_shares,
    have_width_and_height,
    width_and_height,
)
from ava_core.dataset.formats.dataset import VIDEO_ID, Dataset
from ava_core.dataset.formats.repairs import Repair
from ava_core.dataset.importing.ava_rows import Clock, loose_boxes, loose_rows, loose_seconds
from ava_core.dataset.importing.imported import Imported
from ava_core.ontology import Action, Group, Ontology

LONGEST_NAME: Final = 200
"""Of a video's folder: file systems take 255 bytes, and a frame's name has its number behind it."""
READ_FROM_ROWS: Final = Clock()
LATEST: Final = 100_000
"""AVA's seconds; a video of more than a day is misread."""


def import_ava(
    place: Path,
    ontology: Ontology | None = None,
    *,
    clock: Clock = READ_FROM_ROWS,
    size: tuple[int, int] | None = None,
) -> Imported:
    """Import a dataset's folder or csv: rows, splits, excluded seconds, predicted boxes, frames.

    Files are recognised by their content, and read with any header, separator or line ends. `clock`: the meaning of
    timestamps; `size`: width and height of the pictures, for boxes in pixels without pictures. `ontology`: must
    contain every action of the label map with the same id and name; without it, the label map is used alone. Raises
    `InputError` if there is no dataset, or if the ontology contradicts it.

    >>> from tempfile import TemporaryDirectory
    >>> from ava_core.ontology import load_ontology
    >>> with TemporaryDirectory() as folder:
    ...     csv = Path(folder, "annotations", "ava_val_v2.2.csv")
    ...     csv.parent.mkdir()
    ...     _ = csv.write_text("gate_000,0904,0.100,0.200,0.300,0.900,12,1\\n" * 2)
    ...     imported = import_ava(Path(folder), load_ontology("ava80"))
    >>> imported.dataset.rows.height, [(repair.defect, repair.rows) for repair in imported.repairs]
    (1, [('videos without a frame list', 1), ('rows that appear twice', 1)])
    """
    repairs: list[Repair] = []
    files = find_files(place)
    folder = files.root
    frames = _frames(files)
    found = _sound(loose_rows(files, clock, frames, repairs), repairs)
    found = _in_one_split(found, repairs)
    split_of = dict(found.select("video_id", "split").unique(maintain_order=True).rows())
    clips, sized = _clips(folder, found, split_of, frames, size, repairs)
    disputed = _disputed(loose_seconds(files, clock, frames))
    rows = _tidied(_boxed(found.drop("split"), clips, folder, repairs), clips, repairs)
    rows = _agreed(rows, disputed, repairs)
    split_of = {video: split_of[video] for video in rows["video_id"].unique().sort()}
    dataset = Dataset(
        title=f"Import of {folder.name}",
        rows=rows,
        clips=clips,
        proposals=_proposals(loose_boxes(files, clock, frames), clips, repairs),
        disputed=disputed,
        split_of=split_of,
        ontology=_ontology(files, place, ontology),
        pictures={
            video: path for video in split_of if (path := _pictures(folder, video)) is not None
        },
    )  # fmt: skip
    return Imported(dataset, repairs, sized=sized, unusable=disputed)


def _frames(files: AvaFiles) -> dict[str, int]:
    """Frames of every video of which a frame list tells."""
    found: dict[str, int] = {}
    for (role, _), path in files.files.items():
        if role == "frame list":
            found |= listed_frames(path)
    return found


def _in_one_split(rows: pl.DataFrame, repairs: list[Repair]) -> pl.DataFrame:
    """Rows of a video in the split that has it first."""
    first = rows.group_by("video_id", maintain_order=True).agg(own=pl.first("split"))
    placed = rows.join(first, on="video_id", maintain_order="left")
    gone = placed.filter(pl.col("split") != pl.col("own"))
    if gone.height:
        repairs.append(
            Repair(
                "rows of videos that are in two splits", "kept in the first", gone.height, place=_place(gone)
            )
        )
    return placed.filter(pl.col("split") == pl.col("own")).drop("own")


def _agreed(rows: pl.DataFrame, disputed: pl.DataFrame, repairs: list[Repair]) -> pl.DataFrame:
    """Rows without excluded seconds, on which SlowFast would train, and with one box a person and second."""
    out = disputed.select(
        video_id="clip_id", timestamp=(pl.col("second") + AVA_TIMESTAMP_OFFSET).cast(pl.Int32)
    )
    kept = rows.join(out, on=["video_id", "timestamp"], how="anti", maintain_order="left")
    if kept.height < rows.height:
        repairs.append(Repair("rows at excluded seconds", "left out", rows.height - kept.height))
    at = ["video_id", "timestamp", "person_id"]
    firsts = [pl.col(name).first().over(at) for name in BOX_COLUMNS]
    one = kept.with_columns(firsts)
    wavering = (
        int((one.select(BOX_COLUMNS) != kept.select(BOX_COLUMNS)).sum_horizontal().gt(0).sum())
        if kept.height
        else 0
    )
    if wavering:
        repairs.append(
            Repair("rows of one person at one time with differing boxes", "given the first box", wavering)
        )
    return one


def _sound(found: pl.DataFrame, repairs: list[Repair]) -> pl.DataFrame:
    """Rows whose numbers are numbers, of seconds that a video can have."""
    found = _kept(found, FINITE, "boxes with a number that is infinite or none", repairs)
    return _kept(
        found, pl.col("timestamp").is_between(0, LATEST), "timestamps that no video can have", repairs
    )


def _boxed(rows: pl.DataFrame, clips: pl.DataFrame, folder: Path, repairs: list[Repair]) -> pl.DataFrame:
    """Rows with their boxes as shares of the picture, inside it.

    Raises `InputError` for boxes in pixels where no picture tells its size, and for left, top, width, height.
    """
    if not are_shares(rows):
        sized = rows.join(
            clips.select("width", "height", video_id="clip_id"), on="video_id", maintain_order="left"
        )
        lacking = sized.filter(pl.col("width") <= 1)["video_id"]
        if len(lacking):
            raise InputError(
                f"{folder / names.ANNOTATIONS}: boxes are in pixels, shares of the picture are read, and "
                f"{names.FRAMES}/{lacking[0]} holds no picture that tells its size.",
                "Divide them by width and height, put the frames there, or say --size 1280x720.",
            )
        repairs.append(Repair("boxes in pixels", "divided by the size of the video's pictures", rows.height))
        rows = sized.with_columns(pl.col("x1", "x2") / pl.col("width"), pl.col("y1", "y2") / pl.col("height"))
        rows = rows.drop("width", "height")
    if have_width_and_height(rows, 1.0, 1.0):
        raise width_and_height(folder / names.ANNOTATIONS, f"first {_place(rows.filter(~WHOLE))}")
    rows = _kept(rows, IN_SHARES, "boxes far beyond the picture, or in pixels among shares", repairs)
    cut = rows.with_columns(pl.col(BOX_COLUMNS).clip(0.0, 1.0))
    beyond = rows.filter(pl.any_horizontal((pl.col(n) < 0) | (pl.col(n) > 1) for n in BOX_COLUMNS))
    if beyond.height:
        repairs.append(
            Repair("boxes beyond the picture", "cut at its border", beyond.height, place=_place(beyond))
        )
    whole = (pl.col("x2").round(DECIMALS) > pl.col("x1").round(DECIMALS)) & (
        pl.col("y2").round(DECIMALS) > pl.col("y1").round(DECIMALS)
    )
    return _kept(cut, whole, "boxes without width or height", repairs)


def _kept(rows: pl.DataFrame, kept: pl.Expr, defect: str, repairs: list[Repair]) -> pl.DataFrame:
    gone = rows.filter(~kept)
    if gone.height:
        repairs.append(Repair(defect, "left out", gone.height, place=_place(gone)))
    return rows.filter(kept)


def _place(rows: pl.DataFrame) -> str:
    return f"{rows['video_id'][0]} at {rows['timestamp'][0]:04d}"


def _tidied(found: pl.DataFrame, clips: pl.DataFrame, repairs: list[Repair]) -> pl.DataFrame:
    """Rows in order, once each, only where models have context."""
    rows = found.unique(KEY_COLUMNS, keep="first").sort(KEY_COLUMNS)
    if rows.height < found.height:
        repairs.append(Repair("rows that appear twice", "kept once", found.height - rows.height))
    second = pl.col("timestamp") - AVA_TIMESTAMP_OFFSET
    placed = rows.with_columns(second=second).join(
        clips.select("frames", video_id="clip_id"), on="video_id", maintain_order="left"
    )
    inside = placed.filter(in_window())
    if inside.height < rows.height:
        repairs.append(
            Repair("seconds without context on both sides", "left out", rows.height - inside.height)
        )
    return inside.select(rows.columns)


def _clips(
    folder: Path,
    rows: pl.DataFrame,
    split_of: dict[str, str],
    known: Mapping[str, int],
    size: tuple[int, int] | None,
    repairs: list[Repair],
) -> tuple[pl.DataFrame, bool]:
    """`schemas.CLIPS` as far as they can be known, and whether the pictures' size is."""
    frames = dict(known)
    last = dict(rows.group_by("video_id").agg(pl.max("timestamp")).rows())
    unknown = [video for video in split_of if video not in frames]
    for video in unknown:
        frames[video] = (int(last[video]) - AVA_TIMESTAMP_OFFSET + CONTEXT_SECONDS) * CLIP_FPS
    if unknown:
        repairs.append(
            Repair("videos without a frame list", "taken to end after their last label", len(unknown))
        )
    sizes = {video: _size(_pictures(folder, video), size) for video in split_of}
    table = [
        {"clip_id": v, "source_id": v, "batch": "", "index": 0, "start_s": 0.0, "duration_s": frames[v] / CLIP_FPS,
         "frames": frames[v], "width": w, "height": h, "scale_x": 1.0, "scale_y": 1.0, "pad_x": 0, "pad_y": 0,
         "content_width": w, "content_height": h, "path": "", "sha256": ""}
        for v, (w, h) in sorted(sizes.items())
    ]  # fmt: skip
    return pl.DataFrame(table, schema=dict(CLIPS)), (1, 1) not in sizes.values()


def _pictures(folder: Path, video: str) -> Path | None:
    """The folder of a video's pictures; `None` where there is none, or its id names no folder."""
    if not VIDEO_ID.fullmatch(video) or len(video) > LONGEST_NAME:
        return None
    path = folder / names.FRAMES / video
    return path if path.is_dir() else None


def _size(pictures: Path | None, said: tuple[int, int] | None) -> tuple[int, int]:
    """Width and height of a video's pictures; as was said, or a unit square, where there are none."""
    first = min(pictures.glob("*.jpg"), default=None) if pictures else None
    if first is not None:
        with suppress(MediaError, OSError):
            height, width = read_picture(first).shape[:2]
            return width, height
    return said or (1, 1)


def _proposals(predicted: pl.DataFrame, clips: pl.DataFrame, repairs: list[Repair]) -> pl.DataFrame:
    """`schemas.PROPOSALS` in pixels of the pictures, from the predicted boxes of all splits."""
    boxes = predicted.rename({"video_id": "clip_id"})
    fit = FINITE & IN_SHARES & pl.col("score").is_finite() & pl.col("timestamp").is_between(0, LATEST)
    gone = boxes.filter(~fit)
    if gone.height:
        repairs.append(Repair("predicted boxes that are not shares of the picture", "left out", gone.height))
    scaled = boxes.filter(fit).join(
        clips.select("clip_id", "width", "height"), on="clip_id", maintain_order="left"
    )
    sides = {"x1": "width", "y1": "height", "x2": "width", "y2": "height"}
    return scaled.select(
        "clip_id",
        second=pl.col("timestamp") - AVA_TIMESTAMP_OFFSET,
        track_id=pl.lit(0, dtype=pl.Int32),
        **{name: pl.col(name) * pl.col(sides[name]) for name in BOX_COLUMNS},
        score="score",
        interpolated=pl.lit(value=False),
    ).select(pl.col(name).cast(kind) for name, kind in PROPOSALS.items())


def _disputed(excluded: pl.DataFrame) -> pl.DataFrame:
    table = excluded.select(
        clip_id="video_id",
        second=pl.col("timestamp") - AVA_TIMESTAMP_OFFSET,
        reason=pl.lit("excluded before"),
    )
    return table.select(pl.col(name).cast(kind) for name, kind in DISPUTED.items())


def _ontology(files: AvaFiles, place: Path, given: Ontology | None) -> Ontology:
    path = files.path("label map")
    if path is None:
        if given is None:
            raise InputError(
                f"{place} has no label map {Path(names.LABEL_MAP).name}.",
                "Name the ontology: --ontology, ava80 for AVA's own classes.",
            )
        return given
    found = action_names(path)
    if given is None:
        actions = tuple(Action(number, name) for number, name in sorted(found.items()))
        return Ontology(files.root.name, 1, (Group("action", "multi", actions, max_active=len(actions)),))
    known = {action.id: action.name for action in given.actions}
    for number, name in sorted(found.items()):
        if known.get(number) != name:
            raise InputError(
                f"{path} calls action {number} {name!r}, ontology {given.name} {known.get(number)!r}.",
                "Import without --ontology, or name the right one.",
            )
    return given
