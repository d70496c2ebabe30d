"""Uploads in pieces: resumed where they stopped, kept where they cannot be taken, named safely."""

from __future__ import annotations

import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ava_core.base.errors import InputError
from ava_core.store import batches
from ava_core.video.intake.inbox import add_to_inbox
from ava_ui.web.uploads import LARGEST_PIECE, Uploads, uploads_of
from tests.support.site import Site

KEY, OTHER = "0123456789abcdef", "fedcba9876543210"


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    """An empty place for uploads."""
    return Uploads(tmp_path / "uploads")


def test_pieces_come_together_in_order(uploads: Uploads) -> None:
    assert uploads.append(KEY, 0, b"abc") == 3
    with pytest.raises(InputError, match="3 bytes are there"):
        uploads.append(KEY, 0, b"abc")
    assert uploads.append(KEY, uploads.received(KEY), b"def") == 6
    with uploads.taken({KEY: "a.zip"}) as path:
        assert (path.name, path.read_bytes()) == ("a.zip", b"abcdef")
    assert uploads.received(KEY) == 0
    assert list(uploads.folder.iterdir()) == []


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
    with uploads_of(site.console).taken({KEY: "night.zip"}) as path:
        add_to_inbox(site.console.settings, site.console.store, path)
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
