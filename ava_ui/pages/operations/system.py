"""What the platform runs on: every part, how it is, and what to do where it is not well."""

from __future__ import annotations

from typing import Final

from nicegui import ui

from ava_core.base.settings import Settings
from ava_core.operations.backup import parts
from ava_core.operations.doctor import Finding
from ava_ui import addresses
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit

ICONS: Final = {"ok": ("check_circle", "good"), "warning": ("error", "warn"), "failed": ("cancel", "bad")}


async def content(visit: Visit) -> None:
    """All findings, looked at anew on demand."""
    health = visit.console.health
    place = ui.column().classes("w-full gap-2")

    def show(findings: list[Finding]) -> None:
        place.clear()
        with place:
            for finding in findings:
                _finding(finding)

    async def look() -> None:
        show(await health.look_closely())

    ui.button("Check again", icon="refresh", on_click=visit.action("viewer", look)).mark("look-again")
    if health.findings:
        show(health.findings)
        ui.timer(0.1, look, once=True)
    else:
        show(await health.look_closely())
    theme.heading("Locations")
    _places(visit.console.settings)
    theme.heading("Backup")
    _backup(visit)


def _backup(visit: Visit) -> None:
    """What belongs together, in the order in which it is copied, and the two commands."""
    shown = visit.console.store.engine.url.render_as_string(hide_password=True)
    ui.label("`ava backup FOLDER` makes a consistent copy while everything runs, in this order:")
    with ui.element("table").classes("keys").mark("backup"):
        for part in parts(visit.console.settings, shown):
            with ui.element("tr"):
                for text in (part.name, part.where, part.why):
                    with ui.element("td"):
                        ui.label(text)
    ui.label(
        "`ava restore FOLDER` restores it into an empty home, database and storage. `ava move --database … "
        "--storage …` moves it elsewhere."
    )


def _places(settings: Settings) -> None:
    """Addresses and folders; those that a person can open are links."""
    opened = {
        "Dagster": f"http://127.0.0.1:{settings.dagster_port}",
        "annotation server": settings.resolved_cvat_url,
    }
    named = {
        "home": str(settings.home_dir),
        "files": settings.resolved_storage_url,
        "inbox": str(settings.inbox_dir),
        "logs": str(settings.home_dir / "logs"),
        "webhook of CVAT": f"http://127.0.0.1:{settings.console_port}{addresses.WEBHOOK}",
    }
    with ui.element("table").classes("keys"):
        for name, where in (opened | named).items():
            with ui.element("tr"):
                with ui.element("td"):
                    ui.label(name)
                with ui.element("td"):
                    if name in opened:
                        ui.link(where, where, new_tab=True)
                    else:
                        ui.label(where)


def _finding(finding: Finding) -> None:
    icon, style = ICONS[finding.status]
    with ui.row().classes("items-start no-wrap w-full"):
        ui.icon(icon).classes(style).props(f'role=img aria-label="{finding.status}"')
        with ui.column().classes("gap-0"):
            ui.label(finding.subject).classes("text-weight-bold")
            ui.label(finding.found)
            if finding.cure:
                ui.label(finding.cure).classes("soft" if finding.status == "ok" else style)
