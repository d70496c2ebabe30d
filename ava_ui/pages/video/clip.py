"""One clip with its tracks drawn over it."""

from __future__ import annotations

from urllib.parse import quote

from nicegui import ui

from ava_ui.elements.clip_player import ClipPlayer
from ava_ui.frame.visit import Visit


async def content(visit: Visit) -> None:
    """Where it comes from, and the player."""
    batch, clip_id = visit.params["batch"], visit.params["clip_id"]
    row = visit.console.tables.clip(batch, clip_id)
    with ui.row():
        ui.label(f"from {row['source_id']}, second {row['start_s']:.1f}, {row['duration_s']:.1f} s long")
        ui.link("batch", f"/batches/{quote(batch)}")
        ui.link("review", f"/quality/{quote(batch)}/clips/{quote(clip_id)}")
    ClipPlayer(f"/media/tracks/{quote(batch)}/{quote(clip_id)}")
