"""An object appears in a store once all of it is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ava_core.base.storage import Storage
from tests.support.object_store import ObjectStore, object_store

pytest.importorskip("moto", reason="needs moto's server")
s3fs = pytest.importorskip("s3fs", reason="needs s3fs")

PART = 5 << 20
"""Bytes: the least that a store takes as a part."""


@pytest.fixture
def store() -> Iterator[ObjectStore]:
    with object_store() as running:
        yield running


@pytest.mark.slow
def test_an_upload_that_breaks_leaves_neither_half_an_object_nor_parts(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = Storage(f"s3://{store.bucket}/platform")
    path = storage.path("clip.mp4")
    storage.write_bytes(path, b"old")
    call = s3fs.S3FileSystem._call_s3
    parts: list[int] = []

    async def broken(self: Any, method: str, *given: Any, **named: Any) -> Any:
        if method == "upload_part":
            parts.append(named["PartNumber"])
            if named["PartNumber"] == 2:
                raise ConnectionError("the line is down")
        return await call(self, method, *given, **named)

    monkeypatch.setattr("s3fs.core.calculate_chunksize", lambda *_, **__: PART)
    monkeypatch.setattr(s3fs.S3FileSystem, "_call_s3", broken)
    with pytest.raises(ConnectionError):
        storage.write_bytes(path, bytes(3 * PART))
    assert 2 in parts, "it broke on the way"
    assert path.read_bytes() == b"old"
    assert storage.root.fs.list_multipart_uploads(store.bucket) == []
