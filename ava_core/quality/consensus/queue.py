"""What an expert should look at first: answers by the wrong labels that a minute of the expert is expected to mend.

The expected error of an answer is the number of its labels that are expected to be wrong: 1 - chance for each that is
set, and the chance of each that is not. An expert looks at a stretch at once: consecutive seconds of one person at
which nobody's answer changes.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core.base.schemas import ADJUDICATION_QUEUE, CLIP_FPS, CLIP_NEEDS, Need, conform
from ava_core.decisions import PRESENCE as PRESENCE
from ava_core.quality.agreement.panel import Flags, Panel
from ava_core.quality.consensus.boxes import Merged
from ava_core.quality.consensus.labels import Decided

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LEAST_EXPECTED_ERROR: Final = 0.1
"""Answers that are surer than this are not worth a look: an answer on which all agree has about .04."""

OPENING_S: Final = 8.0
"""Seconds that an expert needs for a stretch, however long it is: to open it, see who is meant, choose. Assumed, as is
that the stretch itself is watched once, at its own speed."""

MENDED: Final = 0.3
"""Share of wrong labels that one more annotator mends, where a batch does not show it: of planted good annotators, who
do one to five of a clip, each one more mends .27 to .37."""

LEAST_ANSWERS: Final = 200
"""Answers with so many raters from which their mean error is known."""

WANTED: Final = 3
"""Trusted annotators of a clip from which a majority exists whatever they say."""

DIFFER: Final = "the annotators' answers leave doubt"
ALONE: Final = "one annotator's answer, with the errors that others found in that annotator's work"
HALF: Final = "half of the annotators see this person"


def adjudication_queue(panel: Panel, merged: Merged, decided: Decided) -> pl.DataFrame:
    """`schemas.ADJUDICATION_QUEUE`, stretch by stretch, the one whose look mends most per minute first."""
    errors = np.where(merged.kept[:, None], decided.expected_errors, np.nan)
    doubtful = errors >= LEAST_EXPECTED_ERROR
    changes = panel.changed.any(axis=1) | (panel.rated != np.roll(panel.rated, 1, axis=0)).any(axis=1)
    moved = (panel.present != np.roll(panel.present, 1, axis=0)).any(axis=1)
    names = [group.name for group in panel.ontology.groups]
    parts = []
    for number, name in enumerate(names):
        at = np.flatnonzero(doubtful[:, number])
        reason = np.where(panel.raters[at, number] >= 2, DIFFER, ALONE)
        parts.append(_rows(panel, at, changes[:, number], name, errors[at, number], reason.tolist()))
    tied = np.flatnonzero(merged.tied)
    held = np.bincount(panel.named.place[decided.holds], minlength=len(panel.second))[tied]
    parts.append(_rows(panel, tied, moved, PRESENCE, 0.5 * np.maximum(held, 1), [HALF] * len(tied)))
    return _ordered(pl.concat(parts))


def _rows(
    panel: Panel, at: Ints, changes: Flags, group: str, errors: Array, reason: list[str]
) -> pl.DataFrame:
    """Answers of one group at some places, with the `run` of seconds to which each belongs."""
    goes_on = (np.diff(at, prepend=-2) == 1) & panel.follows[at] & ~changes[at]
    columns = panel.place_columns(at) | {
        "group": pl.Series([group] * len(at), dtype=pl.String), "expected_error": pl.Series(errors, dtype=pl.Float64),
        "reason": pl.Series(reason, dtype=pl.String), "run": pl.Series(np.cumsum(~goes_on), dtype=pl.Int64),
    }  # fmt: skip
    return pl.DataFrame(columns)


def _ordered(rows: pl.DataFrame) -> pl.DataFrame:
    """`schemas.ADJUDICATION_QUEUE` of rows with `run`."""
    stretch = ["group", "run"]
    mended = pl.col("expected_error").sum().over(stretch)
    taken = OPENING_S + pl.len().over(stretch)
    order = ["per_minute", "clip_id", "person_id", "group", "run", "second"]
    ordered = rows.with_columns(per_minute=(60 * mended / taken).round(9)).sort(
        order, descending=[True, *[False] * 5]
    )
    numbered = ordered.with_columns(
        stretch=pl.struct(stretch).rle_id() + 1, frame=pl.col("second") * CLIP_FPS
    )
    return conform(numbered, ADJUDICATION_QUEUE, "queue")


def clip_needs(panel: Panel, merged: Merged, decided: Decided) -> pl.DataFrame:
    """`schemas.CLIP_NEEDS`: what each clip lacks before its labels can be trusted, and where one annotator more is
    worth most.

    What one more mends is taken from the batch itself: by how much answers with one rater more are surer, on average.
    An answer costs the same wherever it is given, so a clip's worth is by the answer.
    """
    expected, mended, answers = _mended(panel, merged, decided)
    voters = (panel.crew >= 0).sum(axis=1)
    need = np.select([voters == 0, voters == 1, voters < WANTED], ["annotator", "review", "top_up"], "")
    reasons: dict[Need, str] = {
        "annotator": "every annotator of this clip is excluded",
        "review": "one annotator's answers were copied and have no posterior: review them",
        "top_up": "two annotators cannot outvote each other: add a third",
        "": "",
    }
    rows = {"clip_id": list(panel.clips), "voters": voters, "need": need.tolist(),
            "reason": [reasons[one] for one in need.tolist()],
            "expected_errors": expected, "worth": 100 * mended / np.maximum(answers, 1)}  # fmt: skip
    return pl.DataFrame(rows, schema=dict(CLIP_NEEDS)).with_columns(
        pl.col("expected_errors", "worth").fill_nan(None).round(6)
    )


def _mended(panel: Panel, merged: Merged, decided: Decided) -> tuple[Array, Array, Array]:
    """Of each clip: labels expected to be wrong, how many of them one rater more mends, and answers."""
    errors = np.where(merged.kept[:, None], decided.expected_errors, np.nan)
    known = ~np.isnan(errors)
    raters = np.minimum(panel.raters, WANTED + 1)
    usual = [_mean(errors[known & (raters == count)]) for count in range(1, WANTED + 2)]
    shares = [_share_mended(now, then) for now, then in pairwise(usual)]
    # Where all who rated agree, one voice more changes nothing.
    open_ = (panel.raters == 1) | _split(panel)
    share = np.where(open_, np.array([0.0, *shares, shares[-1]])[raters], 0.0)
    clips = panel.by_clip(known.sum(axis=1))
    sums = [panel.by_clip(np.where(known, values, 0.0).sum(axis=1)) for values in (errors, errors * share)]
    expected, mended = (np.where(clips > 0, values, np.nan) for values in sums)
    return expected, mended, panel.by_clip(merged.kept.astype(np.int64)) * len(panel.ontology.groups)


def _split(panel: Panel) -> Flags:
    """Answers of which not all raters say the same `(P, G)`."""
    named, shape = panel.named, panel.raters.shape
    group = panel.group_of[named.column]
    differ = named.yes < panel.raters[named.place, group]
    cells = np.bincount((named.place * shape[1] + group)[differ], minlength=shape[0] * shape[1])
    flags: Flags = (cells > 0).reshape(shape)
    return flags


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) >= LEAST_ANSWERS else float("nan")


def _share_mended(now: float, then: float) -> float:
    """Share of errors that are gone once one more has rated; `MENDED` where the batch does not show it."""
    gone = 1 - then / now if now > 0 else float("nan")
    return gone if 0 < gone < 1 else MENDED
