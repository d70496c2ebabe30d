"""One's own account: the password."""

from __future__ import annotations

import asyncio

from nicegui import ui

from ava_core.base.errors import InputError
from ava_core.store import users
from ava_ui import addresses
from ava_ui.frame.visit import Visit


async def content(visit: Visit) -> None:
    """A new password, given the old one."""
    ui.label(f"{visit.user.username}, {visit.user.role}")
    old = ui.input("current password", password=True).classes("w-64").mark("old-password")
    new = ui.input("new password", password=True).classes("w-64").mark("new-password")
    ui.label(users.PASSWORD_RULE).classes("soft")
    again = ui.input("repeat new password", password=True).classes("w-64").mark("again-password")

    async def change() -> None:
        if new.value != again.value:
            raise InputError("The new passwords do not match.", "Type the new password in both fields.")
        await asyncio.to_thread(
            users.sign_in, visit.console.store, visit.user.username, old.value or "", source="account page"
        )
        await asyncio.to_thread(users.set_password, visit.console.store, visit.user.username, new.value or "")
        await visit.note("set password", visit.user.username)
        ui.navigate.to(addresses.LOGIN)

    ui.button("Change password", on_click=visit.action("viewer", change)).mark("change-password")
    ui.label("All your sessions end; sign in again with the new password.").classes("soft")
