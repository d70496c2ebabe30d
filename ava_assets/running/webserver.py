"""`python -m ava_assets.running.webserver`: Dagster's webserver behind a guard, for it has no login of its own.

It takes the webserver's own options. Any page that a browser on this machine shows could otherwise start and end runs.
"""

from __future__ import annotations

from typing import Any

from dagster_webserver import cli
from starlette.applications import Starlette

from ava_core.base.callers import Callers
from ava_core.base.settings import load_settings

GRAPHQL = "/graphql"


def guarded(app: Starlette, hosts: list[str]) -> Starlette:
    """The webserver's application, which answers under its own names, to its own pages, and to JSON alone."""
    app.add_middleware(Callers, hosts=hosts, json_only=[GRAPHQL])
    return app


def main() -> None:
    """Run it until it is told to end."""
    hosts = load_settings().allowed_hosts
    make = cli.create_app_from_workspace_process_context  # type: ignore[attr-defined]

    def make_guarded(*arguments: Any, **named: Any) -> Starlette:
        return guarded(make(*arguments, **named), hosts)

    # Dagster hands its application straight to the server: this is where it comes from.
    cli.create_app_from_workspace_process_context = make_guarded  # type: ignore[attr-defined]
    cli.main()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
