"""Folders that appear whole, on this machine and elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from ava_core.base.errors import ExportError
from ava_core.base.storage import Storage
from ava_core.dataset.export.folders import building, fetched_folder
from ava_core.dataset.formats.ava.checks import errors_among, validate_dataset
from ava_core.dataset.formats.ava.reader import read_rows
from ava_core.dataset.formats.flavours import WITHOUT_LINKS


@pytest.fixture(params=["", "memory://"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    return Storage(f"{request.param}{tmp_path}/files")


def fill(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def content(storage: Storage, name: str) -> dict[str, str]:
    root = storage.path(name)
    found = [path for path in root.rglob("*") if path.is_file()] if root.exists() else []
    return {path.relative_to(root).as_posix(): path.read_text() for path in found}


def test_a_folder_is_there_once_the_block_has_ended(storage: Storage) -> None:
    with building(storage, storage.path("set")) as folder:
        fill(folder, a="1", deep__b="2")
        assert content(storage, "set") == {}
    assert content(storage, "set") == {"a": "1", "deep/b": "2"}
    with fetched_folder(storage, storage.path("set")) as local:
        assert (local / "deep" / "b").read_text() == "2"


def test_of_a_folder_that_is_elsewhere_only_what_is_needed_is_copied(distant_world) -> None:
    storage = distant_world.storage
    with building(storage, storage.path("set")) as folder:
        fill(folder, a="1", deep__b="2")
    for only, there in {"deep": ["deep/b"], "a": ["a"], "": ["a", "deep/b"]}.items():
        with fetched_folder(storage, storage.path("set"), only=only) as local:
            assert sorted(str(p.relative_to(local)) for p in local.rglob("*") if p.is_file()) == there


def test_nothing_is_left_of_a_folder_that_failed(storage: Storage) -> None:
    def fail() -> None:
        with building(storage, storage.path("set")) as folder:
            fill(folder, a="1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert content(storage, "") == {}


def test_a_new_folder_takes_the_place_of_the_former_as_a_whole(storage: Storage) -> None:
    for files in ({"a": "1", "old": "x"}, {"a": "2", "new": "y"}):
        with building(storage, storage.path("set"), replace=True) as folder:
            fill(folder, **files)
    assert content(storage, "set") == {"a": "2", "new": "y"}
    assert sorted(content(storage, "")) == ["set/a", "set/new"]


def test_a_release_is_made_where_files_are_not_on_this_machine(distant_world) -> None:
    clips = distant_world.add_batch("north", ["gate", "yard"])
    release = distant_world.release(flavours=WITHOUT_LINKS)
    with fetched_folder(distant_world.storage, release.folder) as local:
        assert errors_among(validate_dataset(local)) == []
        assert sorted(read_rows(local)["video_id"].unique()) == clips
    with pytest.raises(ExportError, match="never change"):
        distant_world.release(release.name)
    assert distant_world.release(flavours=[]).name == "v2"
