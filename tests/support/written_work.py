"""Annotation work written by hand: small tables of which a test knows every row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from ava_core.base.schemas import BOX_COLUMNS, COMPLETED_JOBS, RAW_BOXES, RAW_LABELS, conform, empty
from ava_core.ontology import Action, Group, Ontology
from ava_core.quality.agreement.build import build_panel
from ava_core.quality.agreement.panel import Panel

ONTOLOGY = Ontology(
    "test", 1,
    (
        Group("pose", "exclusive", (Action(1, "sit"), Action(2, "stand"), Action(3, "walk"))),
        Group("object", "multi", tuple(Action(i, f"action {i}") for i in range(4, 9)), max_active=3),
    ),
)  # fmt: skip

LEFT, RIGHT = (100.0, 100.0, 180.0, 300.0), (600.0, 100.0, 680.0, 300.0)


@dataclass(frozen=True)
class Track:
    """One person as an annotator drew them; `labels` of a group hold at every second, or are given by second."""

    box: tuple[float, float, float, float] = LEFT
    seconds: Sequence[int] = range(10)
    labels: dict[str, list[int] | dict[int, list[int]]] = field(
        default_factory=lambda: {"pose": [2], "object": []}
    )
    seed: int | None = 1
    edited: bool = True
    boxes: dict[int, tuple[float, float, float, float]] = field(default_factory=dict)  # other than `box`


@dataclass(frozen=True)
class Work:
    """The arguments that agreement and consensus take."""

    raw_boxes: pl.DataFrame
    raw_labels: pl.DataFrame
    completed: pl.DataFrame
    ontology: Ontology = ONTOLOGY

    @property
    def tables(self) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, Ontology]:
        return self.raw_boxes, self.raw_labels, self.completed, self.ontology

    @property
    def panel(self) -> Panel:
        return build_panel(*self.tables)

    @property
    def clips(self) -> list[str]:
        return self.completed["clip_id"].unique().to_list()


def written(jobs: dict[tuple[str, str], list[Track]], ontology: Ontology = ONTOLOGY) -> Work:
    """Completed jobs by (clip, annotator)."""
    boxes, labels, completed = [], [], []
    for job_id, ((clip_id, annotator), tracks) in enumerate(jobs.items(), start=1):
        job = {"clip_id": clip_id, "annotator": annotator, "job_id": job_id, "version": 1}
        completed.append(job)
        for number, track in enumerate(tracks):
            row = job | {"track_key": f"t{number}"}
            for second in track.seconds:
                box = dict(zip(BOX_COLUMNS, track.boxes.get(second, track.box), strict=True))
                boxes.append(row | box | {"seed_track_id": track.seed, "second": second, "edited": track.edited,
                                          "flags": []})  # fmt: skip
                for group, said in track.labels.items():
                    ids = said.get(second) if isinstance(said, dict) else said
                    if ids is not None:
                        labels.append(row | {"second": second, "group": group, "action_ids": ids})
    return Work(
        _table(boxes, RAW_BOXES), _table(labels, RAW_LABELS), _table(completed, COMPLETED_JOBS), ontology
    )  # fmt: skip


def rated(matrix: Sequence[Sequence[object]]) -> Work:
    """One person whom coders (rows) put into exclusive categories at each second (columns); `None` is missing."""
    values = sorted({value for row in matrix for value in row if value is not None}, key=str)
    actions = tuple(Action(number, f"is {value}") for number, value in enumerate(values, start=1))
    ontology = Ontology("coders", 1, (Group("category", "exclusive", actions),))
    jobs = {
        ("clip", f"coder{number}"): [
            Track(seconds=range(len(row)), labels={"category": {
                second: [values.index(value) + 1] for second, value in enumerate(row) if value is not None
            }})
        ]
        for number, row in enumerate(matrix)
    }  # fmt: skip
    return written(jobs, ontology)


def _table(rows: list[dict], schema: dict) -> pl.DataFrame:
    return (
        conform(pl.DataFrame(rows, schema_overrides=dict(schema)), schema, "rows") if rows else empty(schema)
    )
