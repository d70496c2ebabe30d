"""A running embedded annotation server, and a small clip to give it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import uvicorn

from ava_core.annotation_server import Options, create_app

ADMIN, PASSWORD = "admin", "correct-horse"


@dataclass(frozen=True)
class RunningServer:
    """Where it is, and how the administrator signs in."""

    url: str
    home: Path
    username: str = ADMIN
    password: str = PASSWORD

    def api(self, username: str = ADMIN, password: str = PASSWORD) -> httpx.Client:
        """A plain HTTP client that signs in with each request."""
        # There is no TLS on loopback, and to read the machine's certificates costs more than most requests.
        return httpx.Client(base_url=self.url, auth=(username, password), timeout=30.0, verify=False)

    def add_annotators(self, *names: str, organisation: str = "ava") -> None:
        """Register accounts and take them into the organisation as workers."""
        with self.api() as api:
            api.post("/api/organizations", json={"slug": organisation})
            for name in names:
                email = f"{name}@example.org"
                secret = {"password1": PASSWORD, "password2": PASSWORD}
                api.post(
                    "/api/auth/register", json={"username": name, "email": email, **secret}
                ).raise_for_status()
                invitation = {"email": email, "role": "worker"}
                api.post("/api/invitations", params={"org": organisation}, json=invitation).raise_for_status()


@contextmanager
def serving(home: Path, port: int = 0, **options: Any) -> Iterator[RunningServer]:
    """Run the server on a port of loopback (0: a free one) for the block; its webhooks may call loopback."""
    given = Options(**{"webhook_receivers": ("127.0.0.1",)} | options)
    app = create_app(home, admin_username=ADMIN, admin_password=PASSWORD, options=given)
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield RunningServer(f"http://127.0.0.1:{port}", home)
    finally:
        server.should_exit = True
        thread.join(10)
        app.state.store.close()


def write_small_clip(path: Path) -> Path:
    """A clip of 60 frames, 96×64, 30 fps: a bright square moves to the right."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for number in range(60):
            picture = np.full((64, 96, 3), 60, np.uint8)
            picture[20:44, number : number + 12] = 220
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path
