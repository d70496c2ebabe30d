"""A real S3 server on this machine, which counts what it is asked for, and may answer late."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


class ObjectStore:
    """`asked`: (method, whether it is about pictures, whether the store itself copies), counted."""

    def __init__(self, latency: float) -> None:
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import make_server

        self.bucket = (
            f"ava-{secrets.token_hex(4)}"  # the server keeps its buckets as long as the process lives
        )
        self.latency, self.asked = latency, Counter[tuple[str, bool, bool]]()
        self._app = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Any:
        picture = environ["PATH_INFO"].endswith((".jpg", ".tar"))
        self.asked[environ["REQUEST_METHOD"], picture, "HTTP_X_AMZ_COPY_SOURCE" in environ] += 1
        time.sleep(self.latency)
        return self._app(environ, start_response)

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()


@contextmanager
def object_store(latency: float = 0.0) -> Iterator[ObjectStore]:
    """The server, an empty bucket, and the variables by which clients find them; `latency`: of each answer, in s."""
    import fsspec

    store = ObjectStore(latency)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": store.url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1", "MOTO_S3_CUSTOM_ENDPOINTS": store.url,
        }.items():  # fmt: skip
            patch.setenv(name, value)
        # Clients are kept by their options, which do not name the server.
        fsspec.get_filesystem_class("s3").clear_instance_cache()
        fsspec.filesystem("s3").mkdir(store.bucket)
        try:
            yield store
        finally:
            fsspec.get_filesystem_class("s3").clear_instance_cache()
            store.stop()
