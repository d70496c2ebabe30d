"""Who may speak to the server at all: by which names it is called, and from which pages."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from fastapi.responses import HTMLResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

SAFE = ("GET", "HEAD", "OPTIONS")


class Doors:
    """Refuses requests under a name that is not the server's, and changes that a page of elsewhere asks for.

    A name that is not checked lets a page of elsewhere read the server's answers once its own name leads here.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.casefold() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if not self._knows(f"//{headers.get('host', '')}"):
            refusal = HTMLResponse("<h1>Bad Request (400)</h1>", 400)
        elif origin is not None and scope["method"] not in SAFE and not self._knows(origin):
            refusal = HTMLResponse("<h1>Forbidden (403)</h1>", 403)
        else:
            return await self._app(scope, receive, send)
        return await refusal(scope, receive, send)

    def _knows(self, address: str) -> bool:
        try:
            return (urlsplit(address).hostname or "") in self._hosts
        except ValueError:
            return False
