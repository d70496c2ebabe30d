"""Holding raw annotations to rules. Tables in, table out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch

import polars as pl

from ava_core.annotation.pages import at_frame
from ava_core.annotation.rules.model import Companion, Exclusive, LabelsVanish, MaxLabels, MinArea, RuleSet
from ava_core.base.schemas import CLIP_FPS, HELD_ANSWERS, RULE_FINDINGS, Severity, conform, empty
from ava_core.ontology import Ontology

BOX = ("clip_id", "annotator", "job_id", "version", "track_key", "second")
"""What names one person at one keyframe in one annotator's work."""
PICTURE = ("clip_id", "annotator", "job_id", "version", "second")


def broken_rules(
    boxes: pl.DataFrame,
    labels: pl.DataFrame,
    rules: RuleSet,
    ontology: Ontology,
    pages: dict[int, str],
    held: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """`schemas.RULE_FINDINGS`: every breach in `schemas.RAW_BOXES` and `schemas.RAW_LABELS`, gravest first.

    `pages`: the address of each job, to which the frame is added; `held`: `schemas.HELD_ANSWERS`, none where
    it is not known.
    """
    work = _Work(boxes, _actions(labels, ontology), empty(HELD_ANSWERS) if held is None else held)
    found = [_with_rule(_breaches(rule, work), rule.id, rule.severity, rule.say) for rule in rules.rules]
    if not found:
        return empty(RULE_FINDINGS)
    frame = pl.col("second") * CLIP_FPS
    page = pl.col("job_id").replace_strict(pages, default="", return_dtype=pl.String)
    links = pl.when(page != "").then(pl.format(at_frame("{}", "{}"), page, frame)).otherwise(pl.lit(""))
    table = pl.concat(found).with_columns(frame=frame, link=links)
    return conform(table, RULE_FINDINGS, "rule_findings").sort("severity", "rule", *BOX)


@dataclass(frozen=True)
class _Work:
    """`schemas.RAW_BOXES`, what `_actions` makes of the labels, and `schemas.HELD_ANSWERS`."""

    boxes: pl.DataFrame
    actions: pl.DataFrame
    held: pl.DataFrame


@singledispatch
def _breaches(rule: object, work: _Work) -> pl.DataFrame:
    """Columns of `BOX` and `detail`, a row per breach."""
    raise NotImplementedError(type(rule))


@_breaches.register
def _(rule: MaxLabels, work: _Work) -> pl.DataFrame:
    resting = pl.col("action").is_in(rule.not_counted) | pl.col("group").is_in(rule.not_counted)
    active = work.actions.filter(~resting).group_by(BOX).agg(pl.col("action").sort().alias("names"))
    many = active.filter(pl.col("names").list.len() > rule.most)
    said = pl.format("{} active: {}", pl.col("names").list.len(), pl.col("names").list.join(", "))
    return many.select(*BOX, detail=said)


@_breaches.register
def _(rule: MinArea, work: _Work) -> pl.DataFrame:
    area = (pl.col("x2") - pl.col("x1")) * (pl.col("y2") - pl.col("y1"))
    small = work.boxes.with_columns(area=area).filter(pl.col("area") < rule.least_px)
    return small.select(*BOX, detail=pl.format("{} px²", pl.col("area").round().cast(pl.Int64)))


@_breaches.register
def _(rule: Exclusive, work: _Work) -> pl.DataFrame:
    own = work.actions.filter(pl.col("action").is_in(rule.actions))
    both = own.group_by(BOX).agg(pl.col("action").unique().sort().alias("names"))
    said = pl.col("names").list.join(" with ")
    return both.filter(pl.col("names").list.len() > 1).select(*BOX, detail=said)


@_breaches.register
def _(rule: Companion, work: _Work) -> pl.DataFrame:
    doing = work.actions.filter(pl.col("action").is_in(rule.actions))
    doing = doing.group_by(BOX).agg(pl.col("action").sort().first())
    giving = work.actions.filter(pl.col("action").is_in(rule.needs)).select(BOX).unique()
    if rule.of == "same_person":
        alone = doing.join(giving, on=BOX, how="anti")
    else:
        givers = giving.group_by(PICTURE).agg(pl.col("track_key").alias("givers"))
        others = pl.col("givers").list.set_difference(pl.concat_list("track_key")).list.len()
        alone = doing.join(givers, on=PICTURE, how="left").filter(others.fill_null(0) == 0)
    where = "" if rule.of == "same_person" else " of another person"
    said = pl.format("{} without {}{}", pl.col("action"), pl.lit(" or ".join(rule.needs)), pl.lit(where))
    return alone.select(*BOX, detail=said)


@_breaches.register
def _(rule: LabelsVanish, work: _Work) -> pl.DataFrame:
    person = [name for name in BOX if name != "second"]
    last = pl.col("second").max().alias("last")
    groups = pl.col("group").unique().sort().alias("groups")
    over = work.held.group_by(person).agg(pl.col("second").min(), last, groups)
    said = pl.format(
        "answered before, holds over unset until second {}: {}", "last", pl.col("groups").list.join(", ")
    )
    return over.select(*BOX, detail=said)


def _actions(labels: pl.DataFrame, ontology: Ontology) -> pl.DataFrame:
    """A row per action that an annotator gave: `BOX`, `group`, `action` by name."""
    names = {action.id: action.name for action in ontology.actions}
    given = labels.explode("action_ids", empty_as_null=False)
    action = pl.col("action_ids").replace_strict(names, default=None, return_dtype=pl.String)
    return given.select(*BOX, "group", action=action).drop_nulls("action")


def _with_rule(breaches: pl.DataFrame, rule: str, severity: Severity, say: str) -> pl.DataFrame:
    return breaches.with_columns(rule=pl.lit(rule), severity=pl.lit(severity), say=pl.lit(say))
