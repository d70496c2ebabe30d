"""How much an answer weighs: in decisions, not in seconds.

People decide once and the answer lasts: what somebody says of a person's group at seconds on end without a change is
one decision, of which each second is a part.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from ava_core.base.work.threads import side_by_side
from ava_core.quality.agreement.panel import Panel

Array = npt.NDArray[np.float64]


def decisions(panel: Panel) -> Array:
    """Decisions that each answer stands for `(P, K, G)`: one by the seconds of its run, 0 where there is none."""
    shares: Array = np.zeros(panel.rated.shape)
    side_by_side(partial(_decisions_of, panel, slot, shares) for slot in range(shares.shape[1]))
    return shares


def _decisions_of(panel: Panel, slot: int, shares: Array) -> None:
    for group in range(shares.shape[2]):
        rated = panel.rated[:, slot, group]
        goes_on = panel.follows & rated & np.roll(rated, 1) & ~panel.changed[:, slot, group]
        run = np.cumsum(~goes_on) - 1
        shares[:, slot, group] = np.where(rated, 1 / np.bincount(run)[run], 0) if len(run) else 0
