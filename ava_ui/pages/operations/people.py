"""Who may use the console, and as what."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from nicegui import ui

from ava_core.store import sign_in_tries, users
from ava_core.store.tables import User, now
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit
from ava_ui.pages.annotation import crew, training


async def content(visit: Visit) -> None:
    """Everyone, and adding somebody; annotators below."""
    locked = sign_in_tries.locked(visit.console.store, now())
    for user in users.everyone(visit.console.store):
        _person(visit, user, locked)
    theme.heading("Add a person")
    with ui.row().classes("items-center"):
        name = ui.input("name").mark("new-name")
        password = ui.input("password", password=True, password_toggle_button=True).mark("new-password")
        role = ui.select(list(users.ROLES), value="reviewer", label="role").classes("w-32")

        async def add() -> None:
            await asyncio.to_thread(
                users.add, visit.console.store, name.value or "", password.value or "", role.value
            )
            await visit.note("add user", (name.value or "").strip(), role=role.value)
            ui.navigate.reload()

        ui.button("Add", icon="person_add", on_click=visit.action("admin", add)).mark("add-user")
    ui.label(f"Password: {users.PASSWORD_RULE}").classes("soft")
    ui.label("Viewers can look, reviewers decide on clips, admins can do everything.").classes("soft")
    await crew.panel(visit)
    training.panel(visit)


def _person(visit: Visit, user: User, locked: set[str]) -> None:
    def change(role: str | None = None, active: bool | None = None) -> Callable[..., Awaitable[None]]:
        async def act() -> None:
            await asyncio.to_thread(
                users.change, visit.console.store, user.username, role=role, active=active
            )
            await visit.note("change user", user.username, role=role, active=active)
            ui.navigate.reload()

        return visit.action("admin", act)

    async def new_password() -> None:
        with theme.asking(f"New password for {user.username}", "Set") as dialog:
            password = ui.input("password", password=True)
            ui.label(users.PASSWORD_RULE).classes("soft")
        if await dialog:
            await asyncio.to_thread(
                users.set_password, visit.console.store, user.username, password.value or ""
            )
            await visit.note("set password", user.username)
            ui.notify("Password set; their earlier sessions have ended.")

    with ui.row().classes("items-center"):
        ui.label(user.username).classes("text-weight-bold")
        ui.badge(user.role)
        if not user.active:
            ui.badge("disabled")
        if user.username in locked:
            ui.label("locked for now: too many wrong passwords").classes("bad")
        for role in users.ROLES:
            if role != user.role:
                ui.button(f"make {role}", on_click=change(role=role)).props("flat dense no-caps")
        ui.button("Password", on_click=visit.action("admin", new_password)).props("flat dense no-caps")
        words = "Disable" if user.active else "Enable"
        ui.button(words, on_click=change(active=not user.active)).props("flat dense no-caps")
