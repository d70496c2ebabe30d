"""How often an annotator changes an answer from one second to the next: the label flip rate."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ava_core.quality.agreement.panel import Flags, Panel

Array = npt.NDArray[np.float64]


def flips(panel: Panel) -> tuple[Array, Array]:
    """Answers that changed, and answers that could have: `(clips, K)` each.

    Counted are groups that an annotator rated of the same person at two seconds in a row.
    """
    rated = panel.rated & np.roll(panel.rated, 1, axis=0) & panel.follows[:, None, None]
    changed = changed_answers(panel) & rated
    return panel.by_clip(changed.sum(axis=2)), panel.by_clip(rated.sum(axis=2))


def changed_answers(panel: Panel) -> Flags:
    """Answers that differ from those one place before: `(P, K, G)`."""
    named, classes = panel.named, len(panel.action_ids)
    group = panel.group_of[named.column]
    key = named.place * classes + named.column  # ascends
    changed = np.zeros(panel.rated.shape, dtype=bool)
    for step in (-1, 1):  # against the place before; and told at the place after
        at = np.searchsorted(key, key + step * classes)
        found = np.zeros(len(key), dtype=bool)
        inside = at < len(key)
        found[inside] = key[at[inside]] == key[inside] + step * classes
        neighbour = (
            np.where(found[:, None], named.votes[np.where(found, at, 0)], False) if len(key) else named.votes
        )
        row, slot = np.nonzero(named.votes & ~neighbour)
        place = named.place[row] + (step > 0)
        kept = place < len(changed)
        changed[place[kept], slot[kept], group[row[kept]]] = True
    return changed
