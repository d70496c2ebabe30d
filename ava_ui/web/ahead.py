"""What comes often or is large goes past the layers that NiceGUI's own `run` puts around everything.

They cost a delivery of the webhook, and a piece of an upload, more than the rest of the way: each bit of a body goes
through a task of its own.
"""

from __future__ import annotations

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from ava_ui import addresses
from ava_ui.web.door import Door

PATHS = (addresses.WEBHOOK, addresses.UPLOAD.partition("{")[0])


class Ahead:
    """ASGI: the application in all its layers, and for some paths under its door alone."""

    def __init__(self, layered: ASGIApp, short: ASGIApp) -> None:
        self.layered, self.short = layered, short

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_short = scope["type"] == "http" and scope["path"].startswith(PATHS)
        await (self.short if is_short else self.layered)(scope, receive, send)


def put_ahead(app: FastAPI) -> None:
    """Let webhook and uploads take the short way, once the application starts."""
    layers = type(app).build_middleware_stack

    def build() -> Ahead:
        every = app.user_middleware
        layered = layers(app)
        app.user_middleware = [one for one in every if one.cls is Door]  # type: ignore[comparison-overlap]
        short = layers(app)
        app.user_middleware = every
        return Ahead(layered, short)

    app.build_middleware_stack = build  # type: ignore[method-assign]
