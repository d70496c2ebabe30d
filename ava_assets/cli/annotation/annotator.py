"""`ava annotator`: who may get work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ava_core.base.settings import load_settings

app = typer.Typer(
    no_args_is_help=True, help="Say who annotates. Names are user names on the annotation server."
)

Name = Annotated[str, typer.Argument(help="The exact user name on the annotation server.")]


COUNTED = ("jobs", "minutes active", "labels", "seconds a label")


@app.command("add")
def add(
    name: Name,
    email: Annotated[str, typer.Option(help="Make an account with this address where there is none.")] = "",
    password: Annotated[
        str, typer.Option(envvar="AVA_ANNOTATOR_PASSWORD", help="Password of an account that is made.")
    ] = "",
    capacity: Annotated[
        int | None, typer.Option(min=1, help="Most clips of one batch. Default: no limit.")
    ] = None,
) -> None:
    """Add an annotator, who gets a share of every batch from now on.

    On the embedded annotation server an account is made where there is none; on a real CVAT a member or somebody
    with an account is taken in, and with `--email` an account is made. Without a password one is drawn and shown once.

    Example: `ava annotator add mirela --email mirela@example.org`
    """
    from ava_core.annotation.crew import add_annotator
    from ava_core.store import annotators, open_store

    settings = load_settings()
    console = Console(highlight=False, soft_wrap=True)
    store = open_store(settings)
    drawn = add_annotator(settings, store, name, email=email, password=password)
    if drawn:
        console.print(f"Account {name} made; its password, shown only now: {drawn}", markup=False)
    if capacity is not None:
        annotators.set_state(store, name, capacity=capacity)
    console.print(f"{name} gets work from the next batch on.", markup=False)


@app.command("list")
def list_annotators() -> None:
    """Show everyone with state, limit and jobs."""
    from ava_core.store import annotators, open_store, tasks

    store = open_store(load_settings())
    console = Console()
    everyone = annotators.everyone(store)
    if not everyone:
        console.print("No annotators yet. `ava annotator add NAME` adds one.")
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
    csv: Annotated[Path | None, typer.Option(help="Write every stretch of work to this file.")] = None,
) -> None:
    """Show how long annotators were active on the page for labelling, and the seconds that a label takes.

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
        console.print("Nobody has labelled on the platform's own page yet.")
        return
    sums = events.group_by("annotator").agg(pl.col("job_id").n_unique(), pl.col("seconds", "answers").sum())
    table = Table("annotator", *COUNTED, box=None)
    for name, jobs, seconds, answers in sums.sort("annotator").iter_rows():
        each = seconds / answers if answers else None
        table.add_row(name, str(jobs), f"{seconds / 60:.1f}", str(answers), figure_text(each))
    console.print(table)


@app.command("pause")
def pause(name: Name) -> None:
    """Give an annotator no new work; what was dealt out stays."""
    _set(name, paused=True)


@app.command("resume")
def resume(name: Name) -> None:
    """Give a paused annotator work again."""
    _set(name, paused=False)


@app.command("deactivate")
def deactivate(name: Name) -> None:
    """Give an annotator no work any more; `ava annotator add` takes it back. What was done is kept.

    On the embedded annotation server the account is shut out, too.
    """
    from ava_core.annotation.crew import set_active
    from ava_core.store import open_store

    settings = load_settings()
    set_active(settings, open_store(settings), name, active=False)


@app.command("password")
def password(name: Name) -> None:
    """Draw a new password for an annotator's account on the embedded server, and show it once."""
    from ava_core.annotation.crew import reset_password
    from ava_core.store import open_store

    settings = load_settings()
    drawn = reset_password(settings, open_store(settings), name)
    Console(highlight=False, soft_wrap=True).print(
        f"New password of {name}, shown only now: {drawn}", markup=False
    )


def _set(name: str, *, paused: bool) -> None:
    from ava_core.store import annotators, open_store

    annotators.set_state(open_store(load_settings()), name, paused=paused)
