"""How often an annotator changes an answer from one second to the next: the label flip rate."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ava_core.quality.agreement.panel import Panel

Array = npt.NDArray[np.float64]


def flips(panel: Panel) -> tuple[Array, Array]:
    """Answers that changed, and answers that could have: `(clips, K)` each.

    Counted are groups that an annotator rated of the same person at two seconds in a row.
    """
    rated = panel.rated & np.roll(panel.rated, 1, axis=0) & panel.follows[:, None, None]
    changed = panel.changed & rated
    return panel.by_clip(changed.sum(axis=2)), panel.by_clip(rated.sum(axis=2))
