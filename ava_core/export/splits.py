"""Train, val and test by source video: seeded, stratified by class as far as possible, stable for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

import polars as pl

SPLITS: Final = ("train", "val", "test")
RATIOS: Final = {"train": 0.7, "val": 0.15, "test": 0.15}


def assign_splits(
    counts: pl.DataFrame,
    *,
    seed: int,
    ratios: Mapping[str, float] | None = None,
    fixed: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The split of every source video.

    `counts`: `source_id, action_id, rows`; `fixed`: splits that were given before or are pinned, which never
    change. The others come in a seeded order of their ids, each into the split that lacks most of its classes;
    so adding a batch moves no video. The first goes to train.
    """
    shares = {split: (ratios or RATIOS).get(split, 0.0) for split in SPLITS}
    have = {split: dict[int, float]() for split in SPLITS}
    given: dict[str, str] = {}
    by_source = {
        source: dict(group.select("action_id", "rows").rows())
        for (source,), group in counts.group_by(["source_id"])
    }
    for source in sorted(by_source, key=lambda source: (source not in (fixed or {}), _lot(seed, source))):
        own = by_source[source]
        split = (fixed or {}).get(source) or max(
            SPLITS, key=lambda s: (_lack(s, own, have, shares), shares[s])
        )
        given[source] = split
        for action, rows in own.items():
            have[split][action] = have[split].get(action, 0.0) + rows
    return dict(sorted(given.items()))


def _lack(
    split: str, own: Mapping[int, float], have: Mapping[str, Mapping[int, float]], shares: Mapping[str, float]
) -> float:
    """How far the split lies below its share, in the classes of a source, once the source is counted in."""
    if shares[split] <= 0:
        return float("-inf")
    lack = 0.0
    for action, rows in own.items():
        total = rows + sum(each.get(action, 0.0) for each in have.values())
        lack += shares[split] * total - have[split].get(action, 0.0)
    return lack


def _lot(seed: int, source: str) -> str:
    return hashlib.sha256(f"{seed}:{source}".encode()).hexdigest()
