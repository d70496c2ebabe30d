"""Where annotators differ, each place with the frame to jump to: labels, boxes, identities, missed people."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core.base.schemas import CLIP_FPS, CONFLICTS, Schema, conform
from ava_core.quality.agreement.panel import Panel
from ava_core.quality.agreement.untangle import SAME_BOX, best_overlap

Ints = npt.NDArray[np.int64]

NAMES: Final = pl.List(pl.String)
NOTHING: Final = "none"
LABEL: Final = "label:"
"""Kinds of conflict about labels begin so; the group follows."""

BOX_TAIL: Final = ": IoU "
IDENTITY_TAIL: Final = ": this second's box belongs to another track"
MISSED_TAIL: Final = " has no box"
"""What stands behind the annotator's name in `detail`."""


def conflicts(panel: Panel, tangled: Panel) -> pl.DataFrame:
    """`schemas.CONFLICTS`. `tangled`: the panel before swapped identities were undone."""
    parts = [_labels(panel), _boxes(panel), _identities(panel, tangled), _missed(panel)]
    framed = pl.concat(parts).with_columns(frame=pl.col("second") * CLIP_FPS)
    return conform(framed, CONFLICTS, "conflicts").sort("clip_id", "second", "person_id", "kind", "detail")


def between(conflicts: pl.DataFrame, a: str, b: str) -> pl.DataFrame:
    """Rows of `schemas.CONFLICTS` in which `a` and `b` gave different labels, or that are about the work of either.

    Names match exactly. A table of an older version, without the column `annotators`, gives the same rows.
    """
    says_a, says_b = (_says(name) for name in (a, b))
    differ = says_a.is_not_null() & says_b.is_not_null() & (says_a != says_b)
    if "annotators" in conflicts.columns:
        about = pl.any_horizontal(pl.col("annotators").list.contains(name) for name in (a, b))
    else:
        about = pl.any_horizontal(_is_about(name) for name in (a, b))
    return conflicts.filter(pl.when(pl.col("kind").str.starts_with(LABEL)).then(differ).otherwise(about))


def alike_against(conflicts: pl.DataFrame, a: str, b: str) -> pl.DataFrame:
    """Rows of `schemas.CONFLICTS` in which `a` and `b` gave the same labels, and somebody else gave other ones."""
    same = _says(a) == _says(b)
    return conflicts.filter(pl.col("kind").str.starts_with(LABEL) & same.fill_null(False))


def _says(name: str) -> pl.Expr:
    """The answer of an annotator in `mia=1+17; tom=none`; null where they gave none."""
    answer = rf"; {re.escape(name)}=([0-9+]+|{NOTHING})(?:; |$)"
    return (pl.lit("; ") + pl.col("detail")).str.extract(answer)


def _is_about(name: str) -> pl.Expr:
    """Whether a conflict that is not of labels names an annotator, told from the sentence."""
    detail, kind = pl.col("detail"), pl.col("kind")
    box = (kind == "box") & detail.str.starts_with(name + BOX_TAIL)
    return box | detail.is_in([name + IDENTITY_TAIL, name + MISSED_TAIL])


def _table(
    panel: Panel, place: Ints, kind: pl.Series, detail: pl.Series, annotators: pl.Series
) -> pl.DataFrame:
    columns = {"kind": kind, "detail": detail, "annotators": annotators}
    types: Schema = {"kind": pl.String, "detail": pl.String, "annotators": NAMES}
    return pl.DataFrame(panel.place_columns(place) | columns, schema_overrides=types)


def _labels(panel: Panel) -> pl.DataFrame:
    """Groups of which not all raters say the same, with what each says."""
    parts = []
    for number, group in enumerate(panel.ontology.groups):
        columns = np.flatnonzero(panel.group_of == number)
        own = panel.group_of[panel.named.column] == number
        split = own & (panel.named.yes < panel.raters[panel.named.place, number])
        place = np.unique(panel.named.place[split])
        said = [_said(panel, place, slot, number, columns) for slot in range(panel.crew.shape[1])]
        detail = (
            pl.select(pl.concat_str(said, separator="; ", ignore_nulls=True)).to_series() if said else _none()
        )
        kind = pl.select(pl.repeat(f"label:{group.name}", len(place), dtype=pl.String)).to_series()
        parts.append(_table(panel, place, kind, detail, _raters(panel, place, number)))
    return pl.concat(parts)


def _raters(panel: Panel, place: Ints, group: int) -> pl.Series:
    """Who rated a group at each place. Few lists are made, one for each way in which a crew rated."""
    slots = panel.crew.shape[1]
    rated = panel.rated[place, :, group]
    _, crew = np.unique(panel.crew, axis=0, return_inverse=True)
    way = (crew.reshape(-1)[panel.clip[place]] << slots) | (rated @ (1 << np.arange(slots, dtype=np.int64)))
    _, first, code = np.unique(way, return_index=True, return_inverse=True)
    who = panel.who[place]
    names = [[panel.annotators[number] for number in who[at][rated[at]]] for at in first]
    return pl.Series(names, dtype=NAMES).gather(code)


def _said(panel: Panel, place: Ints, slot: int, group: int, columns: Ints) -> pl.Series:
    """`annotator=1+17` at each place; null where the slot did not rate the group."""
    votes = panel.votes[place, slot][:, columns]
    bits = np.packbits(votes, axis=1)
    rows = np.ascontiguousarray(bits).view(np.dtype((np.void, bits.shape[1])))[:, 0]
    _, first, code = np.unique(rows, return_index=True, return_inverse=True)
    answers = ["+".join(map(str, panel.action_ids[columns[votes[at]]])) or NOTHING for at in first]
    answer = pl.Series(answers, dtype=pl.String)[code] if len(place) else _none()
    name = (
        pl.Series([*panel.annotators, ""], dtype=pl.String)[panel.who[place, slot]] if len(place) else _none()
    )
    rated = pl.Series(panel.rated[place, slot, group])
    return pl.select(pl.when(rated).then(name + "=" + answer)).to_series()


def _boxes(panel: Panel) -> pl.DataFrame:
    """Boxes that overlap nobody else's box of the same person well."""
    best = best_overlap(panel.boxes)
    place, slot = np.nonzero(best < SAME_BOX)
    rounded = pl.Series(best[place, slot]).round(2).cast(pl.String)
    detail = _names(panel, place, slot) + pl.Series([BOX_TAIL]) + rounded if len(place) else _none()
    return _table(panel, place, _kind("box", place), detail, _alone(panel, place, slot))


def _identities(panel: Panel, tangled: Panel) -> pl.DataFrame:
    """Seconds at which an annotator's track follows somebody else; told at the person to whom it was moved."""
    moved = np.abs(panel.boxes - tangled.boxes).sum(axis=2)  # nan where the annotator had no box there
    place, slot = np.nonzero(panel.present & (np.isnan(moved) | (moved > 0)))
    detail = _names(panel, place, slot) + pl.Series([IDENTITY_TAIL]) if len(place) else _none()
    return _table(panel, place, _kind("identity", place), detail, _alone(panel, place, slot))


def _missed(panel: Panel) -> pl.DataFrame:
    """People whom some of the crew have no box of."""
    some = np.atleast_2d(panel.present.any(axis=1, keepdims=True))
    place, slot = np.nonzero(some & ~panel.present & (panel.who >= 0))
    detail = _names(panel, place, slot) + pl.Series([MISSED_TAIL]) if len(place) else _none()
    return _table(panel, place, _kind("missed", place), detail, _alone(panel, place, slot))


def _names(panel: Panel, place: Ints, slot: Ints) -> pl.Series:
    return pl.Series(list(panel.annotators), dtype=pl.String)[panel.who[place, slot]]


def _alone(panel: Panel, place: Ints, slot: Ints) -> pl.Series:
    """The annotator of each slot, as a list of one."""
    return pl.Series([[name] for name in panel.annotators], dtype=NAMES).gather(panel.who[place, slot])


def _kind(kind: str, place: Ints) -> pl.Series:
    return pl.select(pl.repeat(kind, len(place), dtype=pl.String)).to_series()


def _none() -> pl.Series:
    return pl.Series([], dtype=pl.String)
