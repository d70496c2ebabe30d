"""`ava doctor`: what is reachable, which versions, what is missing and the cure."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import httpx
from rich.console import Console

from ava_core.base.private import dagster_token
from ava_core.base.settings import Settings, load_settings

if TYPE_CHECKING:
    from ava_core.operations.doctor import Finding

MARKS = {"ok": "[green]ok[/]     ", "warning": "[yellow]warning[/]", "failed": "[red]failed[/] "}


def doctor() -> None:
    """Look at everything the platform needs; exit code 1 where something is missing."""
    from ava_core.operations.doctor import examine

    settings = load_settings()
    console = Console(highlight=False, soft_wrap=True)
    failed = False
    for finding in [*examine(settings), _dagster(settings)]:
        failed |= finding.status == "failed"
        console.print(f"{MARKS[finding.status]} [bold]{finding.subject}[/]: ", end="")
        console.print(finding.found, markup=False)
        if finding.cure:
            console.print(f"         → {finding.cure}", markup=False)
    if failed:
        sys.exit(1)


def _dagster(settings: Settings) -> Finding:
    from ava_core.operations.doctor import Finding

    url, by = settings.resolved_dagster_url, {"Authorization": f"Bearer {dagster_token(settings.home_dir)}"}
    try:
        version = httpx.get(f"{url}/server_info", timeout=3.0, headers=by).json()["dagster_version"]
    except (httpx.HTTPError, ValueError, KeyError):
        return Finding("Dagster", "warning", f"not responding at {url}", "Start it with `ava up`.")
    return Finding("Dagster", "ok", f"{version} at {url}")
