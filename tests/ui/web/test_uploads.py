"""Uploads in pieces: resumed where they stopped, kept where they cannot be taken, named safely."""

from __future__ import annotations

import asyncio
import errno
import zipfile
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from unittest.mock import Mock

import pytest
from starlette.middleware.base import BaseHTTPMiddleware

from ava_core.base.errors import InputError, QuotaError
from ava_core.store import batches
from ava_core.video.intake.inbox import add_to_inbox
from ava_core.video.intake.uploads import Quota, Uploads, uploads_of
from ava_ui.web.uploads import LARGEST_PIECE
from tests.support.site import Site
from tests.support.waiting import eventually

KEY, OTHER = "0123456789abcdef", "fedcba9876543210"


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    """An empty place for uploads."""
    return Uploads(tmp_path / "uploads", "ann", Quota(person=20, total=30))


def test_pieces_come_together_in_order(uploads: Uploads) -> None:
    assert uploads.append(KEY, 0, b"abc") == 3
    with pytest.raises(InputError, match="3 bytes are there"):
        uploads.append(KEY, 0, b"abc")
    assert uploads.append(KEY, uploads.received(KEY), b"def") == 6
    with uploads.taken({KEY: "a.zip"}) as path:
        assert (path.name, path.read_bytes()) == ("a.zip", b"abcdef")
    assert uploads.received(KEY) == 0
    assert list(uploads.own.iterdir()) == []


def test_what_cannot_be_taken_is_kept(uploads: Uploads) -> None:
    uploads.append(KEY, 0, b"abc")
    with pytest.raises(InputError, match="no batch"), uploads.taken({KEY: "a.zip"}):
        raise InputError("no batch")
    assert uploads.received(KEY) == 3


def test_several_files_become_a_folder(uploads: Uploads) -> None:
    uploads.append(KEY, 0, b"1")
    uploads.append(OTHER, 0, b"2")
    with uploads.taken({KEY: "frames.zip", OTHER: "dense_proposals.pkl"}) as path:
        assert {file.name: file.read_bytes() for file in path.iterdir()} == {
            "frames.zip": b"1",
            "dense_proposals.pkl": b"2",
        }


@pytest.mark.parametrize("name", ["../../evil.zip", "..\\evil.zip", "/etc/evil.zip", ".evil.zip"])
def test_names_never_leave_the_folder(uploads: Uploads, name: str) -> None:
    uploads.append(KEY, 0, b"abc")
    with uploads.taken({KEY: name}) as path:
        assert path.name == "evil.zip"
        assert path.is_relative_to(uploads.folder)


@pytest.mark.parametrize("key", ["../x", "", "0123", "G" * 20])
def test_keys_are_checked(uploads: Uploads, key: str) -> None:
    with pytest.raises(InputError, match="no upload"):
        uploads.received(key)


async def test_a_zip_goes_up_over_http_and_becomes_a_batch(site: Site, tmp_path: Path) -> None:
    archive = tmp_path / "night.zip"
    with zipfile.ZipFile(archive, "w") as writing:
        writing.writestr("night/a.mp4", b"not really a video, which is found out later" * 100)
    data, http = archive.read_bytes(), site.enter("adam").http_client
    half = len(data) // 2
    assert (await http.post(f"/upload/{KEY}?offset=0", content=data[:half])).json() == {"received": half}
    again = await http.post(f"/upload/{KEY}?offset=0", content=data)
    assert (again.status_code, again.json()) == (409, {"received": half}), "a repeated piece changes nothing"
    assert (await http.get(f"/upload/{KEY}")).json() == {"received": half}
    assert (await http.post(f"/upload/{KEY}?offset={half}", content=data[half:])).json() == {
        "received": len(data)
    }

    def take() -> None:
        with uploads_of(site.console.settings, "adam").taken({KEY: "night.zip"}) as path:
            add_to_inbox(site.console.settings, site.console.store, path)

    await asyncio.to_thread(take)
    assert batches.names(site.console.store) == ["street", "night"]
    assert Path(batches.get(site.console.store, "night").source_path).read_bytes() == data


async def test_a_cancelled_upload_leaves_nothing(site: Site) -> None:
    http = site.enter("adam").http_client
    await http.post(f"/upload/{KEY}?offset=0", content=b"abc")
    await http.delete(f"/upload/{KEY}")
    assert (await http.get(f"/upload/{KEY}")).json() == {"received": 0}


async def test_a_piece_is_measured_whatever_its_header_says(
    site: Site,
) -> None:
    async def without_a_length() -> AsyncIterator[bytes]:
        for _ in range(LARGEST_PIECE // 2**20 + 1):
            yield bytes(2**20)

    http = site.enter("adam").http_client
    answer = await http.post(f"/upload/{KEY}?offset=0", content=without_a_length())
    assert answer.status_code == 413
    assert (await http.get(f"/upload/{KEY}")).json() == {"received": 0}


def test_uploads_of_one_person_and_of_all_have_a_quota(uploads: Uploads) -> None:
    uploads.append(KEY, 0, bytes(15))
    with pytest.raises(QuotaError, match=r"^Your uploads may hold .* Add the uploads as a batch"):
        uploads.append(OTHER, 0, bytes(6))
    other = replace(uploads, person="../ben")
    with pytest.raises(QuotaError, match=r"^All people's uploads together may hold"):
        other.append(KEY, 0, bytes(16))
    assert other.append(KEY, 0, bytes(15)) == 15
    assert (uploads.used(), other.used(), uploads.received(OTHER)) == (15, 15, 0)
    uploads.discard_all()
    assert (uploads.used(), other.received(KEY)) == (0, 15), "each person's are that person's"


def test_what_is_a_batch_by_now_takes_nothing_of_the_quota(uploads: Uploads, tmp_path: Path) -> None:
    uploads.append(KEY, 0, bytes(20))
    with uploads.taken({KEY: "a.zip"}) as path:
        path.rename(tmp_path / "a.zip")
    assert uploads.append(OTHER, 0, bytes(20)) == 20


def test_a_piece_that_is_sent_twice_at_once_is_written_once(uploads: Uploads) -> None:
    both = Barrier(2)

    def send(_: int) -> int:
        both.wait()
        try:
            return uploads.append(KEY, 0, b"abc")
        except InputError:
            return 0

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(send, range(2))) == [0, 3]
    assert uploads.received(KEY) == 3


def test_a_full_disk_is_said_and_what_came_is_kept(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> None:
    uploads.append(KEY, 0, b"abc")
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(Path, "open", Mock(side_effect=full))
    with pytest.raises(QuotaError, match="disk of the inbox is full"):
        uploads.append(KEY, 3, b"def")
    monkeypatch.undo()
    assert uploads.received(KEY) == 3


async def test_what_does_not_fit_is_refused_before_its_first_byte(site: Site) -> None:
    adam = site.enter("adam")
    quota = site.console.settings.upload_person_gb * 1e9
    answer = await adam.http_client.get(f"/upload/{KEY}?size={quota + 1:.0f}")
    assert answer.status_code == 413
    assert answer.text.startswith("Your uploads may hold 100.0 GB that are no batch yet: 0 GB are there")
    assert (await adam.http_client.get(f"/upload/{KEY}?size={quota:.0f}")).json() == {"received": 0}


async def test_the_quota_stands_where_one_uploads_and_unfinished_uploads_can_be_discarded(site: Site) -> None:
    adam = site.enter("adam")
    await adam.http_client.post(f"/upload/{KEY}?offset=0", content=bytes(10_000_000))
    await adam.open("/batches")
    await adam.should_see("use 0.01 GB of your 100.0 GB", retries=50)
    adam.find(marker="discard").click()
    await adam.should_see("Uploads in progress start over.", retries=50)
    adam.find(marker="confirm").click()
    await eventually(lambda: uploads_of(site.console.settings, "adam").used() == 0)


async def test_pieces_and_deliveries_go_past_the_layers_that_cost_more_than_they_do(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BaseHTTPMiddleware, "__call__", Mock(side_effect=AssertionError("not the short way")))
    http = site.enter("adam").http_client
    answer = await http.post(f"/upload/{KEY}?offset=0", content=b"abc")
    assert (answer.status_code, answer.json()) == (200, {"received": 3})
    assert (await http.post("/webhook", content=b"{}")).status_code == 403
    with pytest.raises(AssertionError, match="not the short way"):
        await http.get("/")
