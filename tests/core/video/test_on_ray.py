"""Cutting and tracking on a Ray cluster that loses a node give the bytes of one process alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from ava_core.base.progress import ProgressReport
from ava_core.base.settings import Settings
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext
from ava_core.video.cutting import cut_clips
from ava_core.video.intake.source_videos import take_in_sources
from ava_core.video.tracking.batch import track_clips
from tests.support.ray_cluster import two_nodes
from tests.support.stored import bytes_of

pytestmark = [pytest.mark.slow, pytest.mark.nightly]

VIDEOS = 5


def test_the_same_bytes_with_a_node_lost(
    tmp_path: Path, make_video: Callable[..., Path], small_clips: Settings
) -> None:
    videos = tmp_path / "in"
    videos.mkdir()
    for number in range(VIDEOS):
        make_video(videos / f"cam{number}.mp4", fps=20 + number, seconds=8.0, size=(320, 240))

    def process(
        name: str, told: Callable[[ProgressReport], object], **options: object
    ) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, str]]:
        storage = Storage(tmp_path / name)
        at = BatchContext("b", small_clips.with_options(options), storage=storage)
        clips = cut_clips(at, take_in_sources(at, videos), told)
        return clips, track_clips(at, clips), bytes_of(storage)

    inline = process("inline", lambda report: None, runner="inline")
    with two_nodes() as nodes:
        losing = [nodes.add_node()]

        def lose_a_node(report: ProgressReport) -> None:
            if losing and report.done > 0:
                nodes.remove(losing.pop())

        on_ray = process("ray", lose_a_node, runner="ray", ray_address=nodes.address)
        assert not losing
    assert inline[0].equals(on_ray[0])
    assert inline[1].equals(on_ray[1])
    assert inline[2] == on_ray[2]
    assert inline[0]["source_id"].n_unique() == VIDEOS
