"""`ava batch`: add batches and see how far they are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ava_assets.cli.shared import Actor, Batch, opened, say, who
from ava_core.base.settings import load_settings
from ava_core.base.text import value_text

app = typer.Typer(no_args_is_help=True, help="Add batches of video and see their progress.")


@app.command("add")
def add(
    path: Annotated[
        Path,
        typer.Argument(help="A zip, a video, a folder of videos, or a folder written by `ava preprocess`."),
    ],
    name: Annotated[str, typer.Option(help="Batch name. Default: the file name.")] = "",
    option: Annotated[
        list[str] | None,
        typer.Option(
            help="A setting for this batch only, as name=value; may be repeated. Example: detector=rfdetr"
        ),
    ] = None,
) -> None:
    """Put videos in the inbox as a new batch; the running platform processes it.

    Example: `ava batch add raw_cctv_batch1.zip --option ontology=ava80`
    """
    from ava_core.store import open_store
    from ava_core.video.intake.inbox import add_to_inbox

    settings = load_settings()
    options = options_from(option)
    batch = add_to_inbox(settings, open_store(settings), path, name=name, options=options)
    Console().print(f"Batch [bold]{batch}[/] is in {settings.inbox_dir}. `ava up` processes it.")


@app.command("list")
def list_batches(
    archived: Annotated[bool, typer.Option("--archived", help="Include archived batches.")] = False,
) -> None:
    """Show every batch with its counts per stage."""
    from ava_core.base.storage import Storage
    from ava_core.operations.overview import STAGES, Overview
    from ava_core.store import open_store

    settings = load_settings()
    counts = Overview(Storage(settings.resolved_storage_url), open_store(settings)).counts(archived=archived)
    console = Console()
    if not counts:
        console.print("No batches yet. Add one: `ava batch add PATH`.")
        return
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("batch", overflow="fold")
    for stage in STAGES:
        table.add_column(stage.replace(" ", "\n"), justify="right", no_wrap=True)
    for name, row in counts.items():
        table.add_row(name, *(value_text(value) for value in row.values()))
    console.print(table)


@app.command("archive")
def archive_batch(
    name: Batch,
    undo: Annotated[bool, typer.Option("--undo", help="Restore the batch from the archive.")] = False,
    actor: Actor = "",
) -> None:
    """Archive a batch: hide it from lists and automation. Its work, decisions and releases are kept.

    Example: `ava batch archive batch1`
    """
    from ava_core.operations.archive import archive, take_back

    at = opened(name)
    if undo:
        take_back(at, who(actor))
        say(f"Batch {name} is restored and continues where it stopped.")
        return
    kept = archive(at, who(actor))
    say("\n".join([f"Batch {name} is archived.", *kept.sentences()]))


def options_from(texts: list[str] | None) -> dict[str, str]:
    """Settings given as `name=value`, one a text."""
    return dict(_split(text) for text in texts or [])


def _split(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise typer.BadParameter(f"{text!r} is not name=value")
    return name.strip(), value.strip()
