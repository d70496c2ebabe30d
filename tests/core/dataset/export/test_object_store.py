"""Datasets in a real object store: pictures are sent once, and copied by the store itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ava_core.dataset.export.folders import fetched_folder
from ava_core.dataset.formats.ava.checks import validate_dataset
from ava_core.dataset.formats.ava.reader import read_rows
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


@pytest.mark.slow
@pytest.mark.nightly
def test_pictures_are_sent_once_and_never_fetched(stored: World, store: ObjectStore) -> None:
    clips = stored.add_batch("north", ["gate", "yard"])
    assert sent(store) == 2 * FRAMES
    stored.write_batch("north")
    assert (sent(store), store.asked["PUT", True, True]) == (2 * FRAMES, 0), "they lie there already"
    release = stored.release(flavours=["frames", "rawframes", "keyframes"])
    assert sent(store) == 2 * FRAMES
    assert store.asked["PUT", True, True] == 2 * (FRAMES + FRAMES + FRAMES // 30)
    assert store.asked["GET", True, False] == 0
    with fetched_folder(stored.storage, release.folder) as local:
        assert validate_dataset(local) == []
        assert sorted(read_rows(local)["video_id"].unique()) == clips


@pytest.mark.slow
def test_a_release_that_breaks_leaves_nothing(
    stored: World, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored.add_batch("north")
    copy = stored.storage.root.fs.cp_file

    def broken(source: str, target: str, **how: object) -> None:
        if source.endswith("000100.jpg"):
            raise ConnectionError
        copy(source, target, **how)

    monkeypatch.setattr(stored.storage.root.fs, "cp_file", broken)
    with pytest.raises(ConnectionError):
        stored.release("v1", flavours=["frames"])
    assert not stored.storage.path("releases", "v1").exists()


@pytest.mark.slow
@pytest.mark.nightly
def test_a_picture_that_is_gone_or_empty_leaves_its_clip_out(stored: World, store: ObjectStore) -> None:
    gone, empty, _ = stored.add_batch("north", ["a", "b", "c"])
    frames = stored.storage.asset_dir("north", "ava_csv") / "dataset" / "frames"
    (frames / gone / f"{gone}_000031.jpg").unlink()
    (frames / empty / f"{empty}_000031.jpg").write_bytes(b"")
    assert stored.release(flavours=["frames"]).left_out == {
        gone: "it has 209 pictures where its table says 210 frames",
        empty: f"its picture {empty}_000031.jpg is empty",
    }
    before = sent(store)
    stored.write_batch("north")
    assert sent(store) == before + 2 * FRAMES, "those two are made anew"
    assert stored.release(flavours=["frames"]).left_out == {}
