"""Batches whose consensus says what their log says: a release waits for the others, refuses them or leaves them out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ava_core.base.errors import ExportError
from ava_core.base.settings import Settings
from ava_core.base.storage import Storage, changed_at
from ava_core.batch import open_batch
from ava_core.dataset.export.inputs import BatchTables, BatchWork, behind_log, load_inputs, ready_batches
from ava_core.dataset.export.options import ReleaseOptions
from ava_core.decisions import standing
from ava_core.store import Store

LOOK_SECONDS: Final = 1.0
"""Between two looks at what is waited for."""
REASONS_SAID: Final = 3
"""Of a batch that is behind, in a sentence."""


@dataclass(frozen=True)
class Agreeing:
    """`inputs`: tables and work of batches that agree with their logs; `behind`: why the others do not, in words."""

    inputs: Sequence[tuple[BatchTables, BatchWork]]
    behind: Mapping[str, str] = field(default_factory=dict)


def agreeing_inputs(
    options: ReleaseOptions,
    settings: Settings,
    storage: Storage,
    store: Store,
    *,
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Agreeing:
    """What a release is made of, once every batch that goes in agrees with its log, after `options.wait` at the latest.

    Raises `ExportError` naming the batches that are behind then, unless `options.leave_behind`.
    """
    until = clock() + options.wait
    while True:
        behind, formed = _look(options, settings, storage, store)
        if behind and clock() < until:
            pause(LOOK_SECONDS)
            continue
        if behind and not options.leave_behind:
            raise ExportError(
                " ".join(
                    f"The consensus of batch {batch} is out of date: {why}." for batch, why in behind.items()
                ),
                "Wait until its runs have finished (or materialise consensus_labels if none is running), or "
                "create the release without this batch: --leave-behind.",
            )
        inputs = load_inputs(settings, storage, store, options.batches, without=behind)
        # A consensus may be formed anew while its tables are read, and an answer settled: then they are read again.
        if _look(options, settings, storage, store) == (behind, formed):
            return Agreeing(inputs, behind)
        pause(LOOK_SECONDS)


def _look(
    options: ReleaseOptions, settings: Settings, storage: Storage, store: Store
) -> tuple[dict[str, str], dict[str, float | None]]:
    """Batches that are behind, in words; of all batches when the consensus was formed."""
    found = {}
    formed = {}
    for name in ready_batches(storage, store, options.batches):
        at = open_batch(settings, name, storage=storage, store=store)
        formed[name] = changed_at(storage.table_path(name, "consensus_labels", "basis"))
        if reasons := behind_log(at, standing(at.store, at.batch)):
            more = f"; and {len(reasons) - REASONS_SAID} more" if len(reasons) > REASONS_SAID else ""
            found[name] = "; ".join(reasons[:REASONS_SAID]) + more
    return found, formed
