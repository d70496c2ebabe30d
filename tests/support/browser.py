"""Somebody at a real browser."""

from __future__ import annotations

from playwright.sync_api import Browser, Page

from tests.support.street import PASSWORD

CHROMIUM = "/usr/bin/chromium"
CHROMIUM_ARGS = ["--no-sandbox", "--disable-dev-shm-usage"]
SIZES = {"laptop": (1280, 800), "wide": (1920, 1080), "tablet": (1024, 1366), "phone": (390, 844)}


class Visitor:
    """Somebody who signs in, at first with the one-time `code`; notes what goes wrong and who else is asked."""

    def __init__(
        self,
        browser: Browser,
        url: str,
        name: str,
        *,
        password: str = PASSWORD,
        code: str = "",
        size: str = "laptop",
        dark: bool = False,
    ) -> None:
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        self.page: Page = context.new_page()
        self.url, self.troubles, self.elsewhere = url, [], []
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("console", lambda m: self.troubles.append(m.text) if m.type == "error" else None)
        self.page.on("request", lambda r: self.elsewhere.append(r.url) if not self._is_own(r.url) else None)
        self.page.goto(f"{url}/login")
        if code:
            self.page.get_by_label("One-time code").fill(code)
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(password)
        with self.page.expect_navigation(url=lambda url: "/login" not in url):
            self.page.get_by_role("button").click()

    def open(self, path: str) -> None:
        self.page.goto(self.url + path)
        self.page.wait_for_selector(".page-title")
        # What is clicked before the page has its connection is not heard by the console.
        self.page.wait_for_function("window.did_handshake && !document.querySelector('.waits')")

    def _is_own(self, url: str) -> bool:
        return url.startswith((self.url, "data:", "blob:"))
