"""Datasets in a real object store: pictures of a clip are one object, sent once, and copied by the store itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ava_core.dataset.export.folders import contents, fetched_folder
from ava_core.dataset.export.options import ReleaseOptions
from ava_core.dataset.export.release import write_release
from ava_core.dataset.formats.ava.checks import validate_dataset
from ava_core.dataset.formats.ava.reader import read_rows
from ava_core.operations.moving import copy_files
from tests.support.object_store import ObjectStore, object_store
from tests.support.world import FRAMES, World

pytest.importorskip("moto", reason="needs moto's server")
pytest.importorskip("s3fs", reason="needs s3fs")


@pytest.fixture
def store() -> Iterator[ObjectStore]:
    with object_store() as running:
        yield running


@pytest.fixture
def stored(store: ObjectStore, tmp_path: Path, seven_seconds: Path) -> Iterator[World]:
    """A world whose files lie in the object store."""
    made = World(tmp_path / "home", seven_seconds, f"s3://{store.bucket}/platform")
    yield made
    made.close()


def sent(store: ObjectStore) -> int:
    return store.asked["PUT", True, False]


def pictures(folder: Path) -> dict[str, bytes]:
    """All pictures of a dataset by path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.jpg")}


@pytest.mark.slow
@pytest.mark.nightly
def test_pictures_are_sent_once_and_never_fetched(stored: World, store: ObjectStore, tmp_path: Path) -> None:
    clips = stored.add_batch("north", ["gate", "yard"])
    assert sent(store) == 2, "an object a clip"
    stored.write_batch("north")
    assert (sent(store), store.asked["PUT", True, True]) == (2, 0), "they lie there already"
    release = stored.release(flavours=["frames", "rawframes", "keyframes"])
    assert (sent(store), store.asked["PUT", True, True]) == (2, 2), "once, whatever the layouts"
    assert store.asked["GET", True, False] == 0
    here = World(tmp_path / "here", stored.clip)
    here.add_batch("north", ["gate", "yard"])
    same = here.release(flavours=["frames", "rawframes", "keyframes"])
    with fetched_folder(stored.storage, release.folder) as local:
        assert validate_dataset(local) == []
        assert sorted(read_rows(local)["video_id"].unique()) == clips
        assert pictures(local) == pictures(here.storage.local(same.folder))
    told = {name for name, _ in contents(release.folder) if name.endswith(".jpg")}
    assert told == pictures(here.storage.local(same.folder)).keys()
    here.close()


@pytest.mark.slow
@pytest.mark.nightly
def test_pictures_that_were_moved_here_one_by_one_are_released(
    stored: World, store: ObjectStore, tmp_path: Path
) -> None:
    here = World(tmp_path / "here", stored.clip)
    here.add_batch("north")
    copy_files(here.storage, stored.storage)
    options = ReleaseOptions("v1", flavours=["frames"])
    release = write_release(options, here.settings, stored.storage, here.store)
    with fetched_folder(stored.storage, release.folder) as local:
        assert len(pictures(local)) == FRAMES
    here.close()


@pytest.mark.slow
def test_a_release_that_breaks_leaves_nothing(
    stored: World, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored.add_batch("north")
    copy = stored.storage.root.fs.cp_file

    def broken(source: str, target: str, **how: object) -> None:
        if source.endswith(".tar"):
            raise ConnectionError
        copy(source, target, **how)

    monkeypatch.setattr(stored.storage.root.fs, "cp_file", broken)
    with pytest.raises(ConnectionError):
        stored.release("v1", flavours=["frames"])
    assert not stored.storage.path("releases", "v1").exists()


@pytest.mark.slow
@pytest.mark.nightly
def test_pictures_that_are_gone_or_cut_short_leave_their_clip_out(stored: World, store: ObjectStore) -> None:
    gone, short, _ = stored.add_batch("north", ["a", "b", "c"])
    packed = stored.storage.asset_dir("north", "ava_csv") / "dataset" / "packed"
    (packed / f"{gone}.tar").unlink()
    (packed / f"{short}.tar").write_bytes(b"half of it")
    assert stored.release(flavours=["frames"]).left_out == {
        gone: "it has 0 pictures where its table says 210 frames",
        short: f"its pictures are damaged: {short}.tar is not as large as what was packed",
    }
    before = sent(store)
    stored.write_batch("north")
    assert sent(store) == before + 2, "those two are made anew"
    assert stored.release(flavours=["frames"]).left_out == {}
