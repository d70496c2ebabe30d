"""Dense proposals of a batch: the table, the older tools' pickle and frames."""

from __future__ import annotations

import polars as pl

from ava_core.base.progress import Progress, ProgressSink, ignore_progress
from ava_core.batch import BatchContext
from ava_core.video.proposals.exchange import FRAMES, PICKLE, write_frames_zip, write_older_pickle
from ava_core.video.proposals.keyframes import keyframe_proposals


def make_proposals(
    at: BatchContext, clips: pl.DataFrame, tracks: pl.DataFrame, sink: ProgressSink = ignore_progress
) -> pl.DataFrame:
    """`schemas.PROPOSALS` of a batch; writes `dense_proposals.pkl` and `frames.zip` beside it."""
    progress = Progress("propose", 2, "files", sink)
    proposals = keyframe_proposals(clips, tracks)
    folder = at.folder("dense_proposals")
    with at.storage.writing(folder / PICKLE) as path:
        write_older_pickle(path, clips, proposals)
    progress.advance()
    with at.storage.writing(folder / FRAMES) as path:
        write_frames_zip(at, path, clips)
    progress.advance()
    progress.finish()
    return proposals
