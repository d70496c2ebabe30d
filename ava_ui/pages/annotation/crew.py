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
        "An annotator signs in here with their account of the annotation server, and sees their own work alone."
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
                await _show_once(f"{given} may sign in now, with this password.", drawn)
            ui.navigate.reload()

        ui.button("Add annotator", icon="person_add", on_click=visit.action("admin", add)).mark(
            "add-annotator"
        )
    if embedded:
        ui.label("The account is made here; its first password is shown once.").classes("soft")
    else:
        ui.label(
            f"Somebody with an account on {visit.console.settings.resolved_cvat_url} is taken in; for anybody else "
            "give an e-mail address, and the account is made there."
        ).classes("soft")
    ui.label(f"A user name has {crew.NAME_RULE}").classes("soft")


def _person(visit: Visit, person: Annotator, locked: set[str], practised: Standing) -> None:
    name = person.username
    with ui.row().classes("items-center"):
        ui.link(name, addresses.progress(annotator=name)).classes("text-weight-bold")
        if person.paused and person.active:
            ui.badge("paused")
        if name in locked:
            ui.label("locked where wrong passwords came from").classes("bad")
        _practice(visit, person, practised)
        ui.button("New password", on_click=_new_password(visit, name)).props("flat dense no-caps").mark(
            f"password-{name}"
        )
        words = "Deactivate" if person.active else "may not sign in: let in"
        change = _set_active(visit, name, active=not person.active)
        ui.button(words, on_click=change).props("flat dense no-caps").mark(f"active-{name}")


def _practice(visit: Visit, person: Annotator, practised: Standing) -> None:
    """How somebody did in practice; who has not passed may be let in all the same."""
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
            with theme.asking(f"Shut {name} out?", "Deactivate") as dialog:
                ui.label("They get no work and cannot sign in. What they did is kept; open jobs stay theirs.")
                if not visit.console.settings.cvat_is_embedded:
                    ui.label(
                        f"Their account on {visit.console.settings.resolved_cvat_url} stays; end it there."
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
            with theme.asking(f"Draw a new password for {name}?", "Draw") as dialog:
                ui.label("The old one ends at once, and so do their sessions.")
            if not await dialog:
                return
        drawn = await asyncio.to_thread(crew.reset_password, settings, store, name)
        await visit.note("reset password of annotator", name)
        await _show_once(f"The new password of {name}.", drawn)

    return visit.action("admin", act)


async def _show_once(what: str, password: str) -> None:
    """Show a password until somebody says that they have it; it is kept nowhere."""
    with ui.dialog().props("persistent") as dialog, ui.card().classes("asking"):
        ui.label(what).classes("text-weight-bold")
        ui.label(password).style("font-family: monospace; user-select: all").mark("shown-once")
        ui.label("It is shown only now. Hand it on by a way that you trust.")
        ui.button("I have it", on_click=dialog.close).mark("have-it")
    await dialog
    dialog.delete()
