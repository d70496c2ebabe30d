"""`ava up`: everything on this machine, with no other server."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from ava_core.base.private import close_home
from ava_core.base.settings import Settings, load_settings


def up(
    allow_host: Annotated[
        list[str] | None,
        typer.Option(help="Host name other than loopback that this machine answers to; may be repeated."),
    ] = None,
    registration: Annotated[
        bool | None, typer.Option(help="Let anyone create an account on the annotation server.")
    ] = None,
) -> None:
    """Start Dagster, the annotation server and the console on this machine; Ctrl-C ends them all.

    Whatever ends by itself is started again, and the console says so. With `AVA_CVAT_URL` set, that CVAT server is
    used and the embedded one is not started.
    """
    from ava_assets.running.services import of_platform
    from ava_assets.running.supervisor import Supervisor

    given = {"allow_hosts": ",".join(allow_host) if allow_host else None, "cvat_registration": registration}
    settings = load_settings(**{name: value for name, value in given.items() if value is not None})
    close_home(settings.home_dir)
    settings.inbox_dir.mkdir(parents=True, exist_ok=True)
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"Starting ({settings.home_dir}) …", markup=False)
    supervisor = Supervisor(
        settings, of_platform(settings), lambda said: console.print(f"  {said}", markup=False)
    )
    supervisor.run(lambda: _say_where(settings, console))


def _say_where(settings: Settings, console: Console) -> None:
    """Where everything is, and how to get in."""
    from ava_core.annotation.password import embedded_password
    from ava_core.store import open_store, users

    console.print(f"  Console             http://127.0.0.1:{settings.console_port}")
    if code := users.first_code(open_store(settings), settings.home_dir):
        # Anything but a terminal may be a log that others read.
        where = f": {code}" if console.is_terminal else f" is in {users.code_file(settings.home_dir)}"
        console.print(f"    no accounts yet; the first admin's one-time code{where}")
    console.print(f"  Dagster             http://127.0.0.1:{settings.dagster_port}")
    console.print(f"  Annotation server   {settings.resolved_cvat_url}")
    if settings.cvat_is_embedded:
        embedded_password(settings.home_dir / "cvat")
        console.print(f"    user admin, password in {settings.home_dir / 'cvat' / 'admin_password'}")
    console.print(f"  Inbox               {settings.inbox_dir}")
    console.print(
        "Put zips of videos in the inbox, or run `ava batch add PATH`. Press Ctrl-C to stop everything."
    )
