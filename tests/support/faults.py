"""A proxy before the annotation server that does to requests what networks and busy servers do."""

from __future__ import annotations

import http.client
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HTML_500 = b"<!doctype html><html><title>Server Error (500)</title></html>"
HOP_HEADERS = frozenset({"connection", "keep-alive", "transfer-encoding", "host", "content-length"})

Headers = list[tuple[str, str]]

KINDS = (
    "slow", "refused", "failed before", "failed after", "dropped before", "dropped mid-upload", "dropped after",
    "cut off",
)  # fmt: skip
"""What happens to a request: 429 with Retry-After, 500 and broken connections before or after the server acted."""


@dataclass
class FaultyServer:
    """A proxy to `target`; each request has a fault with probability `rate`."""

    target: str
    rate: float
    seed: int
    restart: Callable[[], str] | None = None
    restart_at: frozenset[int] = frozenset()
    latency: float = 0.0
    url: str = ""
    requests: int = 0
    met: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._draw = random.Random(self.seed)
        self._lock = threading.Lock()
        self._up = threading.Event()
        self._up.set()

    def next_fate(self, method: str, path: str) -> str:
        """What such a request meets; "" where all goes well."""
        return self._draw.choice(KINDS) if self._draw.random() < self.rate else ""

    def fate(self, method: str, path: str) -> str:
        """What the next request meets, a restart included."""
        with self._lock:
            self.requests += 1
            restarts = self.requests in self.restart_at
            kind = self.next_fate(method, path)
            self.met["restart" if restarts else kind] += 1
        if restarts and self.restart is not None:
            self._up.clear()
            self.target = self.restart()
            self._up.set()
            return "dropped before"
        return kind if self._up.is_set() else "dropped before"

    def forward(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, Headers, bytes]:
        """Ask the server itself."""
        where = urlsplit(self.target)
        connection = http.client.HTTPConnection(where.hostname or "", where.port or 0, timeout=60)
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()


@contextmanager
def faulty(server: FaultyServer) -> Iterator[FaultyServer]:
    """Run the proxy for the time of the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            fate = server.fate(self.command, self.path)
            if server.latency:
                time.sleep(server.latency)
            length = int(self.headers.get("Content-Length") or 0)
            if fate == "dropped mid-upload":
                self.rfile.read(length // 2)
                return self.drop()
            body = self.rfile.read(length)
            if fate == "slow":
                time.sleep(0.2)
            if fate == "refused":
                return self.say(429, [("Retry-After", "1")], b'{"detail": "Request was throttled."}')
            if fate == "failed before":
                return self.say(500, [("Content-Type", "text/html")], HTML_500)
            if fate == "dropped before":
                return self.drop()
            headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP_HEADERS}
            try:
                status, answered, content = server.forward(self.command, self.path, headers, body)
            except OSError:
                return self.drop()
            if fate == "failed after":
                return self.say(500, [("Content-Type", "text/html")], HTML_500)
            if fate == "dropped after":
                return self.drop()
            if fate == "cut off":
                content = content[: len(content) // 2]
            return self.say(status, answered, content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = answer  # noqa: N815

        def say(self, status: int, headers: Headers, content: bytes) -> None:
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in HOP_HEADERS:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def drop(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 64
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a caller that hung up is what this is for

    proxy = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{proxy.server_port}"
    try:
        yield server
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join(5)
