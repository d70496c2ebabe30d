"""Every address leads to its page, and nobody writes one by hand."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from nicegui import core
from nicegui.testing import User
from starlette.routing import Match

import ava_ui
from ava_core.base import console_pages
from ava_core.base.settings import load_settings
from ava_ui import addresses
from ava_ui.addresses import cell
from ava_ui.known.console import Console
from ava_ui.main import PAGES
from ava_ui.web import door, files, uploads
from tests.support.site import Site
from tests.support.street import PARAMS, SEEN
from tests.support.waiting import eventually

ROUTES = {name: route for name, route in vars(addresses).items() if name.isupper()}

LED_TO = {
    "BATCH": addresses.batch("street", "clips"),
    "CLIP": addresses.clip("street", "clip_0000"),
    "RUN": addresses.run("0123-abc"),
    "TASKS": addresses.tasks("street"),
    "PROGRESS": addresses.progress("street", clip="clip_0000", annotator="mia", state="completed"),
    "QUALITY": addresses.quality("street", "pending"),
    "PRACTISE": addresses.practise(3),
    "LABEL": addresses.label(10, frame=30),
    "READINGS": addresses.readings("street", 1),
    "AGREEMENT": addresses.agreement("street", {"a": "mia", "b": "tom"}, "diverging"),
    "ANNOTATORS": addresses.annotators("street"),
    "ADJUDICATION": addresses.answer("street", "clip_0000", 2, 1, "posture"),
    "BLIND_AUDIT": addresses.blind_audit("street", 1),
    "GOLD": addresses.gold("street"),
    "REVIEW": addresses.review("street", "clip_0000", 60),
    "RELEASE": addresses.release("v1", "splits"),
    "COMPARISON": addresses.comparison("v1", "v2"),
    "ONTOLOGY": addresses.ontology("/home/ontologies/street_v2.yaml"),
    "LOGIN": addresses.login("/quality?batch=street"),
    "CLIP_VIDEO": addresses.clip_video("street", "clip_0000"),
    "KEYFRAME": addresses.keyframe("street", "clip_0000", 3),
    "TRACKS_SHOWN": addresses.tracks_shown("street", "clip_0000"),
    "REVIEW_SHOWN": addresses.review_shown("street", "clip_0000"),
    "AUDIT_SHOWN": addresses.audit_shown("street", 7),
    "EXAMPLE": addresses.example(2, still=True),
    "CONTACT_SHEET": addresses.contact_sheet("street"),
    "RELEASE_PICTURE": addresses.release_picture("v1", "frames/clip_0000/0903.jpg"),
    "RELEASE_CSV": addresses.release_csv("v1"),
    "RELEASE_ZIP": addresses.release_zip("v1"),
    "RELEASE_FILE": addresses.release_file("v1", "annotations/ava_train_v2.2.csv"),
}
"""What each function gives, by the constant that it leads to."""

ELSEWHERE = {"FIRST", "LOGOUT", "UPLOAD", "WEBHOOK", "LABELLING", "PRACTISING", "LABELLING_SCRIPTS"}
"""Addresses that take no visits of a page's kind: forms, pieces of uploads, signed deliveries, and what the
page for labelling asks for."""


def led_to(console: Console, address: str) -> str:
    """The route that answers an address."""
    wanted = {"type": "http", "method": "GET", "path": urlsplit(address).path, "root_path": ""}
    parts = [route for part in (door, files, uploads) for route in part.routes(console).routes]
    answering = (route for route in (*parts, *core.app.routes) if route.matches(wanted)[0] == Match.FULL)
    return str(getattr(next(answering), "path", ""))


async def test_every_address_leads_to_where_it_says(site: Site) -> None:
    plain = {name: route for name, route in ROUTES.items() if "{" not in route and name not in ELSEWHERE}
    given = plain | LED_TO
    assert set(given) == set(ROUTES) - ELSEWHERE, "every constant is looked at"
    assert {name: led_to(site.console, address) for name, address in given.items()} == {
        name: ROUTES[name] for name in given
    }


async def test_every_page_stands_at_one_of_the_addresses_and_opens(site: Site) -> None:
    adam = site.enter("adam").http_client
    opened = {ROUTES[name]: address for name, address in LED_TO.items()}
    paths = [page.path for page in PAGES]
    assert set(paths) <= set(ROUTES.values())
    assert len(set(paths)) == len(paths)
    for page in PAGES:
        answer = await adam.get(opened.get(page.path, page.path))
        assert answer.status_code == 200, page.path
        assert page.title.split("{")[0].strip() in answer.text
    assert (await adam.get("/nowhere")).status_code == 404


def test_others_link_to_the_same_pages() -> None:
    """What Dagster and tables link to is what the console itself does."""
    settings, batch = load_settings(), "north gate"
    own = {
        console_pages.BATCH: addresses.batch(batch),
        console_pages.PROGRESS: addresses.progress(batch),
        console_pages.QUALITY: addresses.quality(batch),
        console_pages.AGREEMENT: addresses.agreement(batch),
    }
    start = f"http://127.0.0.1:{settings.console_port}"
    for page, address in own.items():
        assert console_pages.on_console(settings, page, batch=batch) == start + address


def test_what_is_asked_arrives_as_it_was() -> None:
    odd = {"batch": "a&b=c", "clip": "ü #1", "annotator": "x?y", "state": "50 %"}
    address = addresses.progress(
        odd["batch"], clip=odd["clip"], annotator=odd["annotator"], state=odd["state"]
    )
    assert {name: value for name, [value] in parse_qs(urlsplit(address).query).items()} == odd
    assert urlsplit(address).fragment == ""


def test_what_is_not_asked_is_left_out() -> None:
    assert addresses.progress() == "/progress"
    assert addresses.quality(status="approved") == "/quality?status=approved"
    assert addresses.adjudication("b", at=0) == "/quality/b/adjudication?at=0", "nothing is not 0"


def test_a_cell_becomes_a_part_of_each_rows_address() -> None:
    link = addresses.review(cell("batch"), cell("clip_id"), cell("frame"))
    assert link.format(batch="b", clip_id="c", frame=30) == addresses.review("b", "c", 30)
    mixed = addresses.review("b", cell("clip_id"))
    assert mixed.format(clip_id="c") == addresses.review("b", "c")


def test_a_value_with_braces_is_no_cell() -> None:
    assert "{" not in addresses.batch("{clip_id}")


def by_hand(source: str) -> list[str]:
    """Pieces of addresses of this console among the strings of a module; words about code do not count."""
    first = "|".join(sorted({route.split("/")[1] for route in ROUTES.values()} - {""}))
    own = re.compile(rf"(^|[\"'=(])/({first})(?=[/?#\"']|$)|^\?[\w.]+=")
    tree = ast.parse(source)
    words = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    strings = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in words
    ]
    begun = [
        str(node.values[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant)
    ]
    of_this_page = [start for start in begun if re.fullmatch(r"[?#][\w.=]*", start)]
    return [text for text in strings if own.search(text)] + of_this_page


@pytest.mark.parametrize(
    "line",
    [
        'ui.link("x", f"/batches/{name}")', 'links={"a": "/quality/{batch}/clips/{clip_id}"}', 'go("/tasks")',
        'img = f\'src="/media/sheet/{name}"\'', 'links = {"a": "?row={row}#trace"}', 'go(f"?{table}.split={split}")',
        'ui.link("x", f"#{anchor}")', 'go("/progress?batch=" + name)', 'go("/audit#last")',
    ],
)  # fmt: skip
def test_an_address_that_is_written_by_hand_is_found(line: str) -> None:
    assert by_hand(line)


@pytest.mark.parametrize(
    "line",
    ['"""Looks at `/batches`."""', 'key("/", "filter")', 'colour = "#ffd23f"', 'name = "?"',
     'path("releases", name)', '"/proc/self"'],
)  # fmt: skip
def test_other_strings_are_none(line: str) -> None:
    assert by_hand(line) == []


def modules() -> Iterator[Path]:
    """All of the console's modules but the one that holds the addresses."""
    root = Path(ava_ui.__file__).parent
    return (path for path in sorted(root.rglob("*.py")) if path != Path(addresses.__file__))


def test_nobody_writes_an_address_by_hand() -> None:
    found = {path.name: by_hand(path.read_text("utf-8")) for path in modules()}
    assert {name: pieces for name, pieces in found.items() if pieces} == {}


def own_links(user: User) -> set[str]:
    """Addresses of this console to which what a visitor sees leads: links, and cells of tables."""
    assert user.client is not None
    found = set[str]()
    for element in user.client.elements.values():
        found.update(str(element.props[name]) for name in ("href", "action") if element.props.get(name))
        for row in element.props.get("rows", []):
            found.update(value for name, value in row.items() if name.startswith("href "))
        for name in ("innerHTML", "src"):
            text = str(element.props.get(name) or "")
            found.update([text] if name == "src" else re.findall(r'(?:href|src)="([^"]+)"', text))
    return found


def still_filled(user: User) -> bool:
    """Whether a part of the page is still to come."""
    assert user.client is not None
    return any("waits" in element.classes for element in user.client.elements.values())


async def test_every_link_of_every_page_leads_somewhere(site: Site) -> None:
    adam = site.enter("adam")
    links: dict[str, str] = {}
    for page in PAGES:
        await adam.open(page.path.format(**PARAMS))
        await adam.should_see(SEEN[page.path], retries=50)
        await eventually(lambda: not still_filled(adam))
        for link in own_links(adam):
            links.setdefault(urljoin(page.path.format(**PARAMS), link).split("#")[0], page.path)
    here = {link for link in links if link.startswith("/") and link != addresses.LOGOUT}
    assert len(here) > 50
    answers = {link: (await adam.http_client.get(link)).status_code for link in sorted(here)}
    assert {link: (code, links[link]) for link, code in answers.items() if code >= 400} == {}
