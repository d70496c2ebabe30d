"""Consoles that follow one another in one process, as in tests that no worker shares out."""

from __future__ import annotations

from nicegui import core

from ava_core.base.settings import Settings
from tests.support.site import opened


async def test_a_console_leaves_the_application_as_it_was(settings: Settings) -> None:
    before = core.app.router.lifespan_context
    async with opened(settings):
        assert core.app.router.lifespan_context is not before, (
            "the console has routers, so there is something to undo"
        )
    assert core.app.router.lifespan_context is before
