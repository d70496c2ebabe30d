"""One clip with its tracks drawn over it."""

from __future__ import annotations

from nicegui import ui

from ava_ui import addresses
from ava_ui.elements.clip_player import ClipPlayer
from ava_ui.frame.visit import Visit


async def content(visit: Visit) -> None:
    """Where it comes from, and the player."""
    batch, clip_id = visit.params["batch"], visit.params["clip_id"]
    row = visit.console.tables.clip(batch, clip_id)
    with ui.row():
        ui.label(f"from {row['source_id']}, second {row['start_s']:.1f}, {row['duration_s']:.1f} s long")
        ui.link("batch", addresses.batch(batch))
        ui.link("review", addresses.review(batch, clip_id))
    ClipPlayer(addresses.tracks_shown(batch, clip_id))
