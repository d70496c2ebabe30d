"""Wires pages, files and door together, and starts the console. Nothing else happens here."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from fastapi import Request
from nicegui import app, ui

from ava_core.base.errors import AvaError
from ava_core.base.settings import load_settings
from ava_core.dataset.export.outlook_tables import read_outlook
from ava_core.quality.review.audit_bound import audit_bound
from ava_core.store import users
from ava_ui.frame import theme
from ava_ui.frame.visit import Visit
from ava_ui.known.console import Console
from ava_ui.pages.annotation import progress, tasks
from ava_ui.pages.dataset import dataset, release
from ava_ui.pages.dataset import diff as release_diff
from ava_ui.pages.operations import account, metrics, ontology, overview, people, system
from ava_ui.pages.operations import audit_log as audit
from ava_ui.pages.quality import adjudication, agreement, annotators, blind_audit, gold, review
from ava_ui.pages.quality import queue as quality
from ava_ui.pages.video import batch, batches, clip, run
from ava_ui.web import door as sessions
from ava_ui.web import files as media
from ava_ui.web import uploads

LOOK_SECONDS: Final = 10.0
"""Time between two looks at the services and the counts, whatever the number of open pages."""

LIVE_SECONDS: Final = 4.0
"""Time between two looks at Dagster's runs."""


@dataclass(frozen=True)
class Page:
    """An address, its heading, what fills it, and who may see it.

    A page that is `late` over a large platform stands there at once, and is filled a moment later.
    """

    path: str
    title: str
    content: Callable[[Visit], Awaitable[None]]
    role: users.Role = "viewer"
    late: bool = False


PAGES: Final = (
    Page("/", "Overview", overview.content),
    Page("/batches", "Batches", batches.content),
    Page("/batches/{batch}", "Batch {batch}", batch.content),
    Page("/batches/{batch}/clips/{clip_id}", "Clip {clip_id}", clip.content),
    Page("/runs/{run_id}", "Run {run_id}", run.content),
    Page("/tasks", "Tasks", tasks.content, late=True),
    Page("/progress", "Progress", progress.content),
    Page("/quality", "Quality", quality.content),
    Page("/quality/{batch}/agreement", "Agreement of {batch}", agreement.content),
    Page("/quality/{batch}/annotators", "Annotators of {batch}", annotators.content),
    Page("/quality/{batch}/adjudication", "Adjudication of {batch}", adjudication.content, late=True),
    Page("/quality/{batch}/audit", "Blind audit of {batch}", blind_audit.content),
    Page("/quality/{batch}/gold", "Gold of {batch}", gold.content),
    Page("/quality/{batch}/clips/{clip_id}", "Review {clip_id}", review.content),
    Page("/dataset", "Dataset", dataset.content, late=True),
    Page("/dataset/{release}", "Release {release}", release.content),
    Page("/dataset/{release}/compare/{other}", "From {release} to {other}", release_diff.content),
    Page("/metrics", "Metrics", metrics.content, late=True),
    Page("/ontology", "Ontology", ontology.content),
    Page("/audit", "Audit log", audit.content),
    Page("/system", "System", system.content),
    Page("/account", "Account", account.content),
    Page("/people", "People", people.content, "admin"),
)


def build(console: Console) -> None:
    """Register everything on NiceGUI's application."""
    app.add_middleware(sessions.Door, console=console)
    for part in (sessions, media, uploads):
        app.include_router(part.routes(console))
    app.add_exception_handler(AvaError, media.refused)
    app.add_exception_handler(FileNotFoundError, media.refused)
    for page in PAGES:
        _register(console, page)


def serve() -> None:
    """Run the console until it is told to end."""
    settings = load_settings()
    console = Console.open(settings)
    build(console)
    if code := users.first_code(console.store, settings.home_dir):
        print(f"Nobody has an account yet; the first admin's one-time code: {code}", flush=True)
    tasks: list[asyncio.Task[None]] = []
    app.on_startup(lambda: tasks.append(asyncio.create_task(asyncio.to_thread(_warm, console))))
    looks = (
        (lambda: asyncio.to_thread(console.counts.refresh), LOOK_SECONDS),
        (console.health.look, LOOK_SECONDS),
        (console.live.look, LIVE_SECONDS),
    )
    app.on_startup(lambda: tasks.extend(asyncio.create_task(_keep_looking(*look)) for look in looks))
    app.on_shutdown(lambda: [task.cancel() for task in tasks])
    ui.run(
        host="127.0.0.1", port=settings.console_port, title="AVA console", reload=False, show=False,
        favicon="🎬", show_welcome_message=False, dark=None, language="en-US", tailwind=False,
    )  # fmt: skip


def _register(console: Console, page: Page) -> None:
    async def show(request: Request) -> None:
        visit = Visit(
            console, request.state.user, request.state.token, request.url.path, dict(request.path_params),
            dict(request.query_params),
        )  # fmt: skip
        title = page.title.format(**visit.params)
        ui.page_title(f"{title} · AVA console")
        with theme.frame(visit, title):
            if not visit.may(page.role):
                theme.problem(AvaError(f"Only {page.role}s see this page.", "Ask an admin."))
                return
            if page.late:
                theme.later(visit, lambda: page.content(visit))
                return
            try:
                await page.content(visit)
            except AvaError as error:
                theme.problem(error)

    # Titles are set anew with each page; a slow disk may take longer than NiceGUI's three seconds.
    ui.page(page.path, response_timeout=30)(show)


def _warm(console: Console) -> None:
    """Read what the first visitor of a page would wait for: small tables of all batches, and a large library; then
    take all that is there out of the garbage collector's rounds."""
    with contextlib.suppress(AvaError, OSError):
        quality.queue(console)
        read_outlook(console.storage, console.store, console.decided.all())
        console.jobs.table()
        console.log.table()
    audit_bound(0, 1)
    # Libraries and what was just read stay as long as the console; the collector need not walk through them again
    # and again, which held every page up for a third of a second.
    gc.collect()
    gc.freeze()


async def _keep_looking(look: Callable[[], Awaitable[object]], every: float) -> None:
    """Look again and again, each kind by itself: one that lasts holds no other up."""
    while True:
        try:
            await look()
        except AvaError:
            pass  # said where it is looked at: a page, the status line
        except Exception:  # the looks must outlive whatever breaks
            logging.getLogger(__name__).exception("%s failed", look)
        await asyncio.sleep(every)
