"""Agreement of boxes: how well they overlap, who missed or added people, how often boxes were edited."""

from __future__ import annotations

import polars as pl

from ava_core.tables import BOX_COLUMNS

SAME_BOX = 0.5
"""IoU from which two boxes count as the same."""
TIGHT = 0.75


def iou_expression(a: str = "", b: str = "_b") -> pl.Expr:
    """IoU of the boxes in the columns with suffix `a` and with suffix `b`."""
    left, right = pl.max_horizontal(f"x1{a}", f"x1{b}"), pl.min_horizontal(f"x2{a}", f"x2{b}")
    top, bottom = pl.max_horizontal(f"y1{a}", f"y1{b}"), pl.min_horizontal(f"y2{a}", f"y2{b}")
    shared = (right - left).clip(0) * (bottom - top).clip(0)

    def area(s: str) -> pl.Expr:
        return (pl.col(f"x2{s}") - pl.col(f"x1{s}")) * (pl.col(f"y2{s}") - pl.col(f"y1{s}"))

    union = area(a) + area(b) - shared
    return pl.when(union > 0).then(shared / union).otherwise(0.0)


def person_boxes(raw_boxes: pl.DataFrame, persons: pl.DataFrame) -> pl.DataFrame:
    """`clip_id, second, person_id, annotator, x1…y2, edited`: one box per annotator, person and second."""
    joined = raw_boxes.join(persons, on=["clip_id", "annotator", "track_key"])
    return (
        joined.select("clip_id", "second", "person_id", "annotator", *BOX_COLUMNS, "edited")
        .unique(["clip_id", "second", "person_id", "annotator"], keep="first")
        .sort("clip_id", "second", "person_id", "annotator")
    )


def box_pairs(boxes: pl.DataFrame, completed: pl.DataFrame) -> pl.DataFrame:
    """For each two annotators of a clip, each person and second that either of them has.

    Columns `clip_id, annotator, annotator_b, second, person_id, has, has_b, iou`; `iou` is null where one of
    them has no box there. A clip that one of them did not complete gives no pair.
    """
    done = completed.select("clip_id", "annotator").unique()
    pairs = done.join(done, on="clip_id", suffix="_b").filter(pl.col("annotator") < pl.col("annotator_b"))
    places = boxes.select("clip_id", "second", "person_id").unique()
    side_b = boxes.rename({"annotator": "annotator_b"} | {n: f"{n}_b" for n in (*BOX_COLUMNS, "edited")})
    at = ["clip_id", "second", "person_id"]
    joined = (
        pairs.join(places, on="clip_id")
        .join(boxes, on=[*at, "annotator"], how="left")
        .join(side_b, on=[*at, "annotator_b"], how="left")
        .with_columns(has=pl.col("x1").is_not_null(), has_b=pl.col("x1_b").is_not_null())
        .filter(pl.col("has") | pl.col("has_b"))
    )
    both = pl.col("has") & pl.col("has_b")
    return joined.with_columns(
        iou=pl.when(both).then(iou_expression()),
        edited=pl.col("edited").fill_null(value=False) | pl.col("edited_b").fill_null(value=False),
    ).select("clip_id", "annotator", "annotator_b", "second", "person_id", "has", "has_b", "iou", "edited")


def box_figures(pairs: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """Figures of box agreement by group: `mean_iou, f1, share_tight, shared_boxes, missed`.

    `f1` counts a box without a partner at IoU ≥ .5 as wrong on its side. Null where there is no box.
    """
    both = pl.col("has") & pl.col("has_b")
    same = (pl.col("iou") >= SAME_BOX).sum()
    sides = pl.col("has").sum() + pl.col("has_b").sum()
    return pairs.group_by(by).agg(
        mean_iou=pl.col("iou").mean(),
        f1=pl.when(sides > 0).then(2 * same / sides),
        share_tight=(pl.col("iou") >= TIGHT).mean(),
        shared_boxes=both.sum(),
        missed=(~both).sum(),
    )
