"""What was wrong with a file that was read all the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

PLACES_NAMED: Final = 3
"""So many places of a defect are named; of the others their number is enough to look for them."""


@dataclass(frozen=True)
class Repair:
    """A defect, in how many rows it was found, the first line of them or where else, and what was done about it."""

    defect: str
    repair: str
    rows: int
    line: int = 0
    place: str = ""


@dataclass
class Repairs:
    """Collects defects of a kind where they are found one by one."""

    found: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def note(self, defect: str, repair: str, place: str) -> None:
        """Note one shape, row or file with that defect."""
        self.found.setdefault((defect, repair), []).append(place)

    def listed(self) -> list[Repair]:
        """Each kind once, in the order in which it was first found."""
        return [
            Repair(defect, repair, len(places), place=_named(places))
            for (defect, repair), places in self.found.items()
        ]


def _named(places: list[str]) -> str:
    named = list(dict.fromkeys(place for place in places if place))
    more = len(named) - PLACES_NAMED
    return "; ".join(named[:PLACES_NAMED]) + (f"; and {more} more" if more > 0 else "")
