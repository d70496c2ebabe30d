"""`ava up`: everything on this machine, with no other server."""

from __future__ import annotations

import time

from rich.console import Console

from ava_core.base.settings import load_settings


def up() -> None:
    """Start Dagster, the annotation server and the console on this machine; Ctrl-C ends them all.

    With `AVA_CVAT_URL` set, that CVAT server is used and the embedded one is not started.
    """
    from ava_assets.running import services
    from ava_core.annotation.password import embedded_password
    from ava_core.store import open_store, users

    settings = load_settings()
    settings.inbox_dir.mkdir(parents=True, exist_ok=True)
    store = open_store(settings)
    console = Console()
    wanted = [
        services.dagster_webserver(settings),
        services.dagster_daemon(settings),
        services.console(settings),
    ]
    if settings.cvat_is_embedded:
        wanted.insert(0, services.annotation_server(settings))
    console.print(f"Starting ({settings.home_dir}) …")
    with services.running(wanted):
        console.print(f"  Console             http://127.0.0.1:{settings.console_port}")
        if code := users.first_code(store, settings.home_dir):
            console.print(f"    nobody has an account yet; the first admin's one-time code: {code}")
        console.print(f"  Dagster             http://127.0.0.1:{settings.dagster_port}")
        console.print(f"  Annotation server   {settings.resolved_cvat_url}")
        if settings.cvat_is_embedded:
            embedded_password(settings.home_dir / "cvat")
            console.print(f"    user admin, password in {settings.home_dir / 'cvat' / 'admin_password'}")
        console.print(f"  Inbox               {settings.inbox_dir}")
        console.print("Put zips of videos into the inbox, or `ava batch add PATH`. Ctrl-C ends everything.")
        while True:
            for service in wanted:
                service.check()
            time.sleep(1.0)
