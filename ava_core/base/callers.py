"""Who may call a server of this machine: under which names, and from the pages of which sites."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
"""Names by which a machine calls itself."""

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Callers:
    """ASGI middleware: refuses calls under a strange name, and what a strange site's page wants to change.

    Without the first, a site whose name is led to this machine could read all answers; without the second, any site
    could act in the name of a person who looks at it. A caller that is no browser sends no Origin, and is let through.

    `hosts`: names beyond loopback. `json_only`: paths whose POST takes JSON alone, which a foreign form cannot send;
    a GET of theirs with a query is refused.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = (), json_only: Collection[str] = ()) -> None:
        self.app = app
        self._given = frozenset(host.casefold() for host in hosts)
        self._json_only = frozenset(json_only)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, or refuse it."""
        problem = self._problem(scope) if scope["type"] in ("http", "websocket") else None
        if problem is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 4403, "reason": problem[1]})
        else:
            from starlette.responses import PlainTextResponse

            await PlainTextResponse(problem[1], problem[0])(scope, receive, send)

    def _problem(self, scope: Scope) -> tuple[int, str] | None:
        from starlette.datastructures import Headers

        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        method = scope.get("method", "websocket")
        if len(headers.getlist("host")) != 1 or host_name(f"//{host}") not in LOOPBACK | self._given:
            return 400, f"This server is not called {host!r}. Add the name to `AVA_ALLOW_HOSTS` to allow it."
        if origin is not None and method not in SAFE_METHODS and not self._is_own(origin, host):
            return (
                403,
                f"A page of {origin!r} may not do this. Add its host to `AVA_ALLOW_HOSTS` to allow it.",
            )
        if scope["path"].rstrip("/") in self._json_only:
            return _no_json(method, headers.get("content-type", ""), scope.get("query_string", b""))
        return None

    def _is_own(self, origin: str, host: str) -> bool:
        """Of this very server; behind a proxy, which may call it by another name, of a site that was named.

        Another port of this machine is another server, whose pages are not trusted.
        """
        _, mark, place = origin.casefold().partition("://")
        return bool(mark) and (place == host.casefold() or host_name(origin) in self._given)


def _no_json(method: str, content_type: str, query: bytes) -> tuple[int, str] | None:
    if method == "POST" and content_type.partition(";")[0].strip().casefold() != "application/json":
        return 415, "POST accepts only application/json."
    if method in SAFE_METHODS and query:
        return 405, "Send queries by POST."
    return None


def host_name(address: str) -> str:
    """The host of an address, in small letters; "" where it has none."""
    try:
        return (urlsplit(address).hostname or "").casefold()
    except ValueError:
        return ""
