"""One release: its card, its counts, its files."""

from __future__ import annotations

import json

from nicegui import ui

from ava_ui import theme
from ava_ui.releases import release_folder
from ava_ui.visit import Visit


async def content(visit: Visit) -> None:
    """Downloads, card, record."""
    name = visit.params["release"]
    folder = release_folder(visit.console.storage, name)
    with ui.row():
        ui.link("AVA_dataset.csv", f"/download/{name}/AVA_dataset.csv")
        ui.link("zip of everything", f"/download/{name}.zip")
    card = folder / "dataset_card.md"
    if card.exists():
        with ui.card().classes("w-full"):
            # Pictures of the card lie in the release; the page shows its words.
            lines = [line for line in card.read_text("utf-8").splitlines() if not line.startswith("![")]
            ui.markdown("\n".join(lines))
    theme.heading("Record")
    record = json.loads((folder / "release.json").read_text("utf-8"))
    ui.label(json.dumps(record, indent=2)).classes("record")
