"""Annotators on the page People: added, shut out, let in, and given new passwords."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from nicegui import ui

from ava_core.annotation import crew
from ava_core.annotation.practice.desk import Standing, standing
from ava_core.store import annotators, sign_in_tries
from ava_core.store.tables import Annotator, now
from ava_ui import addresses
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit
from ava_ui.pages.annotation import training


async def panel(visit: Visit) -> None:
    """Everybody who annotates with how far they are with practice, and adding somebody."""
    theme.heading("Annotators")
    ui.label(
        "Annotators sign in here with their account on the annotation server, and see only their own work."
    ).classes("soft")
    locked = sign_in_tries.locked(visit.console.store, now())
    people = annotators.everyone(visit.console.store)
    standings = await asyncio.to_thread(
        lambda: {one.username: standing(visit.console.store, one.username) for one in people}
    )
    for person in people:
        _person(visit, person, locked, standings[person.username])
    theme.heading("Add an annotator")
    embedded = visit.console.settings.cvat_is_embedded
    with ui.row().classes("items-center"):
        name = ui.input("user name").mark("annotator-name")
        email = ui.input("e-mail (optional)").mark("annotator-email")

        async def add() -> None:
            given, address = (name.value or "").strip(), (email.value or "").strip()
            settings, store = visit.console.settings, visit.console.store
            drawn = await asyncio.to_thread(crew.add_annotator, settings, store, given, email=address)
            await visit.note("add annotator", given)
            if drawn:
                await _show_once(f"{given} can now sign in with this password.", drawn)
            ui.navigate.reload()

        ui.button("Add annotator", icon="person_add", on_click=visit.action("admin", add)).mark(
            "add-annotator"
        )
    if embedded:
        ui.label("This creates the account; its first password is shown once.").classes("soft")
    else:
        ui.label(
            f"Enter a user name on {visit.console.settings.resolved_cvat_url}. For someone without an "
            f"account there, add an e-mail address to create one."
        ).classes("soft")
    ui.label(f"A user name has {crew.NAME_RULE}").classes("soft")


def _person(visit: Visit, person: Annotator, locked: set[str], practised: Standing) -> None:
    name = person.username
    with ui.row().classes("items-center"):
        ui.link(name, addresses.progress(annotator=name)).classes("text-weight-bold")
        if not person.active or person.paused:
            ui.badge("paused" if person.active else "inactive")
        if name in locked:
            ui.label("locked for now: too many wrong passwords").classes("bad")
        _practice(visit, person, practised)
        ui.button("New password", on_click=_new_password(visit, name)).props("flat dense no-caps").mark(
            f"password-{name}"
        )
        words = "Deactivate" if person.active else "Activate"
        change = _set_active(visit, name, active=not person.active)
        ui.button(words, on_click=change).props("flat dense no-caps").mark(f"active-{name}")


def _practice(visit: Visit, person: Annotator, practised: Standing) -> None:
    """How an annotator did in practice; an admin may qualify one who has not passed."""
    if not practised.clips:
        return
    if person.qualified_at is not None:
        ui.badge("qualified", color="positive")
    if practised.tries:
        ui.label(practised.words).classes("soft").mark(f"practised-{person.username}")
    if person.qualified_at is None:
        button = ui.button("Qualify without practice", on_click=training.let_in(visit, person.username))
        button.props("flat dense no-caps").mark(f"qualify-{person.username}")


def _set_active(visit: Visit, name: str, *, active: bool) -> Callable[..., Awaitable[None]]:
    async def act() -> None:
        if not active:
            with theme.asking(f"Deactivate {name}?", "Deactivate") as dialog:
                ui.label(
                    "They get no new work and cannot sign in. Their finished work is kept; open jobs stay "
                    "assigned to them."
                )
                if not visit.console.settings.cvat_is_embedded:
                    ui.label(
                        f"Their account on {visit.console.settings.resolved_cvat_url} stays active; disable "
                        f"it there."
                    )
            if not await dialog:
                return
        settings, store = visit.console.settings, visit.console.store
        await asyncio.to_thread(crew.set_active, settings, store, name, active=active)
        await visit.note("let annotator in" if active else "deactivate annotator", name)
        ui.navigate.reload()

    return visit.action("admin", act)


def _new_password(visit: Visit, name: str) -> Callable[..., Awaitable[None]]:
    async def act() -> None:
        settings, store = visit.console.settings, visit.console.store
        if settings.cvat_is_embedded:
            with theme.asking(f"Create a new password for {name}?", "Draw") as dialog:
                ui.label("The old password stops working immediately, and their sessions end.")
            if not await dialog:
                return
        drawn = await asyncio.to_thread(crew.reset_password, settings, store, name)
        await visit.note("reset password of annotator", name)
        await _show_once(f"New password for {name}:", drawn)

    return visit.action("admin", act)


async def _show_once(what: str, password: str) -> None:
    """Show a password until somebody says that they have it; it is kept nowhere."""
    with ui.dialog().props("persistent") as dialog, ui.card().classes("asking"):
        ui.label(what).classes("text-weight-bold")
        ui.label(password).style("font-family: monospace; user-select: all").mark("shown-once")
        ui.label("You see it only once. Pass it on through a channel you trust.")
        ui.button("Done", on_click=dialog.close).mark("have-it")
    await dialog
    dialog.delete()
