"""`ava move`, `ava backup`, `ava restore`: a platform's state, all that belongs together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ava_assets.cli.shared import Actor, say, who
from ava_core.base.errors import InputError
from ava_core.base.settings import load_settings

Folder = Annotated[Path, typer.Argument(help="Folder of the backup.")]


def move(
    database: Annotated[str, typer.Option(help="URL of the new database, empty: postgresql://…")] = "",
    storage: Annotated[str, typer.Option(help="New root for all files: a folder, or s3://…")] = "",
) -> None:
    """Take this platform's state along to another database, another storage, or both; the old one stays as it is.

    Stop `ava up` first: what is done meanwhile stays behind. Ids stay, so the annotation server's work still fits.
    """
    from ava_core.base.storage import Storage
    from ava_core.operations.moving import copy_files, copy_tables
    from ava_core.store import open_store

    if not database and not storage:
        raise InputError("No destination given.", "Give --database, --storage, or both.")
    settings = load_settings()
    if database:
        rows = copy_tables(open_store(settings), open_store(database))
        say(f"{sum(rows.values())} rows of {len(rows)} tables copied.")
    if storage:
        copied = copy_files(Storage(settings.resolved_storage_url), Storage(storage))
        say(f"{len(copied)} files copied, their checksums compared.")
    say("Now set these variables:")
    for name, value in (("AVA_DATABASE_URL", database), ("AVA_STORAGE_URL", storage)):
        if value:
            say(f"  {name}={value}")


def backup(folder: Folder, actor: Actor = "") -> None:
    """Copy database, files and the embedded annotation server into a new folder, while everything runs."""
    from ava_core.operations.backup import back_up

    done = back_up(load_settings(), folder, who(actor))
    say(f"{sum(done.rows.values())} rows and {done.files} files are in {folder}.")


def restore(folder: Folder, actor: Actor = "") -> None:
    """Put a backup back into an empty platform: the one that AVA_HOME, AVA_DATABASE_URL and AVA_STORAGE_URL name."""
    from ava_core.operations.backup import restore as put_back

    done = put_back(load_settings(), folder, who(actor))
    say(
        f"{sum(done.rows.values())} rows and {done.files} files restored. Check the installation with `ava "
        f"doctor`."
    )
