"""What holds of every batch's decisions, folded anew only where somebody decided something."""

from __future__ import annotations

from threading import Lock

from sqlalchemy import func, select

from ava_core.decisions import DecisionState, decision_state, decision_states
from ava_core.store import Store
from ava_core.store.tables import Decision


class Decided:
    """States by batch. Safe in threads; who asks gets what holds at that moment."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._newest: dict[str, int] = {}
        self._states: dict[str, DecisionState] = {}
        self._lock = Lock()

    def all(self) -> dict[str, DecisionState]:
        """Every batch that was ever decided on, and maybe others."""
        wanted = select(Decision.batch, func.max(Decision.decision_id)).group_by(Decision.batch)
        with self._lock:
            with self.store.session() as session:
                newest = {batch: int(number) for batch, number in session.execute(wanted)}
            changed = [batch for batch, number in newest.items() if self._newest.get(batch) != number]
            if len(changed) > len(newest) // 2:
                self._states = decision_states(self.store)
            else:
                self._states |= {batch: decision_state(self.store, batch) for batch in changed}
            self._newest = newest
            return self._states

    def of(self, batch: str) -> DecisionState:
        """One batch's state."""
        return self.all().get(batch) or DecisionState.of_approved(())
