"""What an expert should look at first: answers by how wrong they are expected to be.

The expected error of an answer is the number of its labels that are expected to be wrong: of those that anybody
named, 1 - score for each that is set and the score for each that is not. The most uncertain fifth of the boxes holds
about two fifths of all errors.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core.base.schemas import ADJUDICATION_QUEUE, CLIP_FPS, CLIP_NEEDS, Need, conform
from ava_core.decisions import PRESENCE as PRESENCE
from ava_core.quality.agreement.panel import Panel
from ava_core.quality.consensus.boxes import Merged
from ava_core.quality.consensus.labels import Decided

Array = npt.NDArray[np.float64]

LEAST_EXPECTED_ERROR: Final = 0.02
"""Answers that are surer than this are not worth a look."""

WANTED: Final = 3
"""Trusted annotators of a clip from which a majority exists whatever they say."""


def expected_errors(panel: Panel, decided: Decided) -> Array:
    """Labels of each group that are expected to be wrong `(P, G)`; nan where fewer than two rated it."""
    wrong = np.where(decided.holds, 1 - decided.score, decided.score)
    shape = panel.raters.shape
    cell = panel.named.place * shape[1] + panel.group_of[panel.named.column]
    sums = np.bincount(cell, wrong, shape[0] * shape[1]).reshape(shape)
    result: Array = np.where(panel.raters >= 2, sums, np.nan)
    return result


def adjudication_queue(panel: Panel, merged: Merged, decided: Decided) -> pl.DataFrame:
    """`schemas.ADJUDICATION_QUEUE`, the answer most likely wrong first."""
    errors = np.where(merged.kept[:, None], expected_errors(panel, decided), np.nan)
    place, group = np.nonzero(errors >= LEAST_EXPECTED_ERROR)
    names = pl.Series([group.name for group in panel.ontology.groups], dtype=pl.String)
    labels = panel.place_columns(place) | {
        "group": names[group], "expected_error": errors[place, group],
        "reason": ["the annotators' answers leave doubt"] * len(place),
    }  # fmt: skip
    tied = np.flatnonzero(merged.tied)
    people = panel.place_columns(tied) | {
        "group": [PRESENCE] * len(tied), "expected_error": np.full(len(tied), 0.5),
        "reason": ["half of the annotators see this person"] * len(tied),
    }  # fmt: skip
    both = pl.concat([pl.DataFrame(part, schema_overrides={"group": pl.String, "reason": pl.String})
                      for part in (labels, people)])  # fmt: skip
    framed = conform(both.with_columns(frame=pl.col("second") * CLIP_FPS), ADJUDICATION_QUEUE, "queue")
    order = ["expected_error", "clip_id", "second", "person_id", "group"]
    return framed.sort(order, descending=[True, *[False] * 4])


def clip_needs(panel: Panel) -> pl.DataFrame:
    """`schemas.CLIP_NEEDS`: what each clip lacks before its labels can be trusted."""
    voters = (panel.crew >= 0).sum(axis=1)
    need = np.select([voters == 0, voters == 1, voters < WANTED], ["annotator", "review", "top_up"], "")
    reasons: dict[Need, str] = {
        "annotator": "every annotator of this clip is excluded",
        "review": "one annotator's answers were copied and have no posterior: look them over",
        "top_up": "two annotators cannot outvote each other: give the clip to a third",
        "": "",
    }
    rows = {"clip_id": list(panel.clips), "voters": voters, "need": need.tolist(),
            "reason": [reasons[one] for one in need.tolist()]}  # fmt: skip
    return pl.DataFrame(rows, schema=dict(CLIP_NEEDS))
