"""`ava release`: datasets made of approved batches."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from ava_core.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Make releases: datasets of all approved batches.")


@app.command("make")
def make(
    name: Annotated[str, typer.Option(help="Name of the release. Default: the next of v1, v2, …")] = "",
    note: Annotated[str, typer.Option(help="A sentence for the dataset card.")] = "",
) -> None:
    """Make an immutable release of everything that is approved, and print where it lies."""
    from ava_assets.release import make_release

    folder = make_release(load_settings(), name=name, note=note)
    Console(highlight=False, soft_wrap=True).print(f"dataset: {folder}", markup=False)


@app.command("list")
def list_releases() -> None:
    """Show the releases."""
    from ava_core.storage import Storage

    storage = Storage(load_settings().resolved_storage_url)
    folder = storage.path("releases")
    names = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    console = Console(highlight=False, soft_wrap=True)
    for name in (name for name in names if not name.startswith(".")):
        console.print(f"{name}  {folder / name}", markup=False)
    if not names:
        console.print("No releases yet. `ava release make` makes one.")
