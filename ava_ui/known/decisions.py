"""What holds of every batch's decisions, folded anew only where somebody decided something."""

from __future__ import annotations

from ava_core.base.once import Made, Once
from ava_core.decisions import DecisionState, decision_state, decision_states, newest_decisions
from ava_core.store import Store

Newest = dict[str, int]
"""Each batch's newest decision."""
States = dict[str, DecisionState]


class DecisionStates:
    """States by batch. Safe in threads; whoever asks gets what holds at that moment."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._once = Once[str, Newest, States]()

    def all(self) -> States:
        """Every batch that was ever decided on, and maybe others."""
        newest = newest_decisions(self.store)
        return self._once.get("states", newest, lambda before: self._folded(newest, before))

    def of(self, batch: str) -> DecisionState:
        """One batch's state."""
        return self.all().get(batch) or DecisionState.of_approved(())

    def _folded(self, newest: Newest, before: Made[Newest, States] | None) -> States:
        known, states = (before.stamp, before.value) if before is not None else ({}, {})
        changed = [batch for batch, number in newest.items() if known.get(batch) != number]
        if len(changed) > len(newest) // 2:
            return decision_states(self.store)
        return states | {batch: decision_state(self.store, batch) for batch in changed}
