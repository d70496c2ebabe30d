"""What a sensor has told of and not yet seen done: told again later, since an event may be lost.

Dagster's eager condition forgets what it was told while the asset that should follow was being made: work that is
completed, or a decision made, in that moment would wait for the next one.
"""

from __future__ import annotations

FIRST_WAIT_SECONDS = 45.0
"""After this an event that had no effect is told again; then after twice as long, and so on."""

TIMES = 7
"""How often the same is told: for about an hour and a half. What still has not worked then needs a person."""

Told = dict[str, list[float]]
"""By batch: when it was told last, and how often. JSON-able."""


def again(told: Told, open_batches: set[str], now: float) -> set[str]:
    """Batches of which it is time to tell once more, among those where what was told of is not done."""
    return {
        batch
        for batch, (at, times) in told.items()
        if batch in open_batches and times < TIMES and now - at >= FIRST_WAIT_SECONDS * 2 ** (times - 1)
    }


def noted(told: Told, open_batches: set[str], new: set[str], repeated: set[str], now: float) -> Told:
    """The next `told`: what was told now, and what is open still."""
    kept = {batch: entry for batch, entry in told.items() if batch in open_batches}
    kept |= {batch: [now, told[batch][1] + 1] for batch in repeated}
    return kept | {batch: [now, 1] for batch in new}
