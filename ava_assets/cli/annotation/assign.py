"""`ava assign`: who gets which clip, before and after the tasks are made."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ava_assets.cli.shared import Actor, Batch, Clip, opened, who
from ava_core.base.settings import load_settings
from ava_core.base.text import plural

app = typer.Typer(no_args_is_help=True, help="Preview and change the assignment of clips to annotators.")


@app.command("preview")
def preview(batch: Batch) -> None:
    """Preview how a batch would be assigned now; creates nothing.

    Settings: AVA_OVERLAP, AVA_ANNOTATORS_PER_CLIP, AVA_PAIR_FLOOR, AVA_SEED, and each annotator's limit.
    """
    from ava_core.annotation.tasks import new_clips, plan_batch

    at = opened(batch)
    clips = at.table("clips")
    plan, new = plan_batch(at, clips), new_clips(at, clips)
    table = Table(box=None)
    table.add_column("annotator")
    for column in ("clips", "shared", "fewest shared with another"):
        table.add_column(column, justify="right")
    for name, clips_of in sorted(plan.load.items()):
        shared = sum(len(names) > 1 and name in names for names in plan.annotators.values())
        least = min((plan.shared[min(name, o), max(name, o)] for o in plan.load if o != name), default=0)
        table.add_row(name, str(clips_of), str(shared), str(least))
    console = Console()
    console.print(table)
    console.print(f"{clips.height} clips; {clips.height - len(new)} already have a task and keep it.")


@app.command("move")
def move(
    job: Annotated[int, typer.Argument(help="Job number, as in CVAT.")],
    annotator: Annotated[str, typer.Argument(help="User name of the new annotator.")],
    actor: Actor = "",
) -> None:
    """Reassign a job that has not been started to another annotator."""
    from ava_core.annotation.staffing import reassign
    from ava_core.store import open_store

    settings = load_settings()
    reassign(settings, open_store(settings), job, annotator, who(actor))
    Console().print(f"Job {job} now belongs to {annotator}.", markup=False)


@app.command("top-up")
def top_up_clip(
    batch: Batch,
    clip: Clip,
    annotator: Annotated[
        str, typer.Option(help="User name. Default: the annotator with the least work.")
    ] = "",
    actor: Actor = "",
) -> None:
    """Add one annotator to a clip that already has a task; they do not see the others' work."""
    from ava_core.annotation.staffing import top_up

    at = opened(batch)
    chosen = top_up(at, clip, who(actor), annotator)
    Console().print(f"Added {chosen} to clip {clip}.", markup=False)


@app.command("requeue")
def requeue_clip(
    batch: Batch,
    clip: Clip,
    second: Annotated[int, typer.Option(min=0, help="Second the reviewer's comment refers to.")] = 0,
    actor: Actor = "",
) -> None:
    """Return a rejected clip to its annotators, with the reviewer's comment as an issue in CVAT."""
    from ava_core.annotation.staffing import requeue

    at = opened(batch)
    jobs = requeue(at, clip, who(actor), second=second)
    Console().print(f"Returned {plural(len(jobs), 'job')} of {clip}.", markup=False)
