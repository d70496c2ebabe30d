"""Sequences that trackers are measured on: the reference data's, and the same made noisy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from ava_core.base.schemas import BOX_COLUMNS, CLIP_FPS, DETECTIONS
from benchmarks._bench import REFERENCE_DATA

MOT17 = ("MOT17-02", "MOT17-09", "MOT17-11")
TUD = ("TUD-Campus", "TUD-Stadtmitte")
TUD_FPS = 25


@dataclass(frozen=True)
class Sequence:
    """Detections (`schemas.DETECTIONS`) and truth (`frame, track_id, x1, y1, x2, y2`), frames from 0."""

    name: str
    detections: pl.DataFrame
    truth: pl.DataFrame
    frames: int


def load(name: str) -> Sequence:
    """A sequence of the reference data; of MOT17's truth the pedestrians that count."""
    folder = REFERENCE_DATA / "mot" / name
    det = np.loadtxt(folder / "det.txt", delimiter=",")
    gt = np.loadtxt(folder / "gt.txt", delimiter=",")
    gt = gt[gt[:, 6] == 1]
    if name.startswith("MOT17"):  # only there the next column is a class
        gt = gt[gt[:, 7] == 1]
    boxes = {
        side: np.column_stack([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]])
        for side, rows in (("det", det), ("gt", gt))
    }
    detections = pl.DataFrame(
        {"clip_id": "c", "frame": det[:, 0] - 1, "score": det[:, 6]}
        | dict(zip(BOX_COLUMNS, boxes["det"].T, strict=True))
    ).select(pl.col(n).cast(kind) for n, kind in DETECTIONS.items())
    truth = pl.DataFrame(
        {"frame": gt[:, 0].astype(int) - 1, "track_id": gt[:, 1].astype(int)}
        | dict(zip(BOX_COLUMNS, boxes["gt"].T, strict=True))
    )
    return Sequence(name, detections, truth, int(max(det[:, 0].max(), gt[:, 0].max())))


# -- noise -----------------------------------------------------------------------------------------------------

GHOSTS_PER_S = 0.6
GHOST_S = (1.0, 4.0)
GHOST_SCORE = (0.3, 0.8)
DUPLICATES_PER_S = 0.16
"""Of every person."""
DUPLICATE_S = (0.2, 1.0)
DUPLICATE_SCORE = (0.25, 0.8)


def noisy(sequence: Sequence, seed: int) -> Sequence:
    """The sequence with what real detectors add: boxes of nobody that stay for seconds, and second boxes of people."""
    random = np.random.default_rng(seed)
    rows = [*_ghosts(sequence, random), *_duplicates(sequence, random)]
    added = pl.DataFrame(rows, schema=["frame", "score", *BOX_COLUMNS], orient="row")
    added = added.with_columns(clip_id=pl.lit("c")).select(pl.col(n).cast(t) for n, t in DETECTIONS.items())
    detections = pl.concat([sequence.detections, added]).sort("frame")
    return replace(sequence, name=f"{sequence.name}, noisy", detections=detections)


def _ghosts(sequence: Sequence, random: np.random.Generator) -> Iterator[tuple[float, ...]]:
    """As large as people of the sequence are, at their height; seven of ten stand, the others drift."""
    people = sequence.detections.select(BOX_COLUMNS).to_numpy()
    widest = people[:, 2].max()
    for _ in range(random.poisson(GHOSTS_PER_S * sequence.frames / CLIP_FPS)):
        like = people[random.integers(len(people))]
        width, height = like[2:] - like[:2]
        first, frames = random.integers(sequence.frames), int(random.uniform(*GHOST_S) * CLIP_FPS)
        left, top = random.uniform(0, max(1.0, widest - width)), like[1] + random.normal(0, 0.1) * height
        score = random.uniform(*GHOST_SCORE)
        drift = random.normal(0, 0.1, 2) * height / CLIP_FPS * (random.random() < 0.3)
        seen = True
        for frame in range(first, min(first + frames, sequence.frames)):
            seen = random.random() < (0.95 if seen else 0.35)
            if seen:
                x, y = np.array([left, top]) + drift * (frame - first)
                box = np.array([x, y, x + width, y + height]) + random.normal(0, 0.03, 4) * height
                yield (frame, float(np.clip(score + random.normal(0, 0.08), 0.15, 0.99)), *box.tolist())


def _duplicates(sequence: Sequence, random: np.random.Generator) -> Iterator[tuple[float, ...]]:
    """Beside a person for a while, by about an eighth of their size."""
    for _, person in sequence.truth.sort("track_id", "frame").group_by(["track_id"], maintain_order=True):
        frames, boxes = person["frame"].to_numpy(), person.select(BOX_COLUMNS).to_numpy()
        last = -1
        for place, frame in enumerate(frames):
            if frame <= last or random.random() >= DUPLICATES_PER_S / CLIP_FPS:
                continue
            last = frame + int(random.uniform(*DUPLICATE_S) * CLIP_FPS)
            beside = random.normal(0, 0.12, 4)
            for at, box in zip(frames[place:], boxes[place:], strict=True):
                if at > last:
                    break
                if random.random() < 0.85:
                    size = np.tile(box[2:] - box[:2], 2)
                    noise = beside * size + random.normal(0, 0.02, 4) * size[3]
                    yield (at, random.uniform(*DUPLICATE_SCORE), *(box + noise).tolist())
