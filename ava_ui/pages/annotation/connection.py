"""The annotation server's host and account: as set, tried out, and how to change them."""

from __future__ import annotations

import asyncio
from typing import Any

from nicegui import ui

from ava_core.annotation.gateway import CvatGateway
from ava_core.base.settings import Settings, variable_of
from ava_core.base.text import plural
from ava_core.store import annotators
from ava_ui.frame.visit import Visit

HIDDEN = ("cvat_password", "cvat_token")


def connection(visit: Visit) -> None:
    """What is set, a test of it, members to add; and a trial of another host or account."""
    settings = visit.console.settings
    kind = "The embedded annotation server" if settings.cvat_is_embedded else "CVAT"
    ui.label(
        f"{kind} at {settings.resolved_cvat_url}, organisation {settings.cvat_organisation}, "
        f"account {settings.cvat_username}."
    )
    result = ui.column().classes("w-full")
    if not visit.may("admin"):
        return

    async def test() -> None:
        version, members = await asyncio.to_thread(_look, settings, make=True)
        known = {a.username for a in annotators.everyone(visit.console.store)}
        result.clear()
        with result:
            ui.label(f"Connected: version {version}, {plural(len(members), 'member')}.").classes("good")
            new = sorted(set(members) - known - {settings.cvat_username})
            chosen = ui.select(new, multiple=True, label="members to add as annotators").classes("w-full")

            async def add() -> None:
                for name in chosen.value or []:
                    await asyncio.to_thread(
                        annotators.put, visit.console.store, name, cvat_user_id=members[name]
                    )
                    await visit.note("add annotator", name)
                ui.navigate.reload()

            ui.button("Add", on_click=visit.action("admin", add)).set_enabled(bool(new))

    ui.button("Test connection", icon="lan", on_click=visit.action("admin", test)).mark("test-connection")
    _another(visit)


def _another(visit: Visit) -> None:
    """Try another host or account; what to set is shown once it has been reached."""
    settings = visit.console.settings
    with ui.expansion("Try another host or account", icon="dns").classes("w-full").mark("another-host"):
        fields = {
            "cvat_url": ui.input("host", value=settings.cvat_url, placeholder="https://cvat.example.org"),
            "cvat_organisation": ui.input("organisation", value=settings.cvat_organisation),
            "cvat_username": ui.input("account", value=settings.cvat_username),
            "cvat_password": ui.input("password", password=True),
            "cvat_token": ui.input("or a token with write access", password=True),
        }
        for name, field in fields.items():
            field.classes("w-full").mark(f"try-{name}")
        result = ui.column().classes("w-full")

        async def attempt() -> None:
            given: dict[str, Any] = {name: (field.value or "").strip() for name, field in fields.items()}
            tried = settings.with_options(
                {name: value or None for name, value in given.items() if name in HIDDEN}
                | {name: value for name, value in given.items() if name not in HIDDEN}
            )
            result.clear()
            version, members = await asyncio.to_thread(_look, tried, make=False)
            lines = [
                f"{variable_of(name)}={'…' if name in HIDDEN else value}"
                for name, value in given.items()
                if value
            ]
            with result:
                ui.label(f"Connection works: version {version}, {plural(len(members), 'member')}.").classes(
                    "good"
                )
                ui.label("To use it, set these variables (for example in .env) and restart the platform:")
                ui.code("\n".join(lines), language="bash").classes("w-full")

        ui.button("Try it", on_click=visit.action("admin", attempt)).props("outline").mark("try-host")


def _look(settings: Settings, *, make: bool) -> tuple[str, dict[str, int]]:
    """Version and members; the organisation is made where it is missing only if `make`."""
    with CvatGateway(settings) as gateway:
        if make:
            gateway.ensure_organisation()
        return gateway.about(), gateway.members()
