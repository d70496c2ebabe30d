"""What commands about batches share: their arguments, opening a batch, printing."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from ava_core.base.settings import load_settings
from ava_core.base.text import figure_text

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from ava_core.batch import BatchContext
    from ava_core.store import Store

Batch = Annotated[str, typer.Argument(help="Name of the batch.")]
Clip = Annotated[str, typer.Argument(help="Id of the clip.")]
Clips = Annotated[list[str], typer.Argument(help="Ids of clips.")]
Comment = Annotated[str, typer.Option(help="Comment stored with the decision.")]
Actor = Annotated[
    str,
    typer.Option("--as", "--actor", help="Name for the log. Default: your user name on this machine."),
]


def opened(batch: str) -> BatchContext:
    """A batch with its settings, ontology, storage and database."""
    from ava_core.batch import open_batch

    return open_batch(load_settings(), batch)


def database() -> Store:
    """The operational database."""
    from ava_core.store import open_store

    return open_store(load_settings())


def who(actor: str) -> str:
    """Who is noted as having done it."""
    return actor or getpass.getuser()


def say(text: str) -> None:
    """Print a sentence as it is."""
    Console(highlight=False, soft_wrap=True).print(text, markup=False)


def show(rows: pl.DataFrame) -> None:
    """Print a table; what is undefined is a dash."""
    table = Table(box=None)
    for column in rows.columns:
        table.add_column(column)
    for row in rows.rows():
        table.add_row(*map(figure_text, row))
    Console(highlight=False, soft_wrap=True).print(table)


def links(at: BatchContext) -> Callable[[str, int], str]:
    """The page of each clip's first job at a frame."""
    from ava_core.annotation.pages import at_frame, job_page
    from ava_core.store import tasks
    from ava_core.store.imported_work import is_imported

    own = (job for job in tasks.jobs_of(at.store, at.batch) if not is_imported(job.job_id))
    jobs = {job.clip_id: job for job in reversed(list(own))}

    def link(clip_id: str, frame: int) -> str:
        job = jobs.get(clip_id)
        return at_frame(job_page(at.settings, job.task_id, job.job_id), frame) if job else ""

    return link
