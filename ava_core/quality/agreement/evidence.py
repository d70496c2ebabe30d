"""How much an answer weighs: in decisions, not in seconds.

People decide once and the answer lasts: what somebody says of a person's group at seconds on end without a change is
one decision, of which each second is a part.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ava_core.quality.agreement.panel import Panel

Array = npt.NDArray[np.float64]


def decisions(panel: Panel) -> Array:
    """Decisions that each answer stands for `(P, K, G)`: one by the seconds of its run, 0 where there is none."""
    changed = panel.changed
    follows = panel.follows
    _, slots, groups = panel.rated.shape
    shares: Array = np.zeros(panel.rated.shape)
    for slot in range(slots):
        for group in range(groups):
            rated = panel.rated[:, slot, group]
            goes_on = follows & rated & np.roll(rated, 1) & ~changed[:, slot, group]
            run = np.cumsum(~goes_on) - 1
            shares[:, slot, group] = np.where(rated, 1 / np.bincount(run)[run], 0) if len(run) else 0
    return shares
