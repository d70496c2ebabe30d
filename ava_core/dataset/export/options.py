"""The choices that a release is made by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ava_core.dataset.export.splits import RATIOS
from ava_core.dataset.formats.flavours import DEFAULT


@dataclass(frozen=True)
class ReleaseOptions:
    """How a release is made.

    An empty `name` takes the next free one of v1, v2, … `ratios`: shares of train, val, test; `pins`: the split
    of single source videos; `flavours`: layouts beside annotations (`flavours.FLAVOURS`); `least_rows`: rows below
    which a class is reported in the card, and left out where `drop_rare`; `drop_weak`: leave out classes whose
    agreement lies below the ontology's `minimum_alpha`, which block a release otherwise. Ids never change.
    `least_chance`: seconds at which a label is less likely to hold are excluded, as disputed ones are.
    `licence` and `authors` go into card and citation. `batches`: those that go in, none for all that have a dataset;
    `actor`: who asked for the release, kept in `release.json`. `wait`: seconds to wait for batches whose consensus says
    something else than the log; then they are refused, or with `leave_behind` left out and named.
    """

    name: str = ""
    note: str = ""
    licence: str = ""
    authors: Sequence[str] = ()
    flavours: Sequence[str] = DEFAULT
    ratios: Mapping[str, float] = field(default_factory=lambda: dict(RATIOS))
    pins: Mapping[str, str] = field(default_factory=dict)
    least_rows: int = 0
    drop_rare: bool = False
    drop_weak: bool = False
    least_chance: float = 0.0
    batches: Sequence[str] = ()
    actor: str = ""
    wait: float = 0.0
    leave_behind: bool = False
