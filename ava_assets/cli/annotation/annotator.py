"""`ava annotator`: who may get work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ava_core.base.settings import load_settings

app = typer.Typer(
    no_args_is_help=True, help="Manage annotators. Names are user names on the annotation server."
)

Name = Annotated[str, typer.Argument(help="The exact user name on the annotation server.")]


COUNTED = ("jobs", "active minutes", "labels", "seconds per label")


@app.command("add")
def add(
    name: Name,
    email: Annotated[
        str, typer.Option(help="E-mail address for a new account, if the annotator has none.")
    ] = "",
    password: Annotated[
        str,
        typer.Option(
            envvar="AVA_ANNOTATOR_PASSWORD", help="Password for a new account. Default: a random one."
        ),
    ] = "",
    capacity: Annotated[
        int | None, typer.Option(min=1, help="Most clips from one batch. Default: no limit.")
    ] = None,
) -> None:
    """Add an annotator, who gets a share of every new batch.

    On the embedded annotation server this creates an account if needed. On a real CVAT it invites an
    existing account, or creates one with `--email`. Without a password, a random one is created and shown
    once.

    Example: `ava annotator add mirela --email mirela@example.org`
    """
    from ava_core.annotation.crew import add_annotator
    from ava_core.store import annotators, open_store

    settings = load_settings()
    console = Console(highlight=False, soft_wrap=True)
    store = open_store(settings)
    drawn = add_annotator(settings, store, name, email=email, password=password)
    if drawn:
        console.print(f"Account {name} created. Its password, shown only once: {drawn}", markup=False)
    if capacity is not None:
        annotators.set_state(store, name, capacity=capacity)
    console.print(f"{name} gets work starting with the next batch.", markup=False)


@app.command("list")
def list_annotators() -> None:
    """Show all annotators with state, limit and jobs."""
    from ava_core.store import annotators, open_store, tasks

    store = open_store(load_settings())
    console = Console()
    everyone = annotators.everyone(store)
    if not everyone:
        console.print("No annotators yet. Add one: `ava annotator add NAME`.")
        return
    table = Table(box=None)
    for column in ("annotator", "state", "limit", "jobs", "completed"):
        table.add_column(column, justify="right" if column in ("limit", "jobs", "completed") else "left")
    load = tasks.workload(store)
    for person in everyone:
        state = "inactive" if not person.active else "paused" if person.paused else "active"
        jobs, done = load.get(person.username, (0, 0))
        table.add_row(person.username, state, str(person.capacity or "–"), str(jobs), str(done))
    console.print(table)


@app.command("time")
def time(
    csv: Annotated[Path | None, typer.Option(help="Write every work interval to this file.")] = None,
) -> None:
    """Show annotators' active time on the labelling page, and seconds per label.

    Example: `ava annotator time --csv working_time.csv`
    """
    import polars as pl

    from ava_core.annotation.working_time import active_events
    from ava_core.base.spreadsheet import spreadsheet_csv
    from ava_core.base.text import figure_text
    from ava_core.store import open_store

    events = active_events(open_store(load_settings()))
    if csv is not None:
        csv.write_bytes(spreadsheet_csv(events))
    console = Console()
    if events.is_empty():
        console.print("No one has worked on the labelling page yet.")
        return
    sums = events.group_by("annotator").agg(pl.col("job_id").n_unique(), pl.col("seconds", "answers").sum())
    table = Table("annotator", *COUNTED, box=None)
    for name, jobs, seconds, answers in sums.sort("annotator").iter_rows():
        each = seconds / answers if answers else None
        table.add_row(name, str(jobs), f"{seconds / 60:.1f}", str(answers), figure_text(each))
    console.print(table)


@app.command("pause")
def pause(name: Name) -> None:
    """Stop giving an annotator new work; assigned jobs stay."""
    _set(name, paused=True)


@app.command("resume")
def resume(name: Name) -> None:
    """Give a paused annotator work again."""
    _set(name, paused=False)


@app.command("deactivate")
def deactivate(name: Name) -> None:
    """Remove an annotator from all future work; `ava annotator add` undoes this. Finished work is kept. On
    the embedded annotation server the account is disabled too.
    """
    from ava_core.annotation.crew import set_active
    from ava_core.store import open_store

    settings = load_settings()
    set_active(settings, open_store(settings), name, active=False)


@app.command("password")
def password(name: Name) -> None:
    """Reset the password of an annotator's account on the embedded server, and show the new one once."""
    from ava_core.annotation.crew import reset_password
    from ava_core.store import open_store

    settings = load_settings()
    drawn = reset_password(settings, open_store(settings), name)
    Console(highlight=False, soft_wrap=True).print(
        f"New password for {name}, shown only once: {drawn}", markup=False
    )


def _set(name: str, *, paused: bool) -> None:
    from ava_core.store import annotators, open_store

    annotators.set_state(open_store(load_settings()), name, paused=paused)
