"""The status line: whether Dagster, its daemon, the annotation server, database and detector are well."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final

from ava_core.base.errors import AvaError
from ava_core.base.settings import Settings
from ava_core.operations.doctor import Finding, examine
from ava_ui.dagster.client import DagsterClient

DAGSTER: Final = ("Dagster", "worker")
SHOWN: Final = ("annotation server", "database", "detector", "files", "services")


@dataclass
class Health:
    """The newest findings; `look` takes a new look, in a thread where it may last."""

    settings: Settings
    dagster: DagsterClient
    findings: list[Finding] = field(default_factory=list)

    async def look(self) -> list[Finding]:
        """Look at everything once; what the status line shows."""
        self.findings = [f for f in await self.look_closely() if f.subject in (*SHOWN, *DAGSTER)]
        return self.findings

    async def look_closely(self) -> list[Finding]:
        """All that there is to find, for the page that has room for it."""
        examined = await asyncio.to_thread(lambda: list(examine(self.settings)))
        return [*await self._dagster(), *examined]

    async def _dagster(self) -> list[Finding]:
        try:
            version, daemons = await self.dagster.version(), await self.dagster.daemons()
        except AvaError as error:
            unknown = Finding("worker", "failed", "unknown, because Dagster is not responding", error.cure)
            return [Finding("Dagster", "failed", error.message, error.cure), unknown]
        sick = [name for name, healthy in daemons.items() if not healthy]
        worker = Finding("worker", "ok", "Dagster's daemon runs")
        if sick:
            worker = Finding(
                "worker", "failed", f"no heartbeat from {', '.join(sick)}", "Start it: `ava up`."
            )
        return [Finding("Dagster", "ok", f"version {version}"), worker]
