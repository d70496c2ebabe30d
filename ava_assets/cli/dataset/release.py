"""`ava release`: datasets made of approved batches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ava_core.base.errors import InputError
from ava_core.base.settings import load_settings
from ava_core.base.text import value_text

app = typer.Typer(
    no_args_is_help=True, help="Create, list and compare releases: datasets of all approved clips."
)


@app.command("make")
def make(
    name: Annotated[str, typer.Option(help="Name of the release. Default: the next of v1, v2, …")] = "",
    note: Annotated[str, typer.Option(help="A sentence for the dataset card.")] = "",
    licence: Annotated[
        str, typer.Option(help="Licence for card and citation, preferably an SPDX identifier.")
    ] = "",
    author: Annotated[list[str] | None, typer.Option(help="`Family, Given`; may be repeated.")] = None,
    flavour: Annotated[
        list[str] | None,
        typer.Option(
            help="Layout to add to AVA's annotations; may be repeated; `none` for none. "
            "Default: all but `videos`, `seconds` and `shards`."
        ),
    ] = None,
    ratios: Annotated[str, typer.Option(help="Shares of train, val and test.")] = "0.7,0.15,0.15",
    pin: Annotated[list[str] | None, typer.Option(help="SOURCE=SPLIT; may be repeated.")] = None,
    batch: Annotated[
        list[str] | None,
        typer.Option(help="Batch to include; may be repeated. Default: all that have a dataset."),
    ] = None,
    least_rows: Annotated[int, typer.Option(help="List classes with fewer labels in the card.")] = 0,
    drop_rare: Annotated[bool, typer.Option(help="Exclude those classes; ids do not change.")] = False,
    drop_weak: Annotated[
        bool, typer.Option(help="Exclude classes whose agreement is below the ontology's floor.")
    ] = False,
    least_chance: Annotated[
        float,
        typer.Option(min=0, max=1, help="Exclude seconds at which a label holds with less than this chance."),
    ] = 0.0,
    wait: Annotated[
        float, typer.Option(help="Seconds to wait for batches whose consensus is out of date.")
    ] = 60.0,
    leave_behind: Annotated[
        bool,
        typer.Option(help="Exclude such batches and list them; without this option, nothing is released."),
    ] = False,
    sizes: Annotated[
        bool,
        typer.Option("--sizes", help="Dry run: show the size of each layout, in total and per hour."),
    ] = False,
) -> None:
    """Create an immutable release of everything approved, validate it, and print its path."""
    from ava_assets.running.release import make_release
    from ava_core.dataset.formats.ava.checks import validate_dataset

    if sizes:
        _show_sizes(batch or [])
        return
    folder = make_release(
        load_settings(), name=name, note=note, licence=licence, authors=author or [], flavours=_flavours(flavour),
        ratios=_ratios(ratios), pins=_pins(pin or []), batches=batch or [], least_rows=least_rows,
        drop_rare=drop_rare, drop_weak=drop_weak, least_chance=least_chance, wait=wait, leave_behind=leave_behind,
    )  # fmt: skip
    console = Console(highlight=False, soft_wrap=True)
    with opened_release(folder.name) as local:
        for finding in validate_dataset(local):
            console.print(str(finding), markup=False)
    console.print(f"dataset: {folder}", markup=False)


@app.command("list")
def list_releases() -> None:
    """Show the releases."""
    from ava_core.base.storage import Storage

    storage = Storage(load_settings().resolved_storage_url)
    folder = storage.path("releases")
    names = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    console = Console(highlight=False, soft_wrap=True)
    for name in (name for name in names if not name.startswith(".")):
        console.print(f"{name}  {folder / name}", markup=False)
    if not names:
        console.print("No releases yet. Create one: `ava release make`.")


@app.command("diff")
def diff(
    before: Annotated[str, typer.Argument(help="Name of a release, or a dataset's folder.")],
    after: Annotated[str, typer.Argument(help="Name of a release, or a dataset's folder.")],
    labels: Annotated[int, typer.Option(help="How many changed labels to list.")] = 20,
) -> None:
    """Show what changed from one release to another: by class, by clip, by label."""
    from ava_core.dataset.export.diff import diff_releases

    with opened_release(before) as old, opened_release(after) as new:
        found = diff_releases(old, new)
    console = Console(highlight=False, soft_wrap=True)
    if found.is_empty:
        console.print(f"{before} and {after} do not differ.")
        return
    _show(console, "Labels by class", found.classes)
    _show(console, "Clips", found.clips)
    by_kind = found.labels.group_by("change").len().sort("change").rows()
    title = ", ".join(f"{number} {change}" for change, number in by_kind) or "no changes"
    console.print(f"Labels: {title}")
    _show(console, "The first of them" if found.labels.height > labels else "", found.labels.head(labels))


@app.command("pack")
def pack(
    release: Annotated[str, typer.Argument(help="Name of a release, or its folder.")],
    out: Annotated[
        Path, typer.Argument(help="A new file OUT.tar, or a new folder for tar files of at most 1 GB.")
    ],
) -> None:
    """Pack a release into tar files with checksums."""
    from ava_core.dataset.export.packing import pack as pack_release

    with opened_release(release) as folder:
        for path in pack_release(folder, out.expanduser()):
            typer.echo(path)


@app.command("publish")
def publish(
    release: Annotated[str, typer.Argument(help="Name of a release, or its folder.")],
    target: Annotated[str, typer.Argument(help="hub:owner/name, or a new folder s3://bucket/folder.")],
    licence: Annotated[str, typer.Option(help="Licence identifier of the Hub, e.g. cc-by-4.0.")] = "",
    public: Annotated[bool, typer.Option("--public", help="Make a new repository public.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Dry run: print what would be sent.")] = False,
) -> None:
    """Send a release to the Hugging Face Hub or to an object store."""
    from ava_core.dataset.export.publishing import check_licence, hub_card, what_goes
    from ava_core.dataset.export.publishing import publish as send

    check_licence(licence)
    with opened_release(release) as folder:
        if not dry_run:
            typer.echo(f"published: {send(folder, target, licence, public=public)}")
            return
        going = what_goes(folder)
        for path, size in going.items():
            typer.echo(f"{size:>14,}  {path}")
        typer.echo(f"{sum(going.values()):>14,}  bytes in {len(going):,} files would go to {target}")
        if target.startswith("hub:"):
            typer.echo(hub_card(folder, licence).partition("\n---\n")[0] + "\n---")


@contextmanager
def opened_release(name_or_path: str) -> Iterator[Path]:
    """The folder of a release by name, or the folder itself, on this machine for the time of the block.

    Raises `InputError` where there is neither.
    """
    from ava_core.base.storage import Storage
    from ava_core.dataset.export.folders import fetched_folder

    storage = Storage(load_settings().resolved_storage_url)
    named = storage.path("releases", name_or_path)
    if "/" not in name_or_path and named.exists():
        with fetched_folder(storage, named) as folder:
            yield folder
        return
    path = Path(name_or_path).expanduser()
    if not path.is_dir():
        raise InputError(f"There is no release {name_or_path!r}.", "`ava release list` shows them.")
    yield path


def _show(console: Console, title: str, table: object) -> None:
    import polars as pl

    assert isinstance(table, pl.DataFrame)
    if table.is_empty():
        return
    shown = Table(title=title or None, title_justify="left", box=None)
    for name, kind in table.schema.items():
        shown.add_column(name.replace("_", " "), justify="left" if kind == pl.String else "right")
    for row in table.rows():
        shown.add_row(*(value_text(value) for value in row))
    console.print(shown)


def _show_sizes(batches: list[str]) -> None:
    import polars as pl

    from ava_core.base.storage import Storage
    from ava_core.dataset.export.sizes import expected_sizes, sizes_by_batch
    from ava_core.dataset.formats.flavours import added_names
    from ava_core.store import open_store

    settings = load_settings()
    storage = Storage(settings.resolved_storage_url)
    found = expected_sizes(sizes_by_batch(storage, open_store(settings), batches))
    shown = found.select(
        "flavour", "files", GB=(pl.col("bytes") / 1e9).round(4),
        files_per_hour=pl.col("files_per_hour").round().cast(pl.Int64),
        GB_per_hour=(pl.col("bytes_per_hour") / 1e9).round(2),
        linked=pl.when("linked").then(pl.lit("yes")).otherwise(pl.lit("")),
    )  # fmt: skip
    console = Console(highlight=False, soft_wrap=True)
    if found.is_empty():
        console.print("No batch has a dataset yet. Approve clips, then wait for ava_csv.")
        return
    _show(console, "Estimated size of a release", shown)
    console.print("linked: hard links where the file system supports them, so almost no extra disk space")
    if added := added_names():
        console.print(f"Not estimated, as installed packages add them: {', '.join(added)}")


def _flavours(chosen: list[str] | None) -> list[str]:
    from ava_core.dataset.formats.flavours import DEFAULT

    if not chosen:
        return list(DEFAULT)
    named = [each for each in chosen if each != "none"]
    if named and named != chosen:
        raise InputError(
            f"--flavour none cannot be combined with {named[0]}.", "Use `none` alone, or name the layouts."
        )
    return named


def _ratios(text: str) -> dict[str, float]:
    from ava_core.dataset.formats.ava.names import SPLITS

    try:
        values = [float(part) for part in text.split(",")]
        return dict(zip(SPLITS, values, strict=True))
    except ValueError:
        raise InputError(
            f"--ratios {text!r} is not a list of three numbers.", "Use the form 0.7,0.15,0.15."
        ) from None


def _pins(texts: list[str]) -> dict[str, str]:
    pairs = [text.rpartition("=") for text in texts]
    for source, equals, split in pairs:
        if not equals or not source:
            raise InputError(
                f"--pin {source}{equals}{split} is not SOURCE=SPLIT.", "Use the form demo_scene_1=test."
            )
    return {source: split for source, _, split in pairs}
