"""Where the object store gives out files itself, the console sends browsers there by links that hold for a while."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from ava_core.base.errors import SettingsError
from ava_core.base.settings import load_settings
from ava_core.base.storage import Storage
from ava_ui.web.door import POLICY, policy_with
from ava_ui.web.files import refused, routes
from tests.support.object_store import object_store

pytest.importorskip("moto", reason="needs moto's server")
pytest.importorskip("s3fs", reason="needs s3fs")

CLIP = b"a clip of thirty bytes or so ..."


@pytest.fixture
def client() -> Iterator[TestClient]:
    """The routes of files over an object store with a clip and a release."""
    with object_store() as store:
        storage = Storage(f"s3://{store.bucket}/platform")
        storage.write_bytes(storage.path("clip.mp4"), CLIP)
        for name in ("AVA_dataset.csv", "release.json"):
            storage.write_bytes(storage.path("releases", "v1", name), name.encode())
        console: Any = SimpleNamespace(
            storage=storage,
            settings=load_settings(storage_links=store.url),
            tables=SimpleNamespace(clip=lambda batch, clip: {"path": f"{clip}.mp4"}),
        )
        app = FastAPI()
        app.include_router(routes(console))
        app.add_exception_handler(FileNotFoundError, refused)
        yield TestClient(app, follow_redirects=False)


@pytest.mark.slow
def test_clips_and_downloads_come_from_the_store(client: TestClient) -> None:
    answer = client.get("/media/clip/north/clip")
    link = answer.headers["location"]
    assert (answer.status_code, "X-Amz-Signature" in link or "Signature" in link) == (307, True)
    part = httpx.get(link, headers={"Range": "bytes=2-5"})
    assert (part.status_code, part.content, part.headers["content-type"]) == (206, CLIP[2:6], "video/mp4")
    csv = httpx.get(client.get("/download/v1/AVA_dataset.csv").headers["location"])
    assert (csv.content, csv.headers["content-disposition"]) == (
        b"AVA_dataset.csv", 'attachment; filename="v1_AVA_dataset.csv"'
    )  # fmt: skip
    assert client.get("/media/clip/north/gone").status_code == 404


def test_browsers_may_show_what_comes_from_there_and_no_more() -> None:
    assert policy_with("") == POLICY
    allowed = policy_with("https://store.example")
    assert "media-src 'self' blob: https://store.example;" in allowed
    assert "connect-src 'self' https://store.example;" in allowed
    assert "script-src 'self' 'unsafe-inline' 'unsafe-eval';" in allowed


@pytest.mark.parametrize("wrong", ["store.example", "https://a; script-src *", "https://a/path"])
def test_only_an_origin_is_taken(wrong: str) -> None:
    with pytest.raises(SettingsError, match="AVA_STORAGE_LINKS"):
        load_settings(storage_links=wrong)
