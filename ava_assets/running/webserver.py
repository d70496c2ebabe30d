"""`python -m ava_assets.running.webserver`: Dagster's webserver behind a guard, for it has no login of its own.

It takes the webserver's own options. Any page that a browser on this machine shows could otherwise start and end runs;
beyond this machine anybody could.
"""

from __future__ import annotations

from typing import Any

from dagster_webserver import cli as webserver_cli
from starlette.applications import Starlette

from ava_assets.running.daemon import watch_calmly
from ava_assets.running.signed_in import SignedIn, reading_only
from ava_core.base.callers import Callers
from ava_core.base.seldom_awake import wake_seldom
from ava_core.base.settings import Settings, load_settings

GRAPHQL = "/graphql"


def guarded(app: Starlette, settings: Settings) -> Starlette:
    """The webserver's application, which answers under its own names, to its own pages, and to JSON alone.

    Beyond this machine it asks for the console's session, too.
    """
    app.add_middleware(SignedIn, settings=settings)
    app.add_middleware(Callers, hosts=settings.allowed_hosts, json_only=[GRAPHQL])
    return app


def main() -> None:
    """Run it until it is told to end."""
    cli: Any = webserver_cli
    make, settings = cli.create_app_from_workspace_process_context, load_settings()

    def make_guarded(context: Any, *arguments: Any, **named: Any) -> Starlette:
        return guarded(make(reading_only(context), *arguments, **named), settings)

    # Dagster hands its application straight to the server: this is where it comes from.
    cli.create_app_from_workspace_process_context = make_guarded
    watch_calmly()
    wake_seldom()
    cli.main()


if __name__ == "__main__":
    main()
