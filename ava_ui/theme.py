"""The frame of every page: navigation, status line, light and dark; and the few pieces all pages are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from nicegui import ui

from ava_core.doctor import Finding
from ava_core.errors import AvaError
from ava_core.store import users
from ava_ui.visit import Visit

STYLE: Final = (Path(__file__).parent / "static" / "style.css").read_text("utf-8")

NAVIGATION: Final = (
    ("/", "Overview", "space_dashboard"),
    ("/batches", "Batches", "video_library"),
    ("/tasks", "Tasks", "assignment_ind"),
    ("/progress", "Progress", "pending_actions"),
    ("/quality", "Quality", "fact_check"),
    ("/dataset", "Dataset", "dataset"),
    ("/metrics", "Metrics", "query_stats"),
    ("/ontology", "Ontology", "account_tree"),
    ("/audit", "Audit log", "history"),
    ("/people", "People", "group"),
)

STATUS_SECONDS: Final = 15.0
"""How often the status line of an open page takes over what the console last saw."""


@contextmanager
def frame(visit: Visit, title: str) -> Iterator[None]:
    """Navigation, status line and a heading; the block fills the page."""
    ui.add_css(STYLE)
    ui.colors(primary="#1f5fbf", positive="#1d7a3a", negative="#a4262c", warning="#8a5300")
    dark = ui.dark_mode(visit.user.preferences.get("dark"))
    with ui.header().classes("frame-header items-center no-wrap"):
        drawer_button = ui.button(icon="menu").props('flat dense color=inherit aria-label="Navigation"')
        ui.link("AVA console", "/").classes("frame-name")
        follow = _status_line(visit)
        ui.space()
        ui.button(icon="contrast", on_click=visit.action("viewer", lambda: _turn(visit, dark))).props(
            'flat dense color=inherit aria-label="Light or dark"'
        ).mark("dark")
        ui.link(f"{visit.user.username} · {visit.user.role}", "/account").classes("frame-user")
        with ui.element("form").props('method="post" action="/logout"'):
            ui.button(icon="logout").props('type=submit flat dense color=inherit aria-label="Sign out"')
    with ui.left_drawer(value=True).props("width=200 breakpoint=700").classes("frame-drawer") as drawer:
        drawer_button.on_click(drawer.toggle)
        with ui.element("nav").props('aria-label="Pages"'):
            for path, name, icon in NAVIGATION:
                _entry(visit, path, name, icon)
    with ui.element("main").classes("page"):
        ui.label(title).props("role=heading aria-level=1").classes("page-title")
        yield
    # Last, since a timer waits for the browser, and a page that has one is sent off as far as it has come.
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


def facts(pairs: dict[str, object]) -> None:
    """A few figures beside each other."""
    with ui.row().classes("facts"):
        for name, value in pairs.items():
            with ui.column().classes("fact"):
                ui.label("–" if value is None else str(value)).classes("fact-value")
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


def _entry(visit: Visit, path: str, name: str, icon: str) -> None:
    if path == "/people" and not visit.may("admin"):
        return
    here = visit.path == path or (path != "/" and visit.path.startswith(f"{path}/"))
    link = ui.link(target=path).classes("entry entry-here" if here else "entry")
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
    with ui.row().classes(f"light light-{finding.status} no-wrap"):
        ui.icon(icon).props("aria-hidden=true")
        ui.label(finding.subject)
        ui.tooltip(f"{finding.found} {finding.cure}".strip())


def _turn(visit: Visit, dark: ui.dark_mode) -> None:
    dark.value = not dark.value
    users.set_preference(visit.console.store, visit.user.username, dark=dark.value)
