"""The stored alphas, computed once more by other hands: the package `krippendorff`, from the ratings themselves.

Matching is shared, since it says what a rating is; everything after it is not. Of a class the package is asked
directly, of an exclusive group too, as one variable with many categories. It knows no pooling over classes, so a
pooled alpha is the mean of its alphas of the classes, each weighted by the disagreement expected of it:
1 - ΣDo / ΣDe = Σ De (1 - Do / De) / ΣDe.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf, isnan, nan
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core.base.errors import InputError
from ava_core.ontology import Ontology
from ava_core.quality.agreement.build import match_work
from ava_core.quality.agreement.gold import expert_slots, with_expert_jobs
from ava_core.quality.agreement.panel import Panel

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TOLERANCE: Final = 1e-9
"""Two ways to the same figure may differ by rounding, and by no more."""

SAMPLED_CLIPS: Final = 20
"""Clips whose own alpha is computed again: each costs a call of the package for every class."""

LARGEST_TABLE: Final = 20_000_000
"""Places × categories² of a group that the package is asked about directly: it takes about 24 bytes for each. Beyond,
the group's alpha is pooled from its classes."""

COMPARED: Final = {"overall", "per_class", "per_group", "clips"}
"""Tables of agreement that hold the alphas."""

VERIFIED: Final = {"figure": pl.String, "ours": pl.Float64, "theirs": pl.Float64, "difference": pl.Float64}


def verify_agreement(
    raw: Mapping[str, pl.DataFrame],
    stored: Mapping[str, pl.DataFrame],
    ontology: Ontology,
    *,
    gold: Mapping[str, str] | None = None,
    seed: int = 0,
) -> pl.DataFrame:
    """Recompute the pooled alpha, those of all groups and classes, and those of `SAMPLED_CLIPS` clips drawn by `seed`.

    `raw`: tables of `raw_annotations`; `stored`: tables of `agreement`, at least those of `COMPARED`; `gold`: the
    expert of each gold clip. Gives `figure, ours, theirs, difference`: null is undefined, and the difference from a
    figure that only one of both defines is infinite. Costs one matching and one call of the package for each class
    over all places, about as long as measuring does; memory is bounded by `LARGEST_TABLE`.

    Raises `InputError` where there are no stored figures, or they are about other work than `raw`.
    """
    own = with_expert_jobs(raw, gold)
    work = match_work(own["raw_boxes"], own["raw_labels"], own["completed_jobs"], ontology)
    panel = work.panel.without_slots(expert_slots(work.panel, gold or {}))
    _refuse_other_work(panel, stored)
    rows = [
        {"figure": figure, "ours": ours, "theirs": None if isnan(theirs) else theirs,
         "difference": _difference(nan if ours is None else ours, theirs)}
        for figure, ours, theirs in _figures(panel, stored, seed)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=VERIFIED)


def differing(verified: pl.DataFrame) -> pl.DataFrame:
    """Rows of `verify_agreement` whose figures differ by more than `TOLERANCE`.

    >>> table = pl.DataFrame({"figure": ["a", "b"], "difference": [0.0, 0.25]})
    >>> differing(table)["figure"].to_list()
    ['b']
    """
    return verified.filter(pl.col("difference") > TOLERANCE)


def in_full(verified: pl.DataFrame) -> pl.DataFrame:
    """The same rows for people, figures as text with all the digits in which they may differ.

    >>> in_full(pl.DataFrame({"figure": ["a"], "difference": [1 / 8e7]}))["difference"].to_list()
    ['1.25e-08']
    """
    return verified.with_columns(
        pl.col(pl.Float64).map_elements(lambda value: f"{value:.12g}", return_dtype=pl.String)
    )


def _refuse_other_work(panel: Panel, stored: Mapping[str, pl.DataFrame]) -> None:
    """Raise `InputError` unless both are about the same clips, crews and classes."""
    if not stored.keys() >= COMPARED:
        raise InputError("Agreement has not been measured yet.", "Materialise agreement of this batch first.")
    crews = dict(zip(panel.clips, (panel.crew >= 0).sum(axis=1).tolist(), strict=True))
    same_crews = dict(stored["clips"].select("clip_id", "annotators").rows()) == crews
    if not (same_crews and stored["per_class"]["action_id"].to_list() == panel.action_ids.tolist()):
        raise InputError(
            "The agreement figures are out of date: jobs, gold clips or the ontology have changed since.",
            "Materialise agreement of this batch again.",
        )


def _figures(
    panel: Panel, stored: Mapping[str, pl.DataFrame], seed: int
) -> Iterator[tuple[str, float | None, float]]:
    """Each figure's name, as it is stored, and as the package has it (nan where it is undefined)."""
    classes = np.arange(len(panel.action_ids))
    everywhere = np.arange(len(panel.second))
    whole = _ByClass.of(panel, everywhere)
    overall = dict(stored["overall"].select("statistic", "value").rows())
    yield "pooled_alpha", overall["pooled_alpha"], whole.pooled(classes)
    alphas = dict(stored["per_group"].select("group", "alpha").rows())
    for number, group in enumerate(panel.ontology.groups):
        columns = np.flatnonzero(panel.group_of == number)
        answers = _categories(panel, number, columns) if group.kind == "exclusive" else None
        theirs = whole.pooled(columns) if answers is None else _alpha(answers)
        yield f"group {group.name}", alphas[group.name], theirs
    named = stored["per_class"].select("action_id", "name", "alpha").rows()
    for (action_id, name, ours), theirs in zip(named, whole.alpha.tolist(), strict=True):
        yield f"class {action_id} {name}", ours, theirs
    by_clip = dict(stored["clips"].select("clip_id", "pooled_alpha").rows())
    for clip in _drawn(len(panel.clips), seed):
        own = _ByClass.of(panel, np.flatnonzero(panel.clip == clip))
        yield f"clip {panel.clips[clip]}", by_clip[panel.clips[clip]], own.pooled(classes)


def _drawn(clips: int, seed: int) -> Ints:
    """At most `SAMPLED_CLIPS` of so many clips, always the same for a seed, ascending."""
    draw = np.random.default_rng(seed)
    return np.sort(draw.choice(clips, min(clips, SAMPLED_CLIPS), replace=False))


@dataclass(frozen=True)
class _ByClass:
    """The package's alpha of each class `(C,)`, nan where undefined, and the disagreement expected of it `(C,)`."""

    alpha: Array
    expected: Array

    @classmethod
    def of(cls, panel: Panel, places: Ints) -> _ByClass:
        """Of what was rated at some places."""
        found = []
        for column, group in enumerate(panel.group_of):
            rated, said = panel.rated[places, :, group], panel.votes[places, :, column]
            ratings = np.where(rated, said, nan).T
            found.append((_alpha(ratings), _expected(ratings)))
        return cls(*np.array(found, dtype=np.float64).reshape(-1, 2).T)

    def pooled(self, columns: Ints) -> float:
        """Over some classes; nan where no disagreement can be expected."""
        alpha, weight = self.alpha[columns], self.expected[columns]
        used = weight > 0
        return float(np.average(alpha[used], weights=weight[used])) if used.any() else nan


def _categories(panel: Panel, group: int, columns: Ints) -> Array | None:
    """Who chose which category of an exclusive group `(K, P)`, nan where nobody was asked; none where the group is too
    large a table, or an answer is not exactly one action."""
    rated = panel.rated[:, :, group]
    said = panel.votes[:, :, columns]
    if len(rated) * len(columns) ** 2 > LARGEST_TABLE or (said.sum(axis=2) != rated).any():
        return None
    return np.where(rated, said.argmax(axis=2), nan).T


def _alpha(ratings: Array) -> float:
    """The package's nominal alpha of ratings `(raters, units)`; nan where it says that there is none: all the same,
    or no unit with two raters."""
    import krippendorff

    try:
        # 0 / 0: no two answers to the same unit differ from any others.
        with np.errstate(invalid="ignore"):
            return float(krippendorff.alpha(ratings, level_of_measurement="nominal"))
    except ValueError:
        return nan


def _expected(ratings: Array) -> float:
    """Disagreement expected of yes and no `(raters, units)`: N (n - N) / (n - 1) over units with two raters or more."""
    several = (~np.isnan(ratings)).sum(axis=0) >= 2
    n, yes = float((~np.isnan(ratings[:, several])).sum()), float(np.nansum(ratings[:, several]))
    return yes * (n - yes) / (n - 1) if n > 1 else 0.0


def _difference(ours: float, theirs: float) -> float:
    """How far two figures lie apart; nan is undefined."""
    if isnan(ours) or isnan(theirs):
        return 0.0 if isnan(ours) and isnan(theirs) else inf
    return abs(ours - theirs)
