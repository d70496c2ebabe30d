"""One answer per group from several.

Two or more trusted annotators: the chance that an action holds, from a model of who errs how (`reliability`).
Exclusive groups: the likeliest action that somebody named. Multi groups: every action that is more likely than not, at
most `max_active`, likeliest first. An even tie goes to the action that the same person's other seconds speak for (a
majority at more of them), then to the lower id; the rule of such a label is `majority_tie`.
One annotator: the answer is copied. It has a chance too once it is known from other work how the annotator errs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core.base.schemas import ADJUDICATIONS, CONSENSUS_LABELS, PLACE, LabelRule, conform
from ava_core.decisions import on_labels
from ava_core.quality.agreement.panel import Panel
from ava_core.quality.agreement.reliability import LabelEstimate

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

AT: Final = [*PLACE, "group"]

LEAST_KNOWN: Final = 20
"""Decisions of an annotator that others rated too, from which it is known how good a copied answer is."""

EVEN: Final = 0.5

SAME_CHANCE: Final = 6
"""Decimals to which two chances that are equal agree: the model's are exact to 1e-9."""

RULES: Final[tuple[LabelRule, ...]] = ("dawid_skene", "majority_tie", "single")
DAWID_SKENE, MAJORITY_TIE, SINGLE = range(len(RULES))


@dataclass(frozen=True)
class Decided:
    """Of each row of the panel's `named` (place and class that somebody said yes to): whether it `holds`; `score`,
    the chance by which it was chosen; `posterior`, the same, nan where nothing is known of the only annotator; `rule`,
    an index into `RULES`. `expected_errors` `(P, G)`: labels of a group that are expected to be wrong, nan where
    nothing is known."""

    holds: Flags
    score: Array
    posterior: Array
    rule: npt.NDArray[np.int64]
    expected_errors: Array


def decide(panel: Panel, estimate: LabelEstimate) -> Decided:
    """Decide every class at every place of a panel of trusted annotators."""
    named = panel.named
    group = panel.group_of[named.column]
    voters = panel.raters[named.place, group]
    score = estimate.posterior.round(SAME_CHANCE)
    clear = panel.named_by_tube(np.where(2 * named.yes > voters, named.yes, 0))
    around = clear[panel.tube[named.place], named.column]
    exclusive = np.array([g.kind == "exclusive" for g in panel.ontology.groups])[group]
    limit = np.array([1 if g.kind == "exclusive" else g.max_active for g in panel.ontology.groups])[group]
    alone = voters < 2
    likely = exclusive | (score > EVEN) | alone
    answer = named.place * len(panel.ontology.groups) + group
    rank, tied = _ranked(answer, np.where(likely, score, -1.0), around, named.column)
    rule = np.where(alone, SINGLE, np.where(exclusive & tied, MAJORITY_TIE, DAWID_SKENE))
    holds = likely & (rank < limit)
    known = _known(panel, estimate)
    posterior = np.where(known[named.place, group], score, np.nan)
    return Decided(holds, score, posterior, rule, _expected_errors(panel, estimate, holds, score, known))


def _known(panel: Panel, estimate: LabelEstimate) -> Flags:
    """Answers of which it is known how good they are `(P, G)`."""
    enough = np.append(estimate.known >= LEAST_KNOWN, False)  # the last is nobody
    known: Flags = (panel.rated & enough[panel.who][:, :, None]).any(axis=1)
    return (panel.raters >= 2) | known


def _expected_errors(
    panel: Panel, estimate: LabelEstimate, holds: Flags, score: Array, known: Flags
) -> Array:
    named, shape = panel.named, panel.raters.shape
    wrong = np.where(holds, 1 - score, score)
    cell = named.place * shape[1] + panel.group_of[named.column]
    sums = np.bincount(cell, wrong, shape[0] * shape[1]).reshape(shape) + estimate.unnamed
    return np.where(known, sums, np.nan)


def _ranked(answer: Ints, score: Array, around: Array, column: Ints) -> tuple[Ints, Flags]:
    """Rank of each candidate within its answer, best first, and whether its score is as good as the best one's and
    it is not alone in that."""
    order = np.lexsort((column, -around, -score, answer))
    start = np.flatnonzero(np.diff(answer[order], prepend=-1))
    number = np.repeat(np.arange(len(start)), np.diff(start, append=len(order)))
    rank, tied = np.zeros(len(order), np.int64), np.zeros(len(order), dtype=bool)
    rank[order] = np.arange(len(order)) - start[number]
    best = score[order] == score[order][start][number]
    tied[order] = best & (np.bincount(number, best) > 1)[number]
    return rank, tied


def label_table(panel: Panel, decided: Decided, where: Flags) -> pl.DataFrame:
    """`schemas.CONSENSUS_LABELS` of some places."""
    named = panel.named
    row = np.flatnonzero(decided.holds & where[named.place])
    place, column, rule = named.place[row], named.column[row], decided.rule[row]
    columns = panel.place_columns(place) | {
        "group": pl.Series([group.name for group in panel.ontology.groups])[panel.group_of[column]],
        "action_id": panel.action_ids[column],
        "votes": named.yes[row],
        "voters": panel.raters[place, panel.group_of[column]],
        "posterior": pl.Series(decided.posterior[row]).fill_nan(None),
        "rule": pl.Series(RULES)[rule],
    }
    table = conform(pl.DataFrame(columns), CONSENSUS_LABELS, "consensus labels")
    return table.sort(*AT, "action_id")


def adjudicate(labels: pl.DataFrame, adjudications: pl.DataFrame) -> pl.DataFrame:
    """`labels` in which an expert's decisions (`schemas.ADJUDICATIONS`) replace the votes of their group.

    What is said about presence is no label.
    """
    decided = on_labels(conform(adjudications, ADJUDICATIONS, "adjudications"))
    if decided.is_empty():
        return labels
    rows = decided.explode("action_ids", empty_as_null=False).rename({"action_ids": "action_id"})
    rows = rows.drop_nulls("action_id").with_columns(
        votes=pl.lit(1), voters=pl.lit(1), posterior=pl.lit(1.0), rule=pl.lit("adjudicated")
    )
    kept = labels.join(decided, on=AT, how="anti")
    return pl.concat([kept, conform(rows, CONSENSUS_LABELS, "adjudications")]).sort(*AT, "action_id")
