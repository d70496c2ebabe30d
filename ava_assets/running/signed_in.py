"""Dagster's webserver beyond loopback: for people with a session of the console, and the platform's own programs."""

from __future__ import annotations

import asyncio
import hmac
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse

from ava_core.base.callers import LOOPBACK, host_name
from ava_core.base.errors import StoreError
from ava_core.base.private import dagster_token
from ava_core.base.settings import Settings
from ava_core.base.sockets import SIGNED_OUT, while_signed_in
from ava_core.store import open_store, users

if TYPE_CHECKING:
    from dagster._core.workspace.context import WorkspaceRequestContext
    from starlette.types import ASGIApp, Receive, Scope, Send

    from ava_core.store.tables import User

CHANGES: Final = "admin"
"""The role that may start and end runs in the console, and so here."""

BUSY_MS: Final = 2000
"""A person waits so long for a database that another program holds."""

OF_PROXIES: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
"""Headers that say that a call comes from elsewhere, whichever address it was sent on from."""

SIGN_IN: Final = "Sign in at the console, under the same host name, then load this page again."


class SignedIn:
    """ASGI middleware. Calls that begin and end on this machine pass, for it serves one person then.

    Viewers and reviewers look (`reading_only`), admins do everything, annotators and strangers see nothing.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.settings = app, settings
        self._token = dagster_token(settings.home_dir)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, with `may_change` in its state, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        if self._is_local(scope) or self._is_program(scope):
            return await self._pass(True, scope, receive, send)
        token = HTTPConnection(scope).cookies.get(users.COOKIE, "")
        try:
            user = await asyncio.to_thread(self._user, token, used=True)
        except StoreError as error:
            return await _refuse(503, str(error), scope, receive, send)
        if user is None:
            return await _refuse(401, SIGN_IN, scope, receive, send)
        if scope["type"] == "websocket":
            receive, send = while_signed_in(receive, send, partial(self._still, token))
        return await self._pass(user.role == CHANGES, scope, receive, send)

    async def _pass(self, may_change: bool, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["may_change"] = may_change
        await self.app(scope, receive, send)

    def _user(self, token: str, *, used: bool) -> User | None:
        return users.who(open_store(self.settings, busy_ms=BUSY_MS), token, used=used)

    def _still(self, token: str) -> bool:
        try:
            return self._user(token, used=False) is not None
        except StoreError:
            return True  # nothing is known for a moment: the next look says

    def _is_local(self, scope: Scope) -> bool:
        """Whether this machine is called by itself, and is not said to be called by others as well."""
        headers, (client, _) = Headers(scope=scope), scope.get("client") or ("", 0)
        return (
            not self.settings.allowed_hosts
            and client in LOOPBACK
            and host_name(f"//{headers.get('host', '')}") in LOOPBACK
            and not any(name in headers for name in OF_PROXIES)
        )

    def _is_program(self, scope: Scope) -> bool:
        given = Headers(scope=scope).get("authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode())


def reading_only(context: Any) -> Any:
    """The process's context, whose requests change nothing where the caller may not: Dagster's own permissions.

    `context`: Dagster's `WorkspaceProcessContext`, which is changed and given back.
    """
    from dagster._core.workspace.context import WorkspaceRequestContext

    make = context.create_request_context

    def made(source: HTTPConnection | None = None) -> WorkspaceRequestContext:
        found: WorkspaceRequestContext = make(source)
        if source is not None and source.state.may_change:
            return found
        return WorkspaceRequestContext(
            instance=found.instance, current_workspace=found.get_current_workspace(), process_context=context,
            version=found.version, source=source, read_only=True,
        )  # fmt: skip

    context.create_request_context = made
    return context


async def _refuse(status: int, said: str, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": SIGNED_OUT if status == 401 else 1013})
    else:
        await PlainTextResponse(said, status)(scope, receive, send)
