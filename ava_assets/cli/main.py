"""Puts the commands together, and turns errors for people into one line and an exit code."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console

from ava_assets.cli.annotation import annotator, assign, cvat, reading, webhook
from ava_assets.cli.dataset import dataset, evaluate, release
from ava_assets.cli.operations import demo, doctor, moving, up, user
from ava_assets.cli.quality import qc
from ava_assets.cli.video import batch
from ava_assets.cli.video import preprocess as video
from ava_core import __version__
from ava_core.base.errors import AvaError
from ava_core.base.private import write_privately

app = typer.Typer(
    name="ava",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Make AVA-format action datasets from raw video.\n\n"
    "Run `ava demo` for a tour of the whole workflow, `ava up` to start everything, and `ava doctor` to see "
    "what is missing.",
)


def _version(asked: bool) -> None:
    if asked:
        print(f"ava-platform {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options before any command; the help is the app's own."""


app.command("up")(up.up)
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.command("move")(moving.move)
app.command("backup")(moving.backup)
app.command("restore")(moving.restore)
app.command("webhook")(webhook.webhook)
app.command("validate")(dataset.validate)
app.command("evaluate")(evaluate.evaluate)
app.command("trace")(dataset.trace)
app.command("import")(dataset.import_dataset)
app.command("preprocess")(video.preprocess)
app.command("preview")(video.preview)
app.add_typer(batch.app, name="batch")
app.add_typer(annotator.app, name="annotator")
app.add_typer(assign.app, name="assign")
app.add_typer(cvat.app, name="cvat")
app.add_typer(reading.app, name="reading")
app.add_typer(qc.app, name="qc")
app.add_typer(release.app, name="release")
app.add_typer(user.app, name="user")


def main() -> None:
    """Run `ava`. An error that a person can mend is one sentence on stderr and exit code 1."""
    write_privately()
    try:
        app()
    except AvaError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(
            f"[bold red]error:[/] {_escape(str(error))}"
        )
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _escape(text: str) -> str:
    return text.replace("[", "\\[")
