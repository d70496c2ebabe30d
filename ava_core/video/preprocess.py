"""Everything up to the proposals with neither Dagster nor servers: for a machine that has only a GPU."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

from ava_core import __version__
from ava_core.base.errors import InputError
from ava_core.base.files import link_or_copy
from ava_core.base.names import batch_name_for
from ava_core.base.progress import ProgressSink, ignore_progress
from ava_core.base.schemas import USABLE
from ava_core.base.settings import SHAPING_OPTIONS, Settings
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext
from ava_core.video.cutting import cut_clips
from ava_core.video.given import MANIFEST, Manifest
from ava_core.video.intake.archive import check_input
from ava_core.video.intake.source_videos import take_in_sources
from ava_core.video.proposals import exchange
from ava_core.video.proposals.batch import make_proposals
from ava_core.video.tracking.batch import track_clips

EXCHANGED: Final = {
    exchange.PICKLE: "dense_proposals",
    exchange.FRAMES: "dense_proposals",
    exchange.TRACKING_JSONS: "tracks",
}
"""Files that older tools read, laid beside the manifest, and the assets that write them."""


def preprocess(
    source: Path, out: Path, settings: Settings, *, name: str = "", sink: ProgressSink = ignore_progress
) -> Manifest:
    """Take in, cut, detect, track and propose; returns the manifest.

    `out` becomes a storage root with one batch, called `name` or after the source. A run that was killed goes
    on when started again. Raises `InputError` where the source cannot be used or `out` holds another batch.
    """
    check_input(source)
    batch = batch_name_for(name or source)
    _check_target(out, batch)
    at = BatchContext(batch, settings, storage=Storage(out))

    def note(asset: str, table: pl.DataFrame) -> pl.DataFrame:
        at.storage.write_table(at.storage.table_path(batch, asset), table)
        return table

    sources = note("source_videos", take_in_sources(at, source, sink=sink))
    if sources.filter(USABLE).is_empty():
        reasons = "; ".join(f"{row[0]}: {row[1]}" for row in sources.select("original_name", "reason").rows())
        raise InputError(f"No video of {source} can be used: {reasons}.", "Use videos that play.")
    clips = note("clips", cut_clips(at, sources, sink))
    tracks = note("tracks", track_clips(at, clips, sink))
    proposals = note("dense_proposals", make_proposals(at, clips, tracks, sink))
    for file, asset in EXCHANGED.items():
        link_or_copy(out / "batches" / batch / asset / file, out / file, replace=True)
    manifest = Manifest(
        batch=batch,
        ava_version=__version__,
        settings={key: getattr(settings, key) for key in SHAPING_OPTIONS},
        given=["source_videos", "clips"],
        counts={
            "source_videos": sources.height,
            "clips": clips.height,
            "tracks": tracks.select("clip_id", "track_id").n_unique(),
            "dense_proposals": proposals.height,
        },
        files=_files(out),
    )
    manifest.write(out)
    return manifest


def _check_target(out: Path, batch: str) -> None:
    others = [path.name for path in (out / "batches").glob("*") if path.name != batch]
    if others:
        raise InputError(
            f"{out} already holds batch {others[0]}.", "Use another folder, or that batch's --name."
        )
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file.", "Give a folder.")
    # From here until it is written again the folder is unfinished.
    (out / MANIFEST).unlink(missing_ok=True)


def _files(out: Path) -> dict[str, int]:
    return {
        path.relative_to(out).as_posix(): path.stat().st_size
        for path in sorted(out.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }
