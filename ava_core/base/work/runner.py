"""What runs units of work, and the one that needs nothing: one unit after another in this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeAlias, TypeVar

from ava_core.base.set_aside import setting_aside

Unit = TypeVar("Unit")
Result = TypeVar("Result")


class Advance(Protocol):
    """Counts so much of the work as done."""

    def __call__(self, units: float = 1.0, /) -> None: ...


def untold(units: float = 1.0, /) -> None:
    """Progress that nobody is told of."""


Work: TypeAlias = Callable[[Unit, Advance], Result]
"""What makes a unit's result and tells how far it is.

It may run in another process, and twice: it can be pickled (a public function, or a `partial` of one), notes what
is done, and gives the same bytes again.
"""


@dataclass(frozen=True)
class Outcome(Generic[Result]):
    """A unit's result, or the reason why there is none."""

    result: Result | None
    reason: str = ""


class Runner(Protocol):
    """Runs units of work."""

    def run(self, work: Work[Unit, Result], units: Sequence[Unit], advance: Advance) -> list[Outcome[Result]]:
        """What became of each unit, in the order of `units`.

        An error of one unit is the reason of its outcome; one that the others would meet as well (a full disk, a
        detector that cannot start) is raised, and ends the work.
        """
        ...


class InlineRunner:
    """One unit after another, in this process."""

    def run(self, work: Work[Unit, Result], units: Sequence[Unit], advance: Advance) -> list[Outcome[Result]]:
        """See `Runner`."""
        return [attempt(work, unit, advance) for unit in units]


def attempt(work: Work[Unit, Result], unit: Unit, advance: Advance) -> Outcome[Result]:
    """Work on one unit; its error becomes its reason, unless the others would meet it as well."""
    result = None
    with setting_aside() as fate:
        result = work(unit, advance)
    return Outcome(result, fate.reason)
