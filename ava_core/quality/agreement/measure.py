"""All figures of agreement of a batch, as tables."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core.base.schemas import (
    AGREEMENT_BY_CLASS,
    AGREEMENT_BY_CLIP,
    AGREEMENT_BY_GROUP,
    AGREEMENT_BY_PAIR,
    AGREEMENT_OVERALL,
    CONFUSION,
)
from ava_core.base.work.threads import side_by_side
from ava_core.ontology import Ontology
from ava_core.quality.agreement import alpha, coefficients
from ava_core.quality.agreement.alpha import CONSTANT, NO_PAIRS, UNUSED, LabelSums, Resampled
from ava_core.quality.agreement.bootstrap import ClipBootstrap, Estimate, interval, share
from ava_core.quality.agreement.build import Work, match_work
from ava_core.quality.agreement.conflicts import conflicts
from ava_core.quality.agreement.dependence import Pair, dependent_pairs, undecided
from ava_core.quality.agreement.gate import gate
from ava_core.quality.agreement.gold import expert_slots, gold_sums
from ava_core.quality.agreement.pairs import (
    BOX_SUMS,
    EDGES,
    PairFigures,
    PairSums,
    f1,
    kappa,
    kappa_by_clip,
    pair_sums,
    pooled_alpha,
    ratio,
)
from ava_core.quality.agreement.panel import Panel
from ava_core.quality.agreement.scorecard import scorecards
from ava_core.quality.agreement.steadiness import flips

Array = npt.NDArray[np.float64]

NO_SHARED_CLIP: Final = "no clip was completed by two annotators"
NO_SHARED_BOX: Final = "no box of one person by two annotators"
NO_BOX: Final = "there is no box"
NO_ACTION: Final = "no action was named by two annotators who saw the same person"
ONLY_KAPPA: Final = "kappa: each pair always gave the same answer, so chance disagreement is zero"
"""Where alpha is undefined, kappa is too, for the same reason; the other way round there are rare cases."""
NO_NEIGHBOURS: Final = "no person was labelled at two seconds in a row"

FIGURES: Final[Mapping[str, tuple[Callable[[PairSums], Array], tuple[str, ...], str]]] = {
    "masi": (ratio("masi", "units"), ("units",), NO_PAIRS),
    "box_mean_iou": (ratio("iou", "shared"), ("shared",), NO_SHARED_BOX),
    "box_edited_iou": (ratio("edited_iou", "edited"), ("edited",), "no box that both annotators edited"),
    "box_tube_iou": (ratio("tube_iou", "tubes"), ("tubes",), NO_SHARED_BOX),
    "box_share_tight": (ratio("tight", "shared"), ("shared",), NO_SHARED_BOX),
    "box_f1": (f1("same"), ("boxes_a", "boxes_b"), NO_BOX),
    "box_idf1": (f1("identical"), ("boxes_a", "boxes_b"), NO_BOX),
    "temporal_iou": (ratio("temporal_iou", "episodes"), ("episodes",), NO_ACTION),
}
"""Figures of pairs: how they follow from the sums, what they rest on, why they may be undefined."""


def measure_agreement(
    raw_boxes: pl.DataFrame,
    raw_labels: pl.DataFrame,
    completed: pl.DataFrame,
    ontology: Ontology,
    *,
    seed: int = 0,
    repetitions: int = 1000,
    gold: Mapping[str, str] | None = None,
    assigned: Collection[str] = (),
    independent: Collection[Pair] = (),
) -> dict[str, pl.DataFrame]:
    """`measure_work` of `schemas.RAW_BOXES`, `RAW_LABELS` and `COMPLETED_JOBS`.

    >>> from ava_core.base.schemas import COMPLETED_JOBS, RAW_BOXES, RAW_LABELS
    >>> from ava_core.ontology import load_ontology
    >>> rows = [
    ...     {"clip_id": "gate_000", "annotator": name, "job_id": job, "version": 1, "track_key": "0", "second": 2,
    ...      "x1": 10.0, "y1": 10.0, "x2": 50.0, "y2": 90.0, "edited": True, "group": "pose", "action_ids": [pose]}
    ...     for job, name, pose in [(1, "anna", 12), (2, "ben", 14)]
    ... ]
    >>> work = [pl.DataFrame(rows, schema=dict(part)) for part in (RAW_BOXES, RAW_LABELS, COMPLETED_JOBS)]
    >>> tables = measure_agreement(*work, load_ontology("ava80"))
    >>> tables["conflicts"].select("clip_id", "frame", "kind", "detail").rows()
    [('gate_000', 60, 'label:pose', 'anna=12; ben=14')]
    """
    work = match_work(raw_boxes, raw_labels, completed, ontology)
    return measure_work(
        work, seed=seed, repetitions=repetitions, gold=gold, assigned=assigned, independent=independent
    )


def measure_work(
    work: Work,
    *,
    seed: int = 0,
    repetitions: int = 1000,
    gold: Mapping[str, str] | None = None,
    assigned: Collection[str] = (),
    independent: Collection[Pair] = (),
) -> dict[str, pl.DataFrame]:
    """Agreement tables of a batch's work.

    `persons` who is whom · `overall` headline figures · `per_class` · `per_group` · `confusion` of exclusive groups ·
    `pairs` of annotators · `dependent` ones of whom one may copy · `clips` · `annotators` scorecards · `gate` its
    verdicts · `conflicts` places where they differ · `ignored` rows that do not count. Intervals are of 95 %, from
    `repetitions` draws of clips; an undefined figure is null with a reason. The order of rows and annotators does not
    matter.

    `gold`: the expert of each gold clip, whose work is compared with the others' but not counted as theirs;
    `assigned`: everybody who has a job, so that who completed none has a row too; `independent`: pairs that somebody
    judged so, which the gate takes at their word.
    """
    experts = expert_slots(work.panel, gold or {})
    panel, tangled = work.panel.without_slots(experts), work.tangled.without_slots(experts)
    bootstrap = ClipBootstrap(len(panel.clips), repetitions=repetitions, seed=seed)
    pairs = pair_sums(panel, tangled) if experts.any() else work.pairs
    dependent = dependent_pairs(panel, pairs) if experts.any() else work.dependent
    steadiness = flips(panel)

    def of_labels() -> dict[str, pl.DataFrame]:
        labels = Resampled.of(alpha.label_sums(panel), bootstrap)
        return {
            "overall": _overall(panel, labels, pairs, steadiness, bootstrap),
            "per_class": _per_class(panel, labels),
            "per_group": _per_group(panel, labels),
            "clips": _clips(panel, labels.by_clip, pairs),
        }

    def of_people() -> dict[str, pl.DataFrame]:
        by_pair = _pairs(panel, pairs, bootstrap)
        cards = scorecards(
            panel, pairs, by_pair, gold_sums(work.panel, gold or {}), steadiness, bootstrap,
            order=_order(work.completed), assigned=assigned,
        )  # fmt: skip
        return {"pairs": by_pair, "annotators": cards}

    def of_places() -> dict[str, pl.DataFrame]:
        return {"confusion": _confusion(panel), "conflicts": conflicts(panel, tangled)}

    tables = {"persons": panel.persons, "dependent": dependent, "ignored": panel.ignored}
    for part in side_by_side([of_people, of_places, of_labels]):
        tables |= part
    open_pairs = undecided(dependent, (), independent)
    return tables | {"gate": gate(tables | {"dependent": open_pairs})}


def _order(completed: pl.DataFrame) -> dict[tuple[str, str], int]:
    """When somebody worked on a clip, by the number of the job."""
    return {
        (clip, name): job for clip, name, job in completed.select("clip_id", "annotator", "job_id").rows()
    }


def _overall(
    panel: Panel,
    labels: Resampled,
    pairs: PairSums,
    steadiness: tuple[Array, Array],
    bootstrap: ClipBootstrap,
) -> pl.DataFrame:
    clips = np.arange(len(panel.clips))
    rare = f"no class has {alpha.RARE} positive ratings"
    units = int((panel.raters >= 2).sum())
    both = PairFigures.of(pairs, bootstrap)
    rows: list[tuple[str, Estimate, int]] = [
        ("pooled_alpha", labels.estimate(alpha.pooled, CONSTANT), units),
        ("macro_alpha", labels.estimate(alpha.macro, rare), units),
    ]
    for name, (figure, base, reason) in FIGURES.items():
        n = sum(both.count(part) for part in base)
        rows.append((name, both.estimate(figure, reason if len(pairs.clip) else NO_SHARED_CLIP), n))
    changed, steady = (part.sum(axis=1) for part in steadiness)
    rows.append(("flip_rate", bootstrap.ratio(changed, steady, clips, NO_NEIGHBOURS), int(steady.sum())))
    boxes = panel.by_clip(panel.present).sum(axis=1)
    edited = panel.by_clip(panel.edited & panel.present).sum(axis=1)
    rows.append(("edit_rate", bootstrap.ratio(edited, boxes, clips, NO_BOX), int(boxes.sum())))
    content = [{"statistic": name, **asdict(found), "n": n} for name, found, n in rows]
    return pl.DataFrame(content, schema=dict(AGREEMENT_OVERALL))


def _per_class(panel: Panel, labels: Resampled) -> pl.DataFrame:
    total, drawn = labels.total, labels.drawn
    figures = {"alpha": alpha.alphas, "positive_agreement": alpha.positive_agreement}
    known = {name: (figure(total)[0], figure(drawn)) for name, figure in figures.items()}
    clips = len(panel.clips)
    rows = []
    for number, action in enumerate(panel.ontology.actions):
        yes, ratings = int(total.yes[0, number]), int(total.ratings[0, number])
        why = NO_PAIRS if ratings == 0 else UNUSED if yes == 0 else CONSTANT
        found = {name: interval(float(value[number]), draws[:, number], clips, why)
                 for name, (value, draws) in known.items()}  # fmt: skip
        rows.append({
            "action_id": action.id, "name": action.name, "group": panel.ontology.group_of(action.id).name,
            "alpha": found["alpha"].value, "low": found["alpha"].low, "high": found["alpha"].high,
            "positive_agreement": found["positive_agreement"].value,
            "positive_low": found["positive_agreement"].low, "positive_high": found["positive_agreement"].high,
            "positives": yes, "n": ratings, "minimum_alpha": action.minimum_alpha,
            "reason": found["alpha"].reason,
        })  # fmt: skip
    return pl.DataFrame(rows, schema=dict(AGREEMENT_BY_CLASS))


def _per_group(panel: Panel, labels: Resampled) -> pl.DataFrame:
    rows = []
    for number, group in enumerate(panel.ontology.groups):
        columns = np.flatnonzero(panel.group_of == number)
        rated = panel.raters[:, number] >= 2
        found = labels.of_classes(columns).estimate(alpha.pooled, CONSTANT)
        row: dict[str, Any] = {
            "group": group.name, "kind": group.kind, "alpha": found.value, "low": found.low, "high": found.high,
            "n": int(rated.sum()), "reason": found.reason,
        }  # fmt: skip
        if group.kind == "exclusive" and rated.any() and len(columns) > 1:
            counts = panel.counts(columns)[rated]
            for name in ("percent_agreement", "fleiss_kappa", "gwet_ac1"):
                value = getattr(coefficients, name)(counts)
                row[name] = None if np.isnan(value) else value
        rows.append(row)
    return pl.DataFrame(rows, schema=dict(AGREEMENT_BY_GROUP))


def _confusion(panel: Panel) -> pl.DataFrame:
    """How often one annotator of a pair says `action_id` and the other `action_id_b`, both ways round."""
    parts = []
    for number, group in enumerate(panel.ontology.groups):
        columns = np.flatnonzero(panel.group_of == number)
        if group.kind != "exclusive":
            continue
        # Ordered pairs of raters: v_k v_l of two different answers, v_k (v_k - 1) of the same.
        votes = panel.counts(columns)
        table = votes.T @ votes - np.diag(votes.sum(axis=0))
        one, other = np.nonzero(table)
        ids = panel.action_ids[columns]
        parts.append(pl.DataFrame({
            "group": [group.name] * len(one), "action_id": ids[one], "action_id_b": ids[other],
            "count": table[one, other],
        }, schema_overrides={"group": pl.String}))  # fmt: skip
    if not parts:
        return pl.DataFrame(schema=dict(CONFUSION))
    return pl.concat(parts).select(pl.col(name).cast(kind) for name, kind in CONFUSION.items())


def _pairs(panel: Panel, pairs: PairSums, bootstrap: ClipBootstrap) -> pl.DataFrame:
    rows = []
    for a, b in sorted(set(zip(pairs.a.tolist(), pairs.b.tolist(), strict=True))):
        own = PairFigures.of(pairs.only((pairs.a == a) & (pairs.b == b)), bootstrap)
        why = CONSTANT if own.count("units") else NO_PAIRS
        found = {"kappa": own.estimate(kappa, why), "pooled_alpha": own.estimate(pooled_alpha, why)}
        found |= {name.removeprefix("box_"): own.estimate(figure, reason)
                  for name, (figure, _, reason) in FIGURES.items()}  # fmt: skip
        shared = own.count("shared")
        row: dict[str, Any] = {
            "annotator": panel.annotators[a], "annotator_b": panel.annotators[b], "shared_clips": own.clips,
            "shared_boxes": shared, "shared_labels": own.count("units"),
            "missed": own.count("boxes_a") + own.count("boxes_b") - 2 * shared,
        }  # fmt: skip
        for name, each in found.items():
            row |= {name: each.value, f"{name}_low": each.low, f"{name}_high": each.high}
        for edge in EDGES:
            row[f"bias_{edge}"] = float(own.total[f"shift_{edge}"][0]) / shared if shared else None
        reasons = {f"{name}: {each.reason}" for name, each in found.items() if each.reason}
        rows.append(row | {"reason": "; ".join(sorted(reasons))})
    return pl.DataFrame(rows, schema=dict(AGREEMENT_BY_PAIR))


def _clips(panel: Panel, labels: LabelSums, pairs: PairSums) -> pl.DataFrame:
    """One row a clip; a clip alone has no interval."""
    count = len(panel.clips)
    value = alpha.pooled(labels)
    sums = {name: np.bincount(pairs.clip, pairs[name], count) for name in BOX_SUMS}
    boxes = sums["boxes_a"] + sums["boxes_b"]
    why = np.where(labels.ratings.any(axis=1), CONSTANT, NO_PAIRS)
    people = np.bincount(panel.clip[panel.tubes], minlength=count)
    why = np.where(people == 0, "no one drew a person", why)
    agreed = kappa_by_clip(pairs, count)
    figures = {
        "pooled_alpha": value, "kappa": agreed, "mean_iou": share(sums["iou"], sums["shared"]),
        "f1": share(2 * sums["same"], boxes), "idf1": share(2 * sums["identical"], boxes),
    }  # fmt: skip
    return pl.DataFrame({
        "clip_id": list(panel.clips), "annotators": (panel.crew >= 0).sum(axis=1), "people": people,
        **{name: pl.Series(part, dtype=pl.Float64).fill_nan(None) for name, part in figures.items()},
        "shared_boxes": sums["shared"], "missed": boxes - 2 * sums["shared"],
        "reason": np.select([np.isnan(value), np.isnan(agreed)], [why, ONLY_KAPPA], "").tolist(),
    }).select(pl.col(name).cast(kind) for name, kind in AGREEMENT_BY_CLIP.items())  # fmt: skip
