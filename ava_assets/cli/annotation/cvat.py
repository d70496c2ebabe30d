"""`ava cvat`: the annotation server, set up and looked at; pre-annotations for an import by hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from ava_core.base.settings import load_settings
from ava_core.base.text import plural

if TYPE_CHECKING:
    from ava_core.annotation.setup import Step

app = typer.Typer(no_args_is_help=True, help="Set up the annotation server and check it.")


@app.command("setup")
def setup(
    webhook_url: Annotated[
        str,
        typer.Option(
            help="URL at which CVAT reaches the console's webhook, e.g. "
            "http://host.docker.internal:8501/webhook"
        ),
    ] = "",
) -> None:
    """Create the organisation, project and webhook if missing, and list what you must still do by hand.

    The server is AVA_CVAT_URL, the account AVA_CVAT_TOKEN, or AVA_CVAT_USERNAME and AVA_CVAT_PASSWORD. You
    can run it as often as you like.
    """
    from ava_core.annotation.forms import known_project
    from ava_core.annotation.setup import set_up
    from ava_core.ontology import load_ontology
    from ava_core.store import annotators, open_store

    settings = load_settings()
    store = open_store(settings)
    names = [person.username for person in annotators.available(store)]
    known = known_project(store, settings.cvat_project)
    _show(set_up(settings, load_ontology(settings.ontology), names, webhook_url, known))


@app.command("check")
def check_server() -> None:
    """Check the server, its version, the account, the project and the annotators, and that everything
    created there still exists: tasks, labels, members.
    """
    from ava_core.annotation.forms import known_project
    from ava_core.annotation.setup import check, differences
    from ava_core.ontology import load_ontology
    from ava_core.store import annotators, open_store

    settings = load_settings()
    store = open_store(settings)
    names = [person.username for person in annotators.available(store)]
    known = known_project(store, settings.cvat_project)
    steps = check(settings, load_ontology(settings.ontology), names, known)
    if _show(steps + differences(settings, store)):
        raise typer.Exit(1)


@app.command("xml")
def xml(
    target: Annotated[Path, typer.Argument(help="Folder for the files, one per clip.")],
    batch: Annotated[str, typer.Option(help="Batch whose tracks to export.")] = "",
    proposals: Annotated[Path | None, typer.Option(help="A dense_proposals.pkl made by other tools.")] = None,
    frames: Annotated[Path | None, typer.Option(help="The frames.zip that belongs to it.")] = None,
    pictures: Annotated[
        bool,
        typer.Option(
            help="For tasks made from the zip's pictures, one per second, instead of the clip's video."
        ),
    ] = False,
) -> None:
    """Write the pre-annotations as CVAT 1.1 XML files that you can import into tasks by hand.

    Example: `ava cvat xml out --proposals dense_proposals.pkl --frames frames.zip`
    """
    from ava_core.annotation.xml import write_batch_xml, write_proposals_xml
    from ava_core.batch import BatchContext
    from ava_core.ontology import load_ontology

    settings = load_settings()
    if batch and proposals is None:
        files = write_batch_xml(BatchContext(batch, settings), target)
    elif proposals is not None and frames is not None and not batch:
        files = write_proposals_xml(
            target, proposals, frames, load_ontology(settings.ontology), pictures=pictures
        )
    else:
        raise typer.BadParameter("Give --batch, or --proposals with --frames")
    Console().print(f"{plural(len(files), 'file')} in {target}.")


def _show(steps: list[Step]) -> int:
    """Print the steps; returns how many are left to a person."""
    table = Table(box=None, show_header=False)
    colours = {"there": "green", "made": "cyan", "by hand": "yellow"}
    for step in steps:
        table.add_row(f"[{colours[step.state]}]{step.state}[/]", step.what, step.said)
    Console().print(table)
    return sum(step.state == "by hand" for step in steps)
