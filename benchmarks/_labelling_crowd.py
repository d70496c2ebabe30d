"""A job with many people in it, who wander about a plain picture for the length of a clip."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from ava_core.base.schemas import CLIP_FPS, CLIPS, TRACKS
from benchmarks._labelling_person import SECONDS
from tests.support.annotation_server import RunningServer
from tests.support.annotation_site import PEOPLE, AnnotationSite

WIDTH, HEIGHT = 1280, 720
LOOKED_AT: Final = 3
"""Frames between two boxes of a track."""


def crowd_site(
    server: RunningServer, folder: Path, people: int, ontology: str, clips: int = 1
) -> AnnotationSite:
    """A platform with clips of so many people, all of them in the picture throughout; everybody has all clips."""
    clip = folder / "clip.mp4"
    write_plain(clip)
    everybody = {"annotators_per_clip": len(PEOPLE), "overlap": 1.0}
    site = AnnotationSite(server, folder / "home", clip, clips=clips, ontology=ontology, **everybody)
    shape = {"frames": SECONDS * CLIP_FPS, "width": WIDTH, "height": HEIGHT}
    site.clips = site.clips.with_columns(**{name: pl.lit(v, CLIPS[name]) for name, v in shape.items()})
    draw, rows = np.random.default_rng(1), []
    for person in range(1, people + 1):
        x, y = draw.uniform(0, WIDTH - 60), draw.uniform(0, HEIGHT - 120)
        for frame in (*range(0, SECONDS * CLIP_FPS, LOOKED_AT), SECONDS * CLIP_FPS - 1):
            x, y = np.clip([x + draw.normal(), y + draw.normal()], 0, [WIDTH - 60, HEIGHT - 120])
            box = (x, y, x + 50, y + 110)
            rows += [(f"c{number}", frame, person, *box, 0.9, False) for number in range(clips)]
    site.tracks = pl.DataFrame(rows, schema=dict(TRACKS), orient="row")
    return site


def write_plain(path: Path) -> None:
    """Grey pictures, in the form in which the platform cuts clips."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=CLIP_FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.gop_size = CLIP_FPS
        for number in range(SECONDS * CLIP_FPS):
            picture = np.full((HEIGHT, WIDTH, 3), 40 + number % 150, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
