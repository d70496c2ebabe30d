"""`ava reading`: what was read of a job, version by version, and which one counts."""

from __future__ import annotations

from typing import Annotated

import typer

from ava_assets.cli.shared import Actor, Batch, database, opened, say, show, who
from ava_core.base.settings import load_settings
from ava_core.base.text import plural

app = typer.Typer(
    no_args_is_help=True, help="See the versions of annotators' work, and say which one counts."
)

JobNumber = Annotated[int, typer.Argument(help="Number of the job, as in CVAT.")]


@app.command("findings")
def findings(batch: Batch) -> None:
    """Show the jobs of a batch that are not read as they are, and what to do about each."""
    found = opened(batch).table("raw_annotations", "job_findings")
    show(found.drop("link"))
    say(f"{plural(found.height, 'finding')} at the last reading of the batch.")


@app.command("list")
def list_versions(batch: Batch, job: JobNumber) -> None:
    """Show the versions of a job, how much each says, and which one counts."""
    from ava_core.annotation.retrieve import versions_of

    show(versions_of(opened(batch), job))


@app.command("take-up")
def take_up(
    job: JobNumber, version: Annotated[int, typer.Argument(help="The version.")], actor: Actor = ""
) -> None:
    """Let a version count that was held back, or an earlier one again; what follows is made anew by itself."""
    from ava_core.store import readings

    readings.take_up(database(), job, version, who(actor))
    say(f"Version {version} of job {job} counts from now on.")


@app.command("take-in")
def take_in_value(
    batch: Batch,
    group: Annotated[str, typer.Argument(help="Group of the ontology.")],
    value: Annotated[str, typer.Argument(help="The value, as it stands in CVAT.")],
    actor: Actor = "",
) -> None:
    """Take a value that was added in CVAT into the batch's ontology, as a new action of a new version."""
    from ava_core.annotation.values import take_in

    ontology = take_in(opened(batch), group, value, who(actor))
    say(
        f"Batch {batch} uses {ontology.name} {ontology.version} from now on. "
        f"Materialise its raw_annotations again to read {value!r} as an action."
    )


@app.command("learn")
def learn() -> None:
    """Take up labels and attributes that were made anew in CVAT; versions that were read before stay as they are."""
    from ava_core.annotation.forms import learn_forms
    from ava_core.annotation.gateway import CvatGateway

    with CvatGateway(load_settings()) as gateway:
        changed = learn_forms(database(), gateway)
    say(f"Learned anew: project {', '.join(map(str, changed))}." if changed else "Nothing has changed.")
