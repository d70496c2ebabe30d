"""One answer per group from several.

Two or more trusted annotators: the posterior of Dawid and Skene's model, and for classes with too few positives to
learn from, the majority. Exclusive groups: the action with the best score. Multi groups: every action that is more
likely than not, at most `max_active`, best first. An even tie goes to the action that the same person's other
seconds speak for (more votes in the clip), then to the lower id; the rule of such a label is `majority_tie`. In a
multi group a class on which exactly half say yes holds only if the person has a majority for it at another second.
One annotator: the answer is copied, without a posterior.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core.agreement.panel import Panel, sum_by
from ava_core.consensus.estimate import LabelEstimate
from ava_core.tables import ADJUDICATIONS, CONSENSUS_LABELS, conform

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

AT: Final = ["clip_id", "second", "person_id", "group"]

LEAST_POSITIVES: Final = 20
"""Votes that a class needs in a batch before anything is learnt about who errs on it."""

RULES: Final = ("dawid_skene", "majority", "majority_tie", "single")


@dataclass(frozen=True)
class Decided:
    """Over P places and C classes: `holds`, the answer; `score`, what it was chosen by (posterior or vote share,
    nan where unrated); `rule`, index into `RULES`."""

    holds: Flags
    score: Array
    rule: npt.NDArray[np.int8]


def decide(panel: Panel, estimate: LabelEstimate) -> Decided:
    """Decide every class at every place of a panel of trusted annotators."""
    voters = panel.raters[:, panel.group_of]
    share = np.divide(panel.yes, voters, out=np.full(voters.shape, np.nan), where=voters > 0)
    learnt = panel.yes.sum(axis=0) >= LEAST_POSITIVES
    by_model = learnt & (voters >= 2)
    score = np.where(by_model, estimate.posterior, share)
    rule = np.select([by_model, voters >= 2], [0, 1], 3).astype(np.int8)
    around = _around(panel)
    holds = np.zeros(score.shape, dtype=bool)
    for number, group in enumerate(panel.ontology.groups):
        columns = np.flatnonzero(panel.group_of == number)
        limit = 1 if group.kind == "exclusive" else group.max_active
        own, near = score[:, columns], around[:, columns]
        candidates = panel.yes[:, columns] > 0
        even = np.zeros_like(candidates)
        if group.kind == "exclusive":
            best = np.where(candidates, own, -1).max(axis=1, keepdims=True, initial=-1)
            even = candidates & (own == best)
            even &= even.sum(axis=1, keepdims=True) > 1
        else:
            even = candidates & ~by_model[:, columns] & (own == 0.5)
            candidates &= (own > 0.5) | (even & (near > 0))
        holds[:, columns] = _best(candidates, own, near, limit)
        rule[:, columns] = np.where(even, 2, rule[:, columns])
    return Decided(holds, score, rule)


def _around(panel: Panel) -> Array:
    """How much the person's other seconds speak for a class: votes beyond half of the ratings, summed where they
    are. `(P, C)`."""
    voters = panel.raters[:, panel.group_of]
    person = np.cumsum(
        np.diff(panel.clip, prepend=-1).astype(bool) | np.diff(panel.person, prepend=-1).astype(bool)
    )
    clear = np.where(2 * panel.yes > voters, panel.yes, 0)
    result: Array = sum_by(clear, person - 1, len(panel.tubes))[person - 1]
    return result


def _best(candidates: Flags, score: Array, around: Array, limit: int) -> Flags:
    """The best `limit` candidates of each row: by score, then by what is around, then by id."""
    holds = np.zeros_like(candidates)
    many = candidates.sum(axis=1) > limit
    holds[~many] = candidates[~many]
    rows = np.flatnonzero(many)
    key = np.where(candidates[rows], -score[rows], np.inf)
    order = np.lexsort((-around[rows], key), axis=1)[:, :limit]
    holds[rows[:, None], order] = True
    return holds


def label_table(panel: Panel, decided: Decided, estimate: LabelEstimate, where: Flags) -> pl.DataFrame:
    """`tables.CONSENSUS_LABELS` of some places."""
    place, column = np.nonzero(decided.holds & where[:, None])
    rule = decided.rule[place, column]
    posterior = pl.Series(np.where(rule <= 1, estimate.posterior[place, column], np.nan)).fill_nan(None)
    names = [group.name for group in panel.ontology.groups]
    columns = panel.place_columns(place) | {
        "group": pl.Series(names)[panel.group_of[column]] if len(place) else pl.Series([], dtype=pl.String),
        "action_id": panel.action_ids[column],
        "votes": panel.yes[place, column],
        "voters": panel.raters[place, panel.group_of[column]],
        "posterior": posterior,
        "rule": pl.Series(RULES)[rule] if len(place) else pl.Series([], dtype=pl.String),
    }
    return conform(pl.DataFrame(columns), CONSENSUS_LABELS, "consensus labels").sort(*AT, "action_id")


def adjudicate(labels: pl.DataFrame, adjudications: pl.DataFrame) -> pl.DataFrame:
    """`labels` in which an expert's decisions (`tables.ADJUDICATIONS`) replace the votes of their group."""
    if adjudications.is_empty():
        return labels
    decided = conform(adjudications, ADJUDICATIONS, "adjudications")
    rows = decided.explode("action_ids", empty_as_null=False).rename({"action_ids": "action_id"})
    rows = rows.drop_nulls("action_id").with_columns(
        votes=pl.lit(1), voters=pl.lit(1), posterior=pl.lit(1.0), rule=pl.lit("adjudicated")
    )
    kept = labels.join(decided, on=AT, how="anti")
    return pl.concat([kept, conform(rows, CONSENSUS_LABELS, "adjudications")]).sort(*AT, "action_id")
