"""The frame of every page: navigation, status line, light and dark; and the few pieces all pages are made of."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from nicegui import ui

from ava_core.annotation.own_account import own_name
from ava_core.base.errors import AvaError
from ava_core.operations.doctor import Finding
from ava_core.store import labellers, users
from ava_ui import addresses
from ava_ui.frame.visit import Visit

STYLE: Final = (Path(__file__).parent / "style.css").read_text("utf-8")
SCRIPTS: Final = tuple(
    (Path(__file__).parent / f"{name}.js").read_text("utf-8") for name in ("keys", "recover")
)

NAVIGATION: Final = (
    (addresses.OVERVIEW, "Overview", "space_dashboard", "o"),
    (addresses.BATCHES, "Batches", "video_library", "b"),
    (addresses.TASKS, "Tasks", "assignment_ind", "t"),
    (addresses.PROGRESS, "Progress", "pending_actions", "p"),
    (addresses.QUALITY, "Quality", "fact_check", "q"),
    (addresses.DATASET, "Dataset", "dataset", "d"),
    (addresses.METRICS, "Metrics", "query_stats", "m"),
    (addresses.ONTOLOGY, "Ontology", "account_tree", "n"),
    (addresses.AUDIT_LOG, "Audit log", "history", "l"),
    (addresses.SYSTEM, "System", "monitor_heart", "s"),
    (addresses.PEOPLE, "People", "group", "e"),
)
"""Address, name, icon, and the letter that leads there after "g"."""

OWN_WORK: Final = ((addresses.WORK, "Your work", "edit_note", "w"),)
"""All that an annotator is led to, and what admins who may label are led to besides."""

REVIEW_KEYS: Final = (
    ("Space", "play or pause"), ("← →", "one second back or forward"), ("Shift ← →", "one frame back or forward"),
    ("1 … 9", "show or hide an annotator"), ("C", "show or hide the consensus"), ("N P", "next or previous conflict"),
    ("A", "approve"), ("R", "reject: type the reason, then press Enter"), ("U", "undo a decision"),
    ("S", "skip to the next waiting clip"),
)  # fmt: skip

CONTENT: Final = "content"
"""The mark at which a page's own content begins."""

NARROW: Final = 700
"""Pixels of width up to which the navigation lies over the page, and is closed at first."""

STATUS_SECONDS: Final = 15.0
"""How often the status line of an open page takes over what the console last saw."""

TO_MARK: Final = """
setTimeout(() => {
  const mark = location.hash && document.getElementById(location.hash.slice(1));
  if (mark && document.getElementById("%s").compareDocumentPosition(mark) & Node.DOCUMENT_POSITION_FOLLOWING)
    mark.scrollIntoView();
});
"""
"""Where a place was filled: what the address names and stands in it or below it comes into view again."""


@contextmanager
def frame(visit: Visit, title: str) -> Iterator[None]:
    """Navigation, status line and a heading; the block fills the page."""
    ui.add_css(STYLE)
    for script in SCRIPTS:
        ui.add_body_html(f"<script>{script}</script>")
    ui.colors(primary="#1f5fbf", positive="#1d7a3a", negative="#a4262c", warning="#8a5300")
    dark = ui.dark_mode(visit.user.preferences.get("dark"))
    with ui.header().classes("frame-header items-center no-wrap"):
        ui.link("Skip to the content", addresses.here({}, CONTENT)).classes("frame-skip")
        drawer_button = ui.button(icon="menu").props('flat dense color=inherit aria-label="Navigation"')
        ui.link("AVA console", addresses.OVERVIEW if visit.may("viewer") else addresses.WORK).classes(
            "frame-name"
        )
        follow = _status_line(visit) if visit.may("viewer") else None
        ui.space()
        ui.button(icon="keyboard", on_click=_keys).props(
            'flat dense color=inherit aria-label="Keys"'
        ).classes("frame-keys")
        ui.button(icon="contrast", on_click=visit.action("annotator", lambda: _turn(visit, dark))).props(
            'flat dense color=inherit aria-label="Light or dark"'
        ).mark("dark")
        own = addresses.ACCOUNT if visit.may("viewer") else addresses.WORK
        ui.link(f"{visit.user.username} · {visit.user.role}", own).classes("frame-user")
        with ui.element("form").props(f'method="post" action="{addresses.LOGOUT}"'):
            ui.button(icon="logout").props('type=submit flat dense color=inherit aria-label="Sign out"')
    with ui.left_drawer().props(f"width=200 breakpoint={NARROW}").classes("frame-drawer") as drawer:
        drawer_button.on_click(drawer.toggle)
        with ui.element("nav").props('aria-label="Pages"'):
            for path, name, icon, key in _entries(visit):
                _entry(visit, path, name, icon, key)
    # What stands around it is a `main` already.
    with ui.element("div").classes("page").props(f"id={CONTENT} tabindex=-1"):
        ui.label(title).props("role=heading aria-level=1").classes("page-title")
        yield
    # Last, since a timer waits for the browser, and a page that has one is sent off as far as it has come.
    if follow is not None:
        ui.timer(STATUS_SECONDS, follow)


def problem(error: AvaError) -> None:
    """An error for people in the page's place."""
    with ui.card().classes("problem"):
        ui.label(error.message).classes("text-weight-bold")
        ui.label(error.cure)


def empty(what: str, todo: str, link: str = "", link_name: str = "") -> None:
    """An empty state: that there is nothing, and what to do first."""
    with ui.column().classes("empty items-center"):
        ui.label(what).classes("empty-what")
        ui.label(todo)
        if link:
            ui.link(link_name or link, link)


def heading(text: str) -> None:
    """The heading of a part of a page."""
    ui.label(text).props("role=heading aria-level=2").classes("part-title")


async def fill(place: ui.column, build: Callable[[], Any]) -> None:
    """Fill a place anew with what `build` makes, which may last; an error for people stands there instead."""
    place.clear()
    with place:
        waiting = ui.spinner()
        try:
            made = build()
            if inspect.isawaitable(made):
                await made
        except AvaError as error:
            problem(error)
        finally:
            if not waiting.is_deleted:  # the place may have been filled anew meanwhile
                waiting.delete()


def later(visit: Visit, build: Callable[[], Any]) -> None:
    """What `build` makes, in this place, once the page is there: nobody waits for what stands far below."""
    with ui.column().classes("w-full waits") as place:
        ui.spinner()

    async def filled() -> None:
        await fill(place, build)
        if not place.is_deleted:  # the page may have been left meanwhile
            place.classes(remove="waits")
            place.client.run_javascript(TO_MARK % place.html_id)

    ui.timer(0.05, visit.action("viewer", filled), once=True)


def facts(pairs: Mapping[str, object], links: Mapping[str, str] | None = None) -> None:
    """A few figures beside each other; `links` lead from some of them to what they count."""
    with ui.row().classes("facts"):
        for name, value in pairs.items():
            with ui.column().classes("fact"):
                text, target = "–" if value is None else str(value), (links or {}).get(name, "")
                (ui.link(text, target) if target and value is not None else ui.label(text)).classes(
                    "fact-value"
                )
                ui.label(name).classes("fact-name")


@contextmanager
def asking(question: str, button: str) -> Iterator[ui.dialog]:
    """A dialog that asks before something is done; await it: true where the answer is yes."""
    with ui.dialog() as dialog, ui.card().classes("asking"):
        ui.label(question).classes("text-weight-bold")
        yield dialog
        with ui.row().classes("w-full justify-end"):
            ui.button("Cancel", on_click=lambda: dialog.submit(False)).props("flat")
            ui.button(button, on_click=lambda: dialog.submit(True)).mark("confirm")
    dialog.on("hide", dialog.delete)


def _keys() -> None:
    """A dialog of all keys."""
    with ui.dialog() as dialog, ui.card():
        heading("Keys")
        with ui.element("table").classes("keys"):
            _key_row("/", "filter the table")
            _key_row("?", "this list")
            for _, name, _, key in NAVIGATION:
                _key_row(f"G {key.upper()}", name)
        heading("While reviewing")
        with ui.element("table").classes("keys"):
            for key, what in REVIEW_KEYS:
                _key_row(key, what)
        ui.button("Close", on_click=dialog.close).props("flat")
    dialog.on("hide", dialog.delete)
    dialog.open()


def _key_row(key: str, what: str) -> None:
    with ui.element("tr"):
        for text in (key, what):
            with ui.element("td"):
                ui.label(text)


def _entries(visit: Visit) -> tuple[tuple[str, str, str, str], ...]:
    if not visit.may("viewer"):
        return OWN_WORK
    return NAVIGATION + OWN_WORK if own_name(visit.user) or visit.may("admin") else NAVIGATION


def _entry(visit: Visit, path: str, name: str, icon: str, key: str) -> None:
    if path == addresses.PEOPLE and not visit.may("admin"):
        return
    here = visit.path == path or (path != addresses.OVERVIEW and visit.path.startswith(f"{path}/"))
    link = ui.link(target=path).classes("entry entry-here" if here else "entry").props(f"data-key={key}")
    if here:
        link.props("aria-current=page")
    with link:
        ui.icon(icon).props("aria-hidden=true")
        ui.label(name)


def _status_line(visit: Visit) -> Callable[[], None]:
    """The lights; what is given back brings them up to date."""

    @ui.refreshable
    def lights() -> None:
        for finding in visit.console.health.findings:
            _light(finding)

    with ui.row().classes("lights no-wrap"):
        lights()
    shown = list(visit.console.health.findings)

    def follow() -> None:
        nonlocal shown
        if visit.console.health.findings != shown:
            shown = list(visit.console.health.findings)
            lights.refresh()

    return follow


def _light(finding: Finding) -> None:
    icon = {"ok": "check_circle", "warning": "error", "failed": "cancel"}[finding.status]
    link = ui.link(target=addresses.SYSTEM).classes(f"light light-{finding.status}")
    link.props["aria-label"] = f"{finding.subject}: {finding.status}"
    with link:
        ui.icon(icon).props("aria-hidden=true")
        ui.label(finding.subject)
        ui.tooltip(finding.line)


async def _turn(visit: Visit, dark: ui.dark_mode) -> None:
    dark.value = not dark.value
    keep = users.set_preference if visit.may("viewer") else labellers.set_preference
    await asyncio.to_thread(keep, visit.console.store, visit.user.username, dark=dark.value)
