"""Counts follow what happens, and count again only where something did."""

from __future__ import annotations

from ava_core import decisions
from ava_core.settings import Settings
from ava_ui import counts as counts_module
from ava_ui.console import Console

from .home import BATCH, CLIPS_PLANTED


def test_counts_are_taken_again_only_where_something_changed(settings: Settings, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    console, counted = Console.open(settings), []
    real = counts_module.batch_counts

    def counting(storage, store, batch):  # type: ignore[no-untyped-def]
        counted.append(batch)
        return real(storage, store, batch)

    monkeypatch.setattr(counts_module, "batch_counts", counting)
    row = console.counts.refresh()[0]
    assert (row.counts["clips"], row.counts["approved"], row.counts["released rows"]) == (
        CLIPS_PLANTED,
        None,
        None,
    )
    console.counts.refresh()
    assert counted == [BATCH]
    decisions.approve(console.store, BATCH, ["clip_0000"], "rita")
    assert console.counts.refresh()[0].counts["approved"] == 1
    assert counted == [BATCH, BATCH]
