"""How a camera moved from one look to the next, judged by what all people in view do at once.

People go their own ways; when nearly all of them are beside where they were expected, and all by the same way, it
was the camera that moved.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

LEAST_PEOPLE: Final = 4
"""Fewer people may well all have turned at once."""
REACH: Final = 1.5
"""How far a camera may move the picture from one look to the next, in heights of a person."""
HEIGHT_RATIO: Final = 1.3
"""How much taller somebody may be than expected."""
SPREAD: Final = 0.08
"""How exactly people are where the camera's motion puts them, in heights (standard deviation)."""
LEAST_SHARE: Final = 0.5
"""Share of the people whom the motion must explain, …"""
LEAST_GAIN: Final = 0.15
"""… and of those whom it must explain better than a camera that stood still."""
MOST_GUESSES: Final = 100


def common_shift(expected: Array, found: Array) -> Array:
    """The picture's shift `(2,)`, x and y in pixels, that puts most people where they were found.

    `expected` `(N, 4)` and `found` `(M, 4)`: boxes `x1, y1, x2, y2`. Zero where no shift explains enough.
    """
    still = np.zeros(2)
    if min(len(expected), len(found)) < LEAST_PEOPLE:
        return still
    height = expected[:, 3] - expected[:, 1]
    ratio = (found[:, 3] - found[:, 1])[None, :] / height[:, None]
    way = (found[:, :2] + found[:, 2:4])[None, :] / 2 - (expected[:, :2] + expected[:, 2:4])[:, None] / 2
    near = np.hypot(way[..., 0], way[..., 1]) <= REACH * height[:, None]
    person, other = np.nonzero(near & (ratio < HEIGHT_RATIO) & (ratio > 1 / HEIGHT_RATIO))
    ways, spread = way[person, other], SPREAD * height[person]
    if not len(ways):
        return still
    guesses = np.vstack([still, ways[:: len(ways) // MOST_GUESSES + 1]])
    apart = np.hypot(*(ways[None] - guesses[:, None]).transpose(2, 0, 1)) / spread
    votes = np.exp(-(apart**2) / 2)
    support = votes.sum(axis=1)
    best = int(support.argmax())
    if support[best] < LEAST_SHARE * len(expected) or support[best] - support[0] < LEAST_GAIN * len(expected):
        return still
    shift: Array = (votes[best][:, None] * ways).sum(axis=0) / support[best]
    return shift
