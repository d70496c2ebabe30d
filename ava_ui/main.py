"""Puts pages, files and door at their addresses, and starts the console with what it looks at in the background."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from fastapi import Request
from nicegui import Client, app, ui

from ava_core.base.errors import AvaError
from ava_core.base.private import close_home
from ava_core.base.seldom_awake import wake_seldom
from ava_core.base.settings import load_settings
from ava_core.dataset.export.outlook_tables import read_outlook
from ava_core.quality.review.audit_bound import audit_bound
from ava_core.store import users
from ava_ui import addresses
from ava_ui.frame import theme
from ava_ui.frame.handlers import ask_quickly
from ava_ui.frame.visit import Visit
from ava_ui.known import review_queue
from ava_ui.known.console import Console
from ava_ui.pages.annotation import labelling as label_page
from ava_ui.pages.annotation import practise, progress, readings, tasks, work
from ava_ui.pages.dataset import dataset, diff, release
from ava_ui.pages.operations import account, audit_log, metrics, ontology, overview, people, system
from ava_ui.pages.quality import adjudication, agreement, annotators, blind_audit, gold, queue, review
from ava_ui.pages.video import batch, batches, clip, run
from ava_ui.web import door, files, labelling, practice, uploads
from ava_ui.web.ahead import put_ahead

LOOK_SECONDS: Final = 10.0
"""Time between two looks at the services and the counts, whatever the number of open pages."""

LIVE_SECONDS: Final = 4.0
"""Time between two looks at Dagster's runs."""

UNSEEN_SECONDS: Final = 60.0
"""Between two looks while no page is open; the next page that opens ends the wait."""

SCRIPTS_KEPT_SECONDS: Final = 300
"""So long a browser asks for no newer parts of the page for labelling: sixteen questions less with each job."""


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
    Page(addresses.OVERVIEW, "Overview", overview.content),
    Page(addresses.BATCHES, "Batches", batches.content),
    Page(addresses.BATCH, "Batch {batch}", batch.content),
    Page(addresses.CLIP, "Clip {clip_id}", clip.content),
    Page(addresses.RUN, "Run {run_id}", run.content),
    Page(addresses.TASKS, "Tasks", tasks.content, late=True),
    Page(addresses.PROGRESS, "Progress", progress.content),
    Page(addresses.WORK, "Your work", work.content, "annotator"),
    Page(addresses.LABEL, "Job {job_id}", label_page.content, "annotator"),
    Page(addresses.PRACTISE, "Practice", practise.content, "annotator"),
    Page(addresses.READINGS, "Readings of job {job_id}", readings.content),
    Page(addresses.QUALITY, "Quality", queue.content),
    Page(addresses.AGREEMENT, "Agreement of {batch}", agreement.content),
    Page(addresses.ANNOTATORS, "Annotators of {batch}", annotators.content),
    Page(addresses.ADJUDICATION, "Adjudication of {batch}", adjudication.content, late=True),
    Page(addresses.BLIND_AUDIT, "Blind audit of {batch}", blind_audit.content),
    Page(addresses.GOLD, "Gold of {batch}", gold.content),
    Page(addresses.REVIEW, "Review {clip_id}", review.content),
    Page(addresses.DATASET, "Dataset", dataset.content, late=True),
    Page(addresses.RELEASE, "Release {release}", release.content),
    Page(addresses.COMPARISON, "From {release} to {other}", diff.content),
    Page(addresses.METRICS, "Metrics", metrics.content, late=True),
    Page(addresses.ONTOLOGY, "Ontology", ontology.content),
    Page(addresses.AUDIT_LOG, "Audit log", audit_log.content),
    Page(addresses.SYSTEM, "System", system.content),
    Page(addresses.ACCOUNT, "Account", account.content),
    Page(addresses.PEOPLE, "People", people.content, "admin"),
)


def build(console: Console) -> None:
    """Register everything on NiceGUI's application."""
    ask_quickly()
    app.add_middleware(door.Door, console=console)
    put_ahead(app)
    for part in (door, files, practice, labelling, uploads):
        app.include_router(part.routes(console))
    app.add_static_files(addresses.LABELLING_SCRIPTS, label_page.SCRIPTS, max_cache_age=SCRIPTS_KEPT_SECONDS)
    app.add_exception_handler(AvaError, files.refused)
    app.add_exception_handler(FileNotFoundError, files.refused)
    for page in PAGES:
        _register(console, page)


def serve() -> None:
    """Run the console until it is told to end."""
    settings = load_settings()
    close_home(settings.home_dir)
    console = Console.open(settings)
    build(console)
    wake_seldom()
    if users.first_code(console.store, settings.home_dir):
        file = users.code_file(settings.home_dir)
        print(f"No accounts yet. The one-time code for the first admin is in {file}.", flush=True)
    tasks: list[asyncio.Task[None]] = []
    app.on_startup(lambda: tasks.append(asyncio.create_task(asyncio.to_thread(_warm, console))))
    looks = (
        (lambda: asyncio.to_thread(console.counts.refresh), LOOK_SECONDS),
        (console.health.look, LOOK_SECONDS),
        (console.runs.look, LIVE_SECONDS),
    )
    app.on_startup(
        lambda: tasks.extend(
            asyncio.create_task(_keep_looking(look, every, _opened())) for look, every in looks
        )
    )
    app.on_shutdown(lambda: [task.cancel() for task in tasks])
    ui.run(
        host=settings.console_host, port=settings.console_port, title="AVA console", reload=False, show=False,
        favicon="🎬", show_welcome_message=False, dark=None, language="en-US", tailwind=False,
    )  # fmt: skip


def _opened() -> asyncio.Event:
    """An event that is set whenever a page opens."""
    event = asyncio.Event()
    app.on_connect(event.set)
    return event


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
                theme.problem(AvaError(f"Only {page.role}s can open this page.", "Ask an admin."))
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
        review_queue.queue(console)
        read_outlook(console.storage, console.store, console.decisions.all())
        console.jobs.table()
        console.audit_log.table()
    audit_bound(0, 1)
    # Libraries and what was just read stay as long as the console; the collector need not walk through them again
    # and again, which held every page up for a third of a second.
    gc.collect()
    gc.freeze()


async def _keep_looking(look: Callable[[], Awaitable[object]], every: float, opened: asyncio.Event) -> None:
    """Look again and again, each kind by itself: one that lasts holds no other up.

    `opened` is set whenever somebody opens a page; while nobody has one open, looks are few.
    """
    while True:
        try:
            await look()
        except AvaError:
            pass  # said where it is looked at: a page, the status line
        except Exception:  # the looks must outlive whatever breaks
            logging.getLogger(__name__).exception("%s failed", look)
        opened.clear()
        await asyncio.sleep(every)
        if not any(client.has_socket_connection for client in Client.instances.values()):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(opened.wait(), max(UNSEEN_SECONDS - every, 0))
