"""The inbox: what settles there becomes a batch, once; what cannot be a batch is refused before it is copied."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from ava_core.base.errors import AvaError, InputError, SettingsError
from ava_core.base.names import batch_name_for, check_batch_name
from ava_core.base.settings import Settings
from ava_core.store import Store, batches
from ava_core.video.intake.inbox import add_to_inbox, look_into_inbox


def make_zip(path: Path, *names: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"not really a video")
    return path


def test_an_item_is_taken_when_it_has_settled(settings: Settings, store: Store) -> None:
    item = make_zip(settings.inbox_dir / "raw cctv 1.zip", "a.mp4")
    first = look_into_inbox(settings.inbox_dir, store, {})
    assert first.registered == []
    with item.open("ab") as still_copying:
        still_copying.write(b"more")
    os.utime(item, ns=(1, 1))
    second = look_into_inbox(settings.inbox_dir, store, first.seen)
    assert second.registered == []
    assert "still being copied" in second.sentence
    third = look_into_inbox(settings.inbox_dir, store, second.seen)
    assert third.registered == ["raw_cctv_1"]
    assert look_into_inbox(settings.inbox_dir, store, third.seen).registered == []
    assert batches.get(store, "raw_cctv_1").source_path == str(item)


def test_hidden_and_partial_items_are_left_alone(settings: Settings, store: Store) -> None:
    for name in (".hidden.zip", "upload.zip.part", "Thumbs.db", "desktop.ini"):
        make_zip(settings.inbox_dir / name, "a.mp4")
    look = look_into_inbox(settings.inbox_dir, store, {})
    assert look_into_inbox(settings.inbox_dir, store, look.seen).registered == []


def test_two_items_whose_names_clean_to_the_same_get_two_batches(settings: Settings, store: Store) -> None:
    for name in ("day 1.zip", "day_1.zip"):
        make_zip(settings.inbox_dir / name, "a.mp4")
    look = look_into_inbox(settings.inbox_dir, store, {})
    assert look_into_inbox(settings.inbox_dir, store, look.seen).registered == ["day_1", "day_1_2"]


def test_adding_copies_and_registers_with_options(settings: Settings, store: Store, tmp_path: Path) -> None:
    source = make_zip(tmp_path / "videos.ZIP", "a.mp4")
    assert add_to_inbox(settings, store, source, name="mine", options={"overlap": 0.2}) == "mine"
    batch = batches.get(store, "mine")
    assert Path(batch.source_path).read_bytes() == source.read_bytes()
    assert batch.options == {"overlap": 0.2}
    with pytest.raises(InputError, match="already exists"):
        add_to_inbox(settings, store, source, name="mine")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: folder / "nothing.zip", "does not exist"),
        (lambda folder: make_zip(folder / "empty.zip"), "is empty"),
        (lambda folder: make_zip(folder / "texts.zip", "readme.txt"), "contains no video"),
        (lambda folder: folder, "contains no video"),
    ],
)
def test_what_cannot_be_a_batch_leaves_nothing_behind(
    make, said: str, settings: Settings, store: Store, tmp_path: Path
) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    with pytest.raises(InputError, match=said):
        add_to_inbox(settings, store, make(folder))
    assert batches.names(store) == []
    assert not settings.inbox_dir.exists() or not list(settings.inbox_dir.iterdir())


def test_an_unknown_option_is_refused(settings: Settings, store: Store, tmp_path: Path) -> None:
    source = make_zip(tmp_path / "videos.zip", "a.mp4")
    with pytest.raises(SettingsError, match="overlapp"):
        add_to_inbox(settings, store, source, options={"overlapp": 1})
    assert batches.names(store) == []


@pytest.mark.parametrize("name", ["../up", "a b", "", ".", "x" * 64, "a/b", "a..b"])
def test_a_name_that_could_leave_its_folder_is_no_batch(name: str) -> None:
    with pytest.raises(AvaError):
        check_batch_name(name)


def test_names_are_made_from_files() -> None:
    assert batch_name_for("/somewhere/Kamera Nord (1).zip") == "Kamera_Nord_1"


def test_a_single_video_keeps_its_name(settings: Settings, store: Store, tmp_path: Path) -> None:
    video = tmp_path / "Kamera 3.avi"
    video.write_bytes(b"x")
    batch = batches.get(store, add_to_inbox(settings, store, video, name="b"))
    assert [path.name for path in Path(batch.source_path).iterdir()] == ["Kamera 3.avi"]
