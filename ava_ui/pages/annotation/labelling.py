"""The page on which a person labels one job."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Final

from nicegui import ui

from ava_core.annotation.labeller import Labeller
from ava_core.base.errors import InputError
from ava_ui import addresses
from ava_ui.elements.labeller import Labelling
from ava_ui.frame.labeller import signed_in_labeller
from ava_ui.frame.visit import Visit

SCRIPTS: Final = Path(__file__).parents[2] / "labelling"
"""The parts of the page that run in the browser."""

STYLE: Final = (SCRIPTS / "style.css").read_text("utf-8")


def labeller_here() -> Labeller:
    """Who labels on the page that is being drawn. Raises `InputError` where nobody is signed in as an annotator."""
    labeller = signed_in_labeller(ui.context.client.request.state)
    if labeller is None:
        raise InputError(
            "You have not signed in as an annotator.",
            "Sign in with your annotation server account. Admins can also choose “Label yourself” on Your "
            "work.",
        )
    return labeller


async def content(visit: Visit) -> None:
    """The job, or a sentence that says why it is not to be labelled here."""
    labeller = labeller_here()
    job = addresses.labelling(visit.params["job_id"])
    ask_ahead(f"{job}/sheet")
    ui.add_css(STYLE)
    Labelling(
        job,
        labeller.user_name,
        frame=visit.number("frame"),
        finished=lambda: ui.navigate.to(addresses.WORK),
    )


def ask_ahead(sheet: str) -> None:
    """Let the browser ask for the sheet and the page's parts while it still reads the page, side by side."""
    parts = sorted(f"{addresses.LABELLING_SCRIPTS}/{path.name}" for path in SCRIPTS.glob("*.js"))
    ui.add_head_html(f'<link rel="preload" as="fetch" crossorigin href="{html.escape(sheet)}">')
    ui.add_head_html("".join(f'<link rel="modulepreload" href="{part}">' for part in parts))
