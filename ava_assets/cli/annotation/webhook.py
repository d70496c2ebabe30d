"""`ava webhook`: the webhook's endpoint alone, where no console runs."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from ava_core.base.errors import SettingsError
from ava_core.base.settings import load_settings

PORT = 8503


def webhook(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = PORT,
    host: Annotated[
        str, typer.Option(help="Address to listen on; another machine's CVAT needs a reverse proxy with TLS.")
    ] = "127.0.0.1",
) -> None:
    """Receive CVAT's webhook at `/webhook`; the console does so itself, this is for where none runs.

    Example: `AVA_WEBHOOK_SECRET=… ava webhook --port 8503`
    """
    import uvicorn

    from ava_core.annotation.webhook import webhook_app
    from ava_core.store import open_store

    settings = load_settings()
    if settings.webhook_secret is None:
        raise SettingsError(
            "AVA_WEBHOOK_SECRET is not set, so no delivery can be trusted.",
            "Set it to the secret that `ava cvat setup` gave to CVAT.",
        )
    open_store(settings)
    Console().print(f"Webhook             http://{host}:{port}/webhook")
    uvicorn.run(webhook_app(settings), host=host, port=port, log_level="warning")
