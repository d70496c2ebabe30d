"""The built docs site in a real browser: every page is whole in light and dark, links lead, search finds."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.browser import CHROMIUM, CHROMIUM_ARGS, SIZES

ROOT = Path(__file__).resolve().parent.parent

pytestmark = [
    pytest.mark.slow,
    pytest.mark.nightly,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="a browser: chromium is not installed"),
]


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a line for each."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site's folder, built as `make docs` builds it."""
    folder = tmp_path_factory.mktemp("site")
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder], cwd=ROOT, check=True
    )
    return folder


@pytest.fixture(scope="module")
def url(site: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        yield browser
        browser.close()


def photograph(page: Page, name: str) -> None:
    """Keep a picture of the page where TEST_SCREENSHOTS asks for it."""
    if folder := os.environ.get("TEST_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"site_{name}.png")


def visited(browser: Browser, scheme: str) -> tuple[Page, list[str], list[str]]:
    """A page, what goes wrong on it, and what it asks for."""
    width, height = SIZES["laptop"]
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
    troubles: list[str] = []
    asked: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
    page.on("request", lambda request: asked.append(request.url))
    return page, troubles, asked


@pytest.mark.parametrize(("scheme", "background"), [("light", 255), ("dark", 30)])
def test_every_page_is_whole(site: Path, url: str, browser: Browser, scheme: str, background: int) -> None:
    page, troubles, asked = visited(browser, scheme)
    pages = sorted(path.parent.relative_to(site).as_posix() for path in site.rglob("index.html"))
    assert len(pages) > 30
    for path in pages:
        page.goto(f"{url}/{path}/".replace("/./", "/"))
        assert page.locator("article h1").count() == 1, path
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{path} scrolls sideways by {wide} px"
        broken = page.evaluate(
            "[...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
        )
        assert broken == [], path
        shade = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
        assert abs(max(shade[:3]) - background) < 20, path
        photograph(page, f"{path.replace('/', '_')}_{scheme}".replace("._", "start_"))
    assert troubles == []
    assert [one for one in asked if not one.startswith((url, "data:", "blob:"))] == []


def test_search_finds_a_page_by_its_words(url: str, browser: Browser) -> None:
    page, troubles, _ = visited(browser, "light")
    page.goto(f"{url}/")
    page.get_by_placeholder("Search").first.click()
    page.get_by_placeholder("Search").first.press_sequentially("entry points")
    first = page.locator(".md-search-result__link").first
    first.wait_for()
    photograph(page, "search")
    first.click()
    page.wait_for_url(lambda address: urlsplit(address).path != "/")
    assert "entry points" in page.locator("article").inner_text().lower()
    assert troubles == []


def test_every_link_leads_to_a_page_and_a_place_on_it(site: Path, url: str, browser: Browser) -> None:
    page, _, _ = visited(browser, "light")
    places: dict[Path, set[str]] = {}
    links: list[tuple[Path, str]] = []
    for file in site.rglob("*.html"):
        page.set_content(file.read_text("utf-8"), wait_until="commit")
        places[file] = set(page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)"))
        hrefs = page.evaluate(
            "[...document.querySelectorAll('article a[href]')].map(e => e.getAttribute('href'))"
        )
        links += [(file, href) for href in hrefs]
    lost = []
    for file, href in links:
        parts = urlsplit(href)
        if parts.scheme or parts.netloc:
            continue
        target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
        target = target / "index.html" if target.is_dir() else target
        if not target.is_file() or (
            parts.fragment and unquote(parts.fragment) not in places.get(target, set())
        ):
            lost.append((file.relative_to(site).as_posix(), href))
    assert len(links) > 300
    assert lost == []
