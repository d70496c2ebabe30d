"""Ontology, group, action: what an action vocabulary consists of."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Final, Literal

UNSET: Final = "unset"
"""Value of an attribute that nobody has touched: a missing rating, never an action."""

NONE: Final = "none"
"""Value of a multi group's attribute by which an annotator says "none of these"."""

CANNOT_TELL: Final = "cannot tell"
"""Value of a group's first attribute by which an annotator says that it cannot be seen: it ends what was said before,
and is no rating."""

GroupKind = Literal["exclusive", "multi"]


@dataclass(frozen=True)
class Action:
    """One action. `id` is 1-based and permanent: readers of AVA datasets know an action by it alone."""

    id: int
    name: str
    description: str = ""
    hotkey: str = ""
    minimum_alpha: float | None = None
    """Krippendorff's alpha below which a release of this class is blocked; `None` = no threshold."""


@dataclass(frozen=True)
class Group:
    """Actions that are rated together.

    `exclusive`: exactly one holds at a time. `multi`: up to `max_active` hold at a time, or none.
    """

    name: str
    kind: GroupKind
    actions: tuple[Action, ...]
    max_active: int = 1

    @cached_property
    def ids(self) -> tuple[int, ...]:
        """Ids of the group's actions, in the file's order."""
        return tuple(action.id for action in self.actions)


@dataclass(frozen=True)
class Ontology:
    """A versioned action vocabulary. `retired` ids were used once and never come back."""

    name: str
    version: int
    groups: tuple[Group, ...]
    description: str = ""
    retired: frozenset[int] = field(default_factory=frozenset)

    @cached_property
    def actions(self) -> tuple[Action, ...]:
        """All actions by ascending id."""
        return tuple(sorted((a for g in self.groups for a in g.actions), key=lambda a: a.id))

    @cached_property
    def _by_id(self) -> dict[int, tuple[Group, Action]]:
        return {action.id: (group, action) for group in self.groups for action in group.actions}

    def action(self, action_id: int) -> Action:
        """The action of that id; `KeyError` where there is none."""
        return self._by_id[action_id][1]

    def group_of(self, action_id: int) -> Group:
        """The group that holds the action of that id; `KeyError` where there is none."""
        return self._by_id[action_id][0]

    def group(self, name: str) -> Group:
        """The group of that name; `KeyError` where there is none."""
        return {group.name: group for group in self.groups}[name]

    @cached_property
    def digest(self) -> str:
        """Hash of the content: two ontologies with the same digest mean the same."""
        content = asdict(self) | {"retired": sorted(self.retired)}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
