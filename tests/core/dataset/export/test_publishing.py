"""Releases published: to a stand-in for the Hub on this machine, and to storage that fsspec knows."""

from __future__ import annotations

import base64
import json
import shutil
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from upath import UPath

from ava_core.base.errors import ExportError, InputError
from ava_core.dataset.export.publishing import hub_card, publish, what_goes
from tests.support.object_store import object_store

LARGE = (".parquet", ".tar", ".mp4")
"""What the Hub keeps in its store of large files."""


class Hub(BaseHTTPRequestHandler):
    """What the Hub answers to whoever makes a repository and commits files: large ones (LFS) are sent ahead."""

    asked: list[tuple[str, Any]]
    files: dict[str, bytes]
    large: dict[str, bytes]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "/commit/" in self.path:
            for line in map(json.loads, body.splitlines()):
                said = line["value"]
                if line["key"] == "file":
                    self.files[said["path"]] = base64.b64decode(said["content"])
                if line["key"] == "lfsFile":
                    self.files[said["path"]] = self.large[said["oid"]]
            url = f"http://{self.headers['Host']}/datasets/ann/street/commit/1"
            self.answer({"commitUrl": url, "commitOid": "1", "success": True})
            return
        said = json.loads(body)
        self.asked.append((self.path, said))
        if "/preupload/" in self.path:
            modes = [
                {
                    "path": one["path"],
                    "uploadMode": "lfs" if one["path"].endswith(LARGE) else "regular",
                    "shouldIgnore": False,
                }
                for one in said["files"]
            ]
            self.answer({"files": modes})
        elif self.path.endswith("/info/lfs/objects/batch"):
            href = f"http://{self.headers['Host']}/large/"
            wanted = [{**one, "actions": {"upload": {"href": href + one["oid"]}}} for one in said["objects"]]
            self.answer({"transfer": "basic", "objects": wanted})
        else:
            self.answer(
                {"url": f"http://{self.headers['Host']}/datasets/ann/street", "errors": [], "warnings": []}
            )

    def do_PUT(self) -> None:
        self.large[self.path.rpartition("/")[2]] = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer({})

    def do_HEAD(self) -> None:
        name = self.path.partition("/resolve/main/")[2]
        self.answer({}, 200 if name in self.files else 404)

    def answer(self, content: object, status: int = 200) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        if status == 404:
            self.send_header("X-Error-Code", "EntryNotFound")
        else:
            self.send_header("X-Repo-Commit", "1")
            self.send_header("ETag", '"1"')
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    hf = pytest.importorskip("huggingface_hub", reason="needs huggingface_hub")
    handler = type("Own", (Hub,), {"asked": [], "files": {}, "large": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    # Its other way for large files, Xet, asks a service beside the Hub.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    made = hf.HfApi
    url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(hf, "HfApi", lambda: made(endpoint=url, token="hf_stand_in"))
    yield handler
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def small(released: Path, tmp_path: Path) -> Path:
    """The release without its pictures."""
    return Path(shutil.copytree(released, tmp_path / "golden", ignore=shutil.ignore_patterns("*.jpg")))


def test_the_hub_is_given_every_file_and_a_card(hub: type[Hub], small: Path) -> None:
    assert publish(small, "hub:ann/street", "CC-BY-4.0").endswith("/datasets/ann/street/commit/1")
    path, created = hub.asked[0]
    assert (path, created["name"], created["organization"]) == ("/api/repos/create", "street", "ann")
    assert created.get("private") or created.get("visibility") == "private"
    sent = {name: content for name, content in hub.files.items() if name != "README.md"}
    assert sent == {name: (small / name).read_bytes() for name in what_goes(small)}
    assert hub.files["README.md"].decode() == hub_card(small, "CC-BY-4.0")
    assert len(hub.large) == len({content for name, content in sent.items() if name.endswith(LARGE)}) > 0
    with pytest.raises(ExportError, match="ann/street already holds a release"):
        publish(small, "hub:ann/street", "CC-BY-4.0")


def test_the_card_points_the_viewer_at_the_tables(released: Path) -> None:
    _, head, text = hub_card(released, "CC-BY-4.0").split("---\n", 2)
    said = yaml.safe_load(head)
    assert (said["license"], said["size_categories"]) == ("cc-by-4.0", ["n<1K"])
    (config,) = said["configs"]
    assert [one["split"] for one in config["data_files"]] == ["train", "val", "test"]
    assert all((released / one["path"]).is_file() for one in config["data_files"])
    assert text.strip() == (released / "dataset_card.md").read_text().strip()


def test_storage_is_given_every_file_once(small: Path, tmp_path: Path) -> None:
    target = f"memory://{tmp_path.name}/out"
    assert publish(small, target, "CC-BY-4.0") == target
    there = {
        p.relative_to(UPath(target)).as_posix(): p.stat().st_size
        for p in UPath(target).rglob("*")
        if p.is_file()
    }
    assert there == what_goes(small)
    with pytest.raises(ExportError, match="is not empty"):
        publish(small, target, "CC-BY-4.0")


@pytest.mark.slow
@pytest.mark.nightly
def test_a_real_object_store_is_given_every_file_once(small: Path) -> None:
    pytest.importorskip("moto", reason="needs moto's server")
    pytest.importorskip("s3fs", reason="needs s3fs")
    with object_store() as store:
        folder = UPath(publish(small, f"s3://{store.bucket}/golden", "CC-BY-4.0"))
        files = {p.relative_to(folder).as_posix(): p.stat().st_size for p in folder.rglob("*") if p.is_file()}
    assert files == what_goes(small)


def test_a_refusal_of_the_hub_is_said_in_a_sentence(hub: type[Hub], released: Path) -> None:
    def refuse(self: Hub) -> None:
        self.answer({"error": "Invalid token"}, 401)

    hub.do_POST = refuse  # type: ignore[method-assign]
    with pytest.raises(ExportError, match=r"The Hub refused ann/street: .*401"):
        publish(released, "hub:ann/street", "cc0-1.0")


@pytest.mark.parametrize(
    ("target", "licence", "said"),
    [
        ("hub:ann/street", "", "has no licence"),
        ("hub:street", "cc0-1.0", "is not a repository"),
        ("out", "cc0-1.0", "is not a valid target"),
    ],
)
def test_what_cannot_be_published_is_refused_in_a_sentence(
    released: Path, target: str, licence: str, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        publish(released, target, licence)


def test_without_the_hubs_client_it_says_how_to_get_it(
    released: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(InputError, match=r"ava-platform\[hub\]"):
        publish(released, "hub:ann/street", "cc0-1.0")
