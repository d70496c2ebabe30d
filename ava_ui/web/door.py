"""The door: who has no session sees the login, and nothing else; pages of elsewhere get nothing done.

Login, first sign-up and sign-out are plain forms without script, so that a password manager knows them and
nothing of the application is served before somebody is let in.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from functools import partial
from html import escape
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ava_core.annotation.labeller import Labeller, sign_in_anybody
from ava_core.annotation.own_account import label_again
from ava_core.annotation.webhook import webhook_app
from ava_core.base.callers import Callers
from ava_core.base.errors import AvaError, StoreError
from ava_core.base.sockets import SIGNED_OUT, while_signed_in
from ava_core.store import audit_log, labellers, users
from ava_core.store.tables import User
from ava_ui import addresses
from ava_ui.known.console import Console
from ava_ui.web.own_work import may_see

COOKIE: Final = users.COOKIE
OPEN_PATHS: Final = frozenset({addresses.LOGIN, addresses.FIRST, "/favicon.ico"})
"""Answered without a session."""

POLICY: Final = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'self'; form-action 'self'"
)
"""Browsers ask nobody but this console. Vue compiles components in the browser, which needs the two unsafe words."""

GUARDS: Final = (
    (b"x-frame-options", b"DENY"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
)

PAGE: Final = (Path(__file__).parent / "login.html").read_text("utf-8")


class Door:
    """ASGI middleware: puts the session's user into the request's state, or turns the caller away."""

    def __init__(self, app: ASGIApp, console: Console) -> None:
        self.app, self.console = app, console
        self.webhook = webhook_app(console.settings)
        self.callers = Callers(self._admit, console.settings.allowed_hosts)
        policy = policy_with(console.settings.storage_links)
        self.guards = ((b"content-security-policy", policy.encode()), *GUARDS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.callers(scope, receive, send)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["path"] == addresses.WEBHOOK:  # open as well, for deliveries that are signed
            await self.webhook(scope, receive, send)
            return
        connection, send = HTTPConnection(scope), _guarded(send, self.guards)
        token = connection.cookies.get(COOKIE, "")
        try:
            # In a thread: a database that another program holds must cost this caller time, and nobody else.
            user, labeller, theirs = await asyncio.to_thread(self._known, token, scope["path"])
        except StoreError as error:
            await _put_off(scope, receive, send, error)
            return
        scope.setdefault("state", {}).update(user=user, token=token, labeller=labeller)
        if user is not None and not theirs:
            await _not_theirs(connection)(scope, receive, send)
        elif user is not None or scope["path"] in OPEN_PATHS:
            if scope["type"] == "websocket":
                receive, send = while_signed_in(receive, send, partial(self._still, token))
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": SIGNED_OUT})
        else:
            await _turned_away(connection)(scope, receive, send)

    def _known(self, token: str, path: str) -> tuple[User | None, Labeller | None, bool]:
        """Whose session it is, as a person and as an annotator, and whether that person may see the path."""
        store = self.console.store
        user = labellers.anybody(store, token)
        own = labellers.opened(store, token) if user is not None else None
        theirs = user is None or user.role != "annotator" or may_see(store, user, path)
        return user, Labeller(*own) if own else None, theirs

    def _still(self, token: str) -> bool:
        """Whether a session has not ended; a page that stands open does not keep it alive."""
        try:
            return labellers.anybody(self.console.store, token, used=False) is not None
        except StoreError:
            return True  # nothing is known for a moment: the next look says


async def _put_off(scope: Scope, receive: Receive, send: Send, error: StoreError) -> None:
    """The database cannot be asked now: the caller is told so, and may come again."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1013})
    else:
        await Response(str(error), 503, {"Retry-After": "2"}, "text/plain")(scope, receive, send)


def policy_with(store: str) -> str:
    """`POLICY` under which clips may come from the object store at this address, too; "" for none."""
    return re.sub(r"((?:img|media|connect)-src 'self'[^;]*)", rf"\1 {store}", POLICY) if store else POLICY


def _guarded(send: Send, guards: Sequence[tuple[bytes, bytes]]) -> Send:
    """Adds to every answer what keeps other sites from framing it or guessing its type."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *guards]
        await send(message)

    return sending


def routes(console: Console) -> APIRouter:
    """Login, first sign-up, sign-out."""
    router = APIRouter()

    @router.get(addresses.LOGIN)
    def login(next: str = addresses.OVERVIEW) -> HTMLResponse:
        return _form(console, after=next)

    @router.post(addresses.LOGIN)
    def sign_in(
        request: Request,
        username: str = Form(""),
        password: str = Form(""),
        next: str = Form(addresses.OVERVIEW),
    ) -> Response:
        try:
            token = sign_in_anybody(
                console.settings, console.store, username, password, source=_source(request)
            )
        except AvaError as error:
            return _form(console, after=next, username=username, problem=str(error))
        label_again(console.settings, console.store, token)
        return _let_in(request, token, next)

    @router.post(addresses.FIRST)
    def sign_up(
        request: Request, code: str = Form(""), username: str = Form(""), password: str = Form("")
    ) -> Response:
        try:
            token = users.sign_up_first(
                console.store, console.settings.home_dir, code, username, password, source=_source(request)
            )
        except AvaError as error:
            return _form(console, username=username, code=code, problem=str(error))
        return _let_in(request, token, addresses.OVERVIEW)

    @router.post(addresses.LOGOUT)
    def sign_out(request: Request) -> Response:
        users.sign_out(console.store, request.state.token)
        labellers.sign_out(console.store, request.state.token)
        audit_log.note(console.store, request.state.user.username, "sign out")
        answer = RedirectResponse(addresses.LOGIN, 303)
        answer.delete_cookie(COOKIE)
        return answer

    return router


def _form(
    console: Console,
    *,
    after: str = addresses.OVERVIEW,
    username: str = "",
    code: str = "",
    problem: str = "",
) -> HTMLResponse:
    first = users.first_code(console.store, console.settings.home_dir) is not None
    words = {
        "mode": "first" if first else "login",
        "action": addresses.FIRST if first else addresses.LOGIN,
        "title": "Make the first admin" if first else "Sign in",
        "button": "Make account" if first else "Sign in",
        "autocomplete": "new-password" if first else "current-password",
        "next": _local(after),
        "username": username,
        "code": code,
        "rule": users.PASSWORD_RULE,
        "problem": problem,
    }
    page = PAGE
    for name, value in words.items():
        page = page.replace("{{" + name + "}}", escape(value, quote=True))
    return HTMLResponse(page, 403 if problem else 200, {"Cache-Control": "no-store"})


def _let_in(request: Request, token: str, after: str) -> Response:
    answer = RedirectResponse(_local(after), 303)
    answer.set_cookie(
        COOKIE, token, httponly=True, samesite="lax", secure=request.url.scheme == "https",
        max_age=int(users.SIGNED_IN_FOR.total_seconds()),
    )  # fmt: skip
    return answer


def _source(request: Request) -> str:
    """Where a request comes from: the caller's address, or what a proxy on this machine says it is."""
    return request.client.host if request.client else ""


def _local(address: str) -> str:
    """The address if it leads to this console, else the first page."""
    parts = urlsplit(address)
    plain = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if plain and not parts.netloc and not parts.scheme else addresses.OVERVIEW


def _not_theirs(connection: HTTPConnection) -> Response:
    """An annotator is led from the first page to their work; all else that is not theirs is refused."""
    if connection.scope["path"] == addresses.OVERVIEW:
        return RedirectResponse(addresses.WORK, 303)
    return Response(f"Annotators see only their own work: {addresses.WORK}.", 403, media_type="text/plain")


def _turned_away(connection: HTTPConnection) -> Response:
    """Pages lead to the login and back; anything else is refused."""
    if "text/html" in connection.headers.get("accept", ""):
        where = connection.url.replace(scheme="", netloc="")
        return RedirectResponse(addresses.login(str(where)), 303)
    return Response("Sign in first.", 401, media_type="text/plain")
