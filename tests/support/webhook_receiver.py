"""A receiver of webhooks on loopback."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FAILING = "/fail500"
"""Deliveries to this path are answered with status 500."""


@dataclass(frozen=True)
class Delivery:
    """What came: path, headers, and the body as sent."""

    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        """The body's JSON."""
        return dict(json.loads(self.raw))


@dataclass
class Receiver:
    """Where it listens, and what has come so far."""

    url: str
    deliveries: list[Delivery] = field(default_factory=list)

    def wait_for(self, wanted: Callable[[Delivery], bool], seconds: float = 20.0) -> Delivery:
        """The first delivery that is `wanted`, when it comes."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for one in list(self.deliveries):
                if wanted(one):
                    return one
            time.sleep(0.01)
        raise AssertionError(f"not delivered; came: {[one.body.get('event') for one in self.deliveries]}")


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Receive webhooks for the time of the block."""
    received: list[Delivery] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            received.append(Delivery(self.path, dict(self.headers), raw))
            self.send_response(500 if self.path == FAILING else 200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 64  # a full queue costs a caller a second
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Receiver(f"http://127.0.0.1:{server.server_port}", received)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
