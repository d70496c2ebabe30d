"""`ava reading`: what was read of a job, version by version, and which one counts."""

from __future__ import annotations

from typing import Annotated

import typer

from ava_assets.cli.shared import Actor, Batch, database, opened, say, show, who
from ava_core.base.settings import load_settings
from ava_core.base.text import plural

app = typer.Typer(
    no_args_is_help=True, help="List the versions of annotators' work, and choose which one counts."
)

JobNumber = Annotated[int, typer.Argument(help="Job number, as in CVAT.")]


@app.command("findings")
def findings(batch: Batch) -> None:
    """Show the jobs of a batch with reading problems, and how to fix each."""
    found = opened(batch).table("raw_annotations", "job_findings")
    show(found.drop("link"))
    say(f"{plural(found.height, 'finding')} at the last reading of the batch.")


@app.command("list")
def list_versions(batch: Batch, job: JobNumber) -> None:
    """Show the versions of a job, their sizes, and which one counts."""
    from ava_core.annotation.retrieve import versions_of

    show(versions_of(opened(batch), job))


@app.command("take-up")
def take_up(
    job: JobNumber, version: Annotated[int, typer.Argument(help="Version number.")], actor: Actor = ""
) -> None:
    """Use a held-back or an earlier version of a job; everything computed from it is updated
    automatically."""
    from ava_core.store import readings

    readings.take_up(database(), job, version, who(actor))
    say(f"Version {version} of job {job} now counts.")


@app.command("take-in")
def take_in_value(
    batch: Batch,
    group: Annotated[str, typer.Argument(help="Ontology group.")],
    value: Annotated[str, typer.Argument(help="The value, exactly as in CVAT.")],
    actor: Actor = "",
) -> None:
    """Add a value that was added in CVAT to the batch's ontology, as a new action in a new version."""
    from ava_core.annotation.values import take_in

    ontology = take_in(opened(batch), group, value, who(actor))
    say(
        f"Batch {batch} uses {ontology.name} {ontology.version} now. Materialise its raw_annotations again "
        f"to read {value!r} as an action."
    )


@app.command("learn")
def learn() -> None:
    """Learn labels and attributes that were recreated in CVAT; versions read earlier do not change."""
    from ava_core.annotation.forms import learn_forms
    from ava_core.annotation.gateway import CvatGateway

    with CvatGateway(load_settings()) as gateway:
        changed = learn_forms(database(), gateway)
    say(f"Learned again: project {', '.join(map(str, changed))}." if changed else "No changes.")
