"""All figures of agreement of a batch, as tables."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

import numpy as np
import polars as pl

from ava_core.agreement import alpha
from ava_core.agreement.boxes import SAME_BOX, box_figures, box_pairs, person_boxes
from ava_core.agreement.match import match_persons
from ava_core.agreement.ratings import UNIT, ratings
from ava_core.ontology import Ontology

NO_PAIRS: Final = "no person was labelled by two annotators"
CONSTANT: Final = "everyone always said the same, so no disagreement can be expected"
UNUSED: Final = "nobody used this class"

OVERALL = {
    "statistic": pl.String, "value": pl.Float64, "low": pl.Float64, "high": pl.Float64, "n": pl.Int64,
    "reason": pl.String,
}  # fmt: skip


def measure_agreement(
    raw_boxes: pl.DataFrame,
    raw_labels: pl.DataFrame,
    completed: pl.DataFrame,
    ontology: Ontology,
    *,
    seed: int = 0,
    repetitions: int = 1000,
) -> dict[str, pl.DataFrame]:
    """Agreement tables from `tables.RAW_BOXES`, `RAW_LABELS` and `COMPLETED_JOBS`.

    `persons` who is whom · `overall` headline figures · `per_class` · `pairs` of annotators · `clips` ·
    `annotators` scorecards · `conflicts` places where they differ. Every alpha has a 95 % interval from
    resampling clips; an undefined figure is null with a reason. The order of rows does not matter.
    """
    persons = match_persons(raw_boxes)
    rated = ratings(raw_labels, persons)
    boxes = person_boxes(raw_boxes, persons)
    pairs = box_pairs(boxes, completed)
    sums = alpha.ClassSums(rated, ontology)
    draws = sums.resampled(repetitions, seed) if sums.clips else [np.zeros((0, len(ontology.actions)))] * 3
    by_pair = _pairs(rated, pairs, ontology)
    return {
        "persons": persons,
        "overall": _overall(sums, draws, pairs, boxes),
        "per_class": _per_class(sums, draws, ontology),
        "pairs": by_pair,
        "clips": _clips(rated, pairs, completed, ontology),
        "annotators": _annotators(boxes, by_pair, completed),
        "conflicts": _conflicts(rated, pairs),
    }


def _overall(
    sums: alpha.ClassSums, draws: list[Any], pairs: pl.DataFrame, boxes: pl.DataFrame
) -> pl.DataFrame:
    rows = []
    clips = len(sums.clips)
    for name, function in (("pooled_alpha", alpha.pooled), ("macro_alpha", alpha.macro)):
        value = float(function(*sums.totals())[0])
        why = NO_PAIRS if not clips else CONSTANT
        if name == "macro_alpha" and clips:
            why = f"no class has {alpha.RARE} positive ratings"
        found = alpha.estimate(value, function(*draws), why, clips)
        rows.append(
            {"statistic": name, **asdict(found), "n": int(sums.all.max(axis=1).sum()) if clips else 0}
        )
    figures = box_figures(pairs.with_columns(all=pl.lit(value=True)), ["all"])
    for name in ("mean_iou", "f1", "share_tight"):
        figure = figures[name][0] if figures.height else None
        reason = "" if figure is not None else "no clip was completed by two annotators"
        rows.append({"statistic": f"box_{name}", "value": figure, "n": pairs.height, "reason": reason})
    edited = boxes["edited"].mean() if boxes.height else None
    reason = "" if boxes.height else "there is no box"
    rows.append({"statistic": "edit_rate", "value": edited, "n": boxes.height, "reason": reason})
    return pl.DataFrame(rows, schema=OVERALL)


def _per_class(sums: alpha.ClassSums, draws: list[Any], ontology: Ontology) -> pl.DataFrame:
    value = alpha.alphas(*sums.totals())[0]
    drawn = alpha.alphas(*draws)
    disagreement, yes, total = (part[0] for part in sums.totals())
    rows = []
    for number, action in enumerate(sums.actions):
        why = NO_PAIRS if total[number] == 0 else UNUSED if yes[number] == 0 else CONSTANT
        found = alpha.estimate(value[number], drawn[:, number], why, len(sums.clips))
        # Of the pairs in which one says yes, the share in which both do.
        positive = 1 - disagreement[number] / yes[number] if yes[number] else None
        rows.append({
            "action_id": action.id, "name": action.name, "group": ontology.group_of(action.id).name,
            "alpha": found.value, "low": found.low, "high": found.high, "positive_agreement": positive,
            "positives": int(yes[number]), "n": int(total[number]), "reason": found.reason,
        })  # fmt: skip
    schema = {
        "action_id": pl.Int32, "name": pl.String, "group": pl.String, "alpha": pl.Float64, "low": pl.Float64,
        "high": pl.Float64, "positive_agreement": pl.Float64, "positives": pl.Int64, "n": pl.Int64,
        "reason": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


def cohen_kappa(a: pl.Series, b: pl.Series) -> float | None:
    """Cohen's kappa of two raters' categories; `None` where chance alone agrees fully (Cohen, 1960)."""
    table = pl.DataFrame({"a": a, "b": b})
    n = table.height
    if not n:
        return None
    observed = float((table["a"] == table["b"]).sum()) / n
    left, right = (dict(table[side].value_counts().rows()) for side in ("a", "b"))
    chance = sum(count * right.get(value, 0) for value, count in left.items()) / n**2
    return None if chance >= 1 else (observed - chance) / (1 - chance)


def _pairs(rated: pl.DataFrame, box_table: pl.DataFrame, ontology: Ontology) -> pl.DataFrame:
    figures = box_figures(box_table, ["annotator", "annotator_b"]).sort("annotator", "annotator_b")
    both = rated.join(rated, on=UNIT, suffix="_b").filter(pl.col("annotator") < pl.col("annotator_b"))
    rows = []
    for row in figures.to_dicts():
        own = both.filter(
            pl.col("annotator") == row["annotator"], pl.col("annotator_b") == row["annotator_b"]
        )
        rows.append(row | _pair_labels(own, ontology))
    schema = figures.schema | {
        "kappa": pl.Float64, "pooled_alpha": pl.Float64, "shared_labels": pl.Int64, "shared_clips": pl.Int64,
        "label_agreement": pl.Float64, "reason": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


def _pair_labels(own: pl.DataFrame, ontology: Ontology) -> dict[str, Any]:
    """Kappa over groups (each answer a category, mean weighted by ratings) and pooled alpha of one pair."""
    kappas, weights = [], []
    for (_,), group in own.group_by(["group"], maintain_order=True):
        said = [
            group[name].list.sort().list.eval(pl.element().cast(pl.String)).list.join("+")
            for name in ("action_ids", "action_ids_b")
        ]
        kappa = cohen_kappa(said[0], said[1])
        if kappa is not None:
            kappas.append(kappa)
            weights.append(group.height)
    two = pl.concat([own.select(*UNIT, "annotator", "action_ids"),
                     own.select(*UNIT, annotator="annotator_b", action_ids="action_ids_b")])  # fmt: skip
    pooled = alpha.pooled(*alpha.ClassSums(two, ontology).totals())[0] if own.height else np.nan
    same = own.select(pl.col("action_ids").list.sort() == pl.col("action_ids_b").list.sort()).to_series()
    return {
        "kappa": float(np.average(kappas, weights=weights)) if kappas else None,
        "pooled_alpha": None if np.isnan(pooled) else float(pooled),
        "shared_labels": own.height,
        "shared_clips": own["clip_id"].n_unique(),
        "label_agreement": same.mean() if own.height else None,
        "reason": "" if kappas else (CONSTANT if own.height else NO_PAIRS),
    }


def _answer(column: str) -> pl.Expr:
    """What was said about a group as one category: its action ids in order."""
    return pl.col(column).list.sort().list.eval(pl.element().cast(pl.String)).list.join("+")


def _clips(
    rated: pl.DataFrame, pairs: pl.DataFrame, completed: pl.DataFrame, ontology: Ontology
) -> pl.DataFrame:
    figures = {row["clip_id"]: row for row in box_figures(pairs, ["clip_id"]).to_dicts()}
    people = completed.group_by("clip_id").agg(annotators=pl.col("annotator").n_unique()).sort("clip_id")
    rows = []
    for clip_id, annotators in people.rows():
        sums = alpha.ClassSums(rated.filter(pl.col("clip_id") == clip_id), ontology)
        value = alpha.pooled(*sums.totals())[0] if sums.clips else np.nan
        known = figures.get(clip_id, {})
        rows.append({
            "clip_id": clip_id, "annotators": annotators,
            "pooled_alpha": None if np.isnan(value) else float(value),
            **{name: known.get(name) for name in ("mean_iou", "f1", "shared_boxes", "missed")},
            "reason": "" if not np.isnan(value) else (CONSTANT if sums.clips else NO_PAIRS),
        })  # fmt: skip
    schema = {
        "clip_id": pl.String, "annotators": pl.Int64, "pooled_alpha": pl.Float64, "mean_iou": pl.Float64,
        "f1": pl.Float64, "shared_boxes": pl.Int64, "missed": pl.Int64, "reason": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


def _annotators(boxes: pl.DataFrame, pairs: pl.DataFrame, completed: pl.DataFrame) -> pl.DataFrame:
    """Scorecards: clips, boxes, edit rate, agreement with the others."""
    figures = ["pooled_alpha", "mean_iou", "shared_boxes"]
    mirrored = pl.concat(
        [
            pairs.select("annotator", *figures),
            pairs.select(pl.col("annotator_b").alias("annotator"), *figures),
        ]
    )
    against = mirrored.group_by("annotator").agg(
        mean_alpha=pl.col("pooled_alpha").mean(),
        best_alpha=pl.col("pooled_alpha").max(),
        mean_iou=pl.col("mean_iou").mean(),
        shared_boxes=pl.col("shared_boxes").sum(),
    )
    work = boxes.group_by("annotator").agg(boxes=pl.len(), edit_rate=pl.col("edited").mean())
    clips = completed.group_by("annotator").agg(clips=pl.col("clip_id").n_unique())
    return (
        clips.join(work, on="annotator", how="left")
        .join(against, on="annotator", how="left")
        .sort("annotator")
    )


def _conflicts(rated: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Places where annotators differ: labels of a group, boxes that overlap badly, people whom some missed."""
    labels = (
        rated.with_columns(said=_answer("action_ids"))
        .group_by(UNIT)
        .agg(
            different=pl.col("said").n_unique(),
            detail=(pl.col("annotator") + "=" + pl.col("said")).sort().str.join("; "),
        )
        .filter(pl.col("different") > 1)
        .select("clip_id", "second", "person_id", kind="label:" + pl.col("group"), detail="detail")
    )
    names = pl.col("annotator") + " / " + pl.col("annotator_b")
    overlap = pl.col("iou").round(2).cast(pl.String)
    apart = pairs.filter(pl.col("iou") < SAME_BOX).select(
        "clip_id", "second", "person_id", kind=pl.lit("box"), detail=names + ": IoU " + overlap
    )
    missing = pl.when(pl.col("has")).then(pl.col("annotator_b")).otherwise(pl.col("annotator"))
    missed = (
        pairs.filter(pl.col("iou").is_null())
        .select("clip_id", "second", "person_id", kind=pl.lit("missed"), detail=missing + " has no box")
        .unique()
    )
    return pl.concat([labels, apart, missed]).sort("clip_id", "second", "person_id", "kind", "detail")
