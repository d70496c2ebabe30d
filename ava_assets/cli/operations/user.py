"""`ava user`: who may use the console."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ava_core.base.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Manage the console's users.")

Name = Annotated[str, typer.Argument(help="User name.")]
Password = Annotated[str, typer.Option(envvar="AVA_USER_PASSWORD", help="Default: you are prompted for it.")]


@app.command("add")
def add(
    name: Name,
    role: Annotated[
        str, typer.Option(help="Viewers can look, reviewers decide on clips, admins can do everything.")
    ] = "viewer",
    password: Password = "",
) -> None:
    """Add a person.

    Example: `ava user add nadia --role reviewer`
    """
    from ava_core.store import audit_log, open_store, users

    store = open_store(load_settings())
    users.add(store, name, password or _ask(), role)
    audit_log.note(store, "command line", "add user", name, role=role)
    Console(highlight=False).print(f"{name} can now sign in as {role}.", markup=False)


@app.command("list")
def list_users() -> None:
    """Show all users with role and state."""
    from ava_core.store import open_store, users

    everyone = users.everyone(open_store(load_settings()))
    console = Console()
    if not everyone:
        console.print("No users yet. Add one: `ava user add NAME --role admin`.")
        return
    table = Table(box=None)
    for column in ("user", "role", "state"):
        table.add_column(column)
    for user in everyone:
        table.add_row(user.username, user.role, "active" if user.active else "disabled")
    console.print(table)


@app.command("password")
def password(name: Name, password: Password = "") -> None:
    """Set a new password; this unlocks the account and ends its sessions."""
    from ava_core.store import audit_log, open_store, users

    store = open_store(load_settings())
    users.set_password(store, name, password or _ask())
    audit_log.note(store, "command line", "set password", name)


def _ask() -> str:
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
