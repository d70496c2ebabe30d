"""Who does not judge alone: pairs that are more alike than what each has with the rest allows.

If people answer independently, what two have in common is the truth that both see: the kappa of a pair is the product
of how well each of them sees it. So the kappas of all other pairs foretell that of a pair. Where a pair is far more
alike, one copies the other, or both copy a third. The pair that is furthest off is taken out first, since it spoils
what is foretold of the others. Among three annotators every likeness can be explained; there only answers that are
the same to the letter tell. Boxes are judged apart from labels: of boxes that both drew, hands are never that steady.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core.base.schemas import DEPENDENT, DependentIn
from ava_core.quality.agreement.bootstrap import share
from ava_core.quality.agreement.pairs import PairSums, disagreements
from ava_core.quality.agreement.panel import Panel

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LEAST_LABELS: Final = 100
"""People and seconds that both labelled, from which a pair is judged; of boxes, those that both drew."""

LEAST_CLIPS: Final = 3
"""Clips that both labelled, without which the error of a likeness is not known."""

EXCESS: Final = 0.15
"""Kappa beyond what is foretold from which a pair may not be independent. Among planted annotators who don't copy,
whatever else they share, it came to .2 at most, and to .4 of what is possible; with a copier to .6 and more of it."""

OF_POSSIBLE: Final = 0.5
"""Share that the excess must have of what is possible, from what is foretold to perfect likeness."""

ERRORS: Final = 3.0
"""Standard errors, over clips, that the excess must be as well."""

SAME_LABELS: Final = 0.995
"""Likeness of label sets (MASI) that people never reach by themselves."""

SAME_BOXES: Final = 0.98
"""Mean IoU of drawn boxes that hands never reach by themselves: two careful ones have about .85."""

TYPICAL: Final = 0.7
"""How well people see the truth, where the search for it begins."""

STEPS: Final = 200

STILL: Final = 1e-4
"""Change at which the search ends; nothing finer matters beside `EXCESS`."""


@dataclass(frozen=True)
class _Likeness:
    """Of A annotators, `(A, A)` each: `kappa`, nan where nothing is known; its standard `error` over clips."""

    kappa: Array
    error: Array


def dependent_pairs(panel: Panel, pairs: PairSums) -> pl.DataFrame:
    """`schemas.DEPENDENT`, by name, labels before boxes. `pairs`: from `pairs.pair_sums`."""
    found = [*_in_labels(panel, pairs), *_in_boxes(pairs)]
    names = panel.annotators
    rows = [
        {"annotator": names[a], "annotator_b": names[b], "what": what, "alike": alike, "expected": expected,
         "shared": shared}
        for what, a, b, alike, expected, shared in found
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=dict(DEPENDENT)).sort(
        "what", "annotator", "annotator_b", descending=[True, False, False]
    )


Pair = tuple[str, str]
"""Two annotators, by name."""


def undecided(
    dependent: pl.DataFrame, excluded: Collection[str], independent: Collection[Pair]
) -> pl.DataFrame:
    """Rows of `schemas.DEPENDENT` on which nobody has decided: neither is excluded, nor was the pair judged
    independent."""
    judged = {tuple(sorted(pair)) for pair in independent}
    kept = [
        not {a, b} & set(excluded) and tuple(sorted((a, b))) not in judged
        for a, b in dependent.select("annotator", "annotator_b").rows()
    ]
    return dependent.filter(pl.Series(kept, dtype=pl.Boolean))


def votes(panel: Panel, dependent: pl.DataFrame, what: DependentIn) -> Array | None:
    """What the word of each slot of a crew counts for `(clips, K)`: that of annotators who depend on each other is
    shared out among them; `None` where each counts for 1. `dependent`: `schemas.DEPENDENT`."""
    number = {name: at for at, name in enumerate(panel.annotators)}
    own = dependent.filter(pl.col("what") == what).select("annotator", "annotator_b").rows()
    pairs = [(number[a], number[b]) for a, b in own if a in number and b in number]
    if not pairs:
        return None
    like = np.eye(len(number) + 1, dtype=bool)  # the last is nobody
    for a, b in pairs:
        like[a, b] = like[b, a] = True
    for _name in number:  # who is like one of them is like all of them
        like = (like.astype(int) @ like.astype(int)) > 0
    together = like[panel.crew[:, :, None], panel.crew[:, None, :]] & (panel.crew >= 0)[:, None, :]
    result: Array = 1 / np.maximum(together.sum(axis=2), 1)
    return result


Found = tuple[DependentIn, int, int, float, float | None, int]


def _in_labels(panel: Panel, pairs: PairSums) -> list[Found]:
    size = len(panel.annotators)
    cell, cells = pairs.a * size + pairs.b, size * size
    units, masi, clips = (
        np.bincount(cell, part, cells) for part in (pairs["units"], pairs["masi"], pairs["units"] > 0)
    )
    judged = (units >= LEAST_LABELS) & (clips >= LEAST_CLIPS)
    likeness = _likeness(pairs, size)
    found: list[Found] = []
    for at in np.flatnonzero(judged & (share(masi, units) >= SAME_LABELS)):
        a, b = divmod(int(at), size)
        found.append(("labels", a, b, float(masi[at] / units[at]), None, int(units[at])))
        _forget(likeness, a, b)
    while True:
        foretold = _foretold(likeness.kappa)
        excess = likeness.kappa - foretold
        far = (excess >= EXCESS) & (excess >= OF_POSSIBLE * (1 - foretold)) & judged.reshape(size, size)
        far &= excess >= ERRORS * likeness.error
        if not far.any():
            return found
        at = np.where(far, excess, -1.0).argmax()
        a, b = divmod(int(at), size)
        found.append(("labels", a, b, float(likeness.kappa[a, b]), float(foretold[a, b]), int(units[at])))
        _forget(likeness, a, b)


def _in_boxes(pairs: PairSums) -> list[Found]:
    found: list[Found] = []
    for a, b in sorted(set(zip(pairs.a.tolist(), pairs.b.tolist(), strict=True))):
        own = pairs.only((pairs.a == a) & (pairs.b == b))
        drawn, overlap = float(own["edited"].sum()), float(own["edited_iou"].sum())
        if drawn >= LEAST_LABELS and overlap / drawn >= SAME_BOXES:
            found.append(("boxes", a, b, overlap / drawn, None, int(drawn)))
    return found


def _likeness(pairs: PairSums, size: int) -> _Likeness:
    """Kappa of each pair, 1 - ΣD / ΣE over clips, and its error: a ratio's, from how clips differ."""
    observed, expected = disagreements(pairs)
    cell, cells = pairs.a * size + pairs.b, size * size
    total = [np.bincount(cell, part, cells) for part in (observed, expected)]
    ratio = share(*total)
    rest = observed - ratio[cell] * expected
    clips = np.bincount(cell, minlength=cells)
    spread = np.bincount(cell, np.nan_to_num(rest) ** 2, cells) * clips / np.maximum(clips - 1, 1)
    return _Likeness(_both_ways(1 - ratio, size), _both_ways(share(np.sqrt(spread), total[1]), size))


def _both_ways(values: Array, size: int) -> Array:
    """Values of pairs as a matrix, the same for (a, b) and (b, a)."""
    matrix = values.reshape(size, size)
    return np.where(np.isnan(matrix), matrix.T, matrix)


def _forget(likeness: _Likeness, a: int, b: int) -> None:
    likeness.kappa[a, b] = likeness.kappa[b, a] = np.nan


def _foretold(kappa: Array) -> Array:
    """Kappa of each pair from those of all other pairs `(A, A)`, upper half; nan where these do not tell.

    They tell where each of the two shares clips with two others who share clips with one another.
    """
    known = ~np.isnan(kappa)
    links = known.astype(int)
    result = np.full(kappa.shape, np.nan)
    whole = _sees(kappa, np.full(len(kappa), TYPICAL))
    for a, b in np.argwhere(np.triu(known, 1)):
        others = np.delete(np.arange(len(kappa)), [a, b])
        inner = links[np.ix_(others, others)]
        if not all((links[one, others] @ inner @ links[one, others]) > 0 for one in (a, b)):
            continue
        without = kappa.copy()
        without[a, b] = without[b, a] = np.nan
        seen = _sees(without, whole)
        result[a, b] = seen[a] * seen[b]
    return result


def _sees(kappa: Array, start: Array) -> Array:
    """How well each annotator sees the truth `(A,)`, 0 to 1: least squares of kappa against products of two."""
    known = ~np.isnan(kappa)
    target = np.where(known, kappa, 0.0)
    seen = start
    for _ in range(STEPS):
        weight = known @ seen**2
        better = np.clip((target @ seen) / np.maximum(weight, 1e-9), 0, 1)
        before, seen = seen, (seen + better) / 2  # halfway: whole steps may swing for ever
        if np.abs(seen - before).max(initial=0) < STILL:
            break
    return seen
