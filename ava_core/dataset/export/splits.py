"""Train, val and test by source video: seeded, stratified by class as far as possible, stable for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core.base.errors import ExportError
from ava_core.dataset.formats.ava.names import SPLITS

RATIOS: Final = {"train": 0.7, "val": 0.15, "test": 0.15}
DRAWS: Final = 32
"""Seeded orders that are tried; the one whose splits come nearest to the ratios is taken."""

Array = npt.NDArray[np.float64]


def assign_splits(
    counts: pl.DataFrame,
    *,
    seed: int,
    ratios: Mapping[str, float] | None = None,
    fixed: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The split of every source video.

    `counts`: `source_id, action_id, rows`; `fixed`: splits that were given before or are pinned, which never
    change, so adding a batch moves no video. The others come one by one, each into the split that lacks most of
    its classes, rare ones counting as much as frequent ones; a split with a share never stays empty while there
    is a source for it, train first. Raises `ExportError` for ratios or fixed splits that mean nothing.
    """
    shares = _shares(ratios or RATIOS)
    given = dict(fixed or {})
    unknown = sorted(set(given.values()) - set(SPLITS))
    if unknown:
        raise ExportError(f"{unknown[0]!r} is not a split.", f"Splits are {', '.join(SPLITS)}.")
    sources, table = _class_shares(counts)
    placed = {number: SPLITS.index(given[name]) for number, name in enumerate(sources) if name in given}
    new = [number for number in range(len(sources)) if number not in placed]
    draws = [
        _place(table, shares, placed, sorted(new, key=lambda number: _lot(seed, draw, sources[number])))
        for draw in range(DRAWS if len(new) > 1 else 1)
    ]
    best = min(draws, key=lambda split: round(_distance(table, shares, split), 9))
    return {source: SPLITS[best[number]] for number, source in enumerate(sources)}


def check_leakage(splits: pl.DataFrame) -> None:
    """Raise `ExportError` where the same content lies in two splits; `splits`: `what, sha256, split`."""
    torn = splits.group_by("sha256").agg("what", "split").filter(pl.col("split").list.n_unique() > 1)
    for what, split in torn.sort("sha256").select("what", "split").rows():
        raise ExportError(
            f"{what[0]} ({split[0]}) and {what[1]} ({split[1]}) have the same content.",
            "Pin both to the same split, or exclude one.",
        )


def _shares(ratios: Mapping[str, float]) -> Array:
    shares = np.array([ratios.get(split, 0.0) for split in SPLITS])
    if (
        set(ratios) - set(SPLITS)
        or (shares < 0).any()
        or not shares.sum() > 0
        or not np.isfinite(shares).all()
    ):
        raise ExportError(
            f"Ratios {dict(ratios)} cannot be used.",
            "Give train, val and test numbers of 0 or more, e.g. 0.7, 0.15, 0.15.",
        )
    normed: Array = shares / shares.sum()
    return normed


def _class_shares(counts: pl.DataFrame) -> tuple[list[str], Array]:
    """Sources by name, and of each the share it holds of every class, `(sources, classes)`."""
    sources = sorted(counts["source_id"].unique())
    actions = sorted(counts["action_id"].unique())
    table = np.zeros((len(sources), len(actions)))
    row = {source: number for number, source in enumerate(sources)}
    column = {action: number for number, action in enumerate(actions)}
    for source, action, rows in counts.select("source_id", "action_id", "rows").rows():
        table[row[source], column[action]] += rows
    return sources, table / np.maximum(table.sum(axis=0), 1)


def _place(table: Array, shares: Array, placed: Mapping[int, int], order: list[int]) -> dict[int, int]:
    """The split of every source, each placed where its classes are lacked most."""
    split_of = dict(placed)
    have: Array = np.zeros((len(SPLITS), table.shape[1]))
    used = set(placed.values())
    for number, split in placed.items():
        have[split] += table[number]
    for number in order:
        empty = [split for split in range(len(SPLITS)) if shares[split] > 0 and split not in used]
        own = table[number]
        total = have.sum(axis=0) + own
        lack = np.where(shares > 0, ((shares[:, None] * total - have) * (own > 0)).sum(axis=1), -np.inf)
        split = empty[0] if empty else int(np.argmax(lack))
        split_of[number] = split
        have[split] += own
        used.add(split)
    return split_of


def _distance(table: Array, shares: Array, split_of: Mapping[int, int]) -> float:
    """How far the classes' division lies from the ratios, summed over classes and splits."""
    have: Array = np.zeros((len(SPLITS), table.shape[1]))
    for number, split in split_of.items():
        have[split] += table[number]
    return float(np.abs(have - shares[:, None]).sum())


def _lot(seed: int, draw: int, source: str) -> str:
    return hashlib.sha256(f"{seed}:{draw}:{source}".encode()).hexdigest()
