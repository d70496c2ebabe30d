"""Video work on one machine, annotation on another: the same result as in one place."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from upath import UPath

from ava_core.base.errors import InputError
from ava_core.base.settings import Settings, load_settings
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext
from ava_core.store import Store, batches
from ava_core.video import preprocess as preprocessing
from ava_core.video.cutting import cut_clips
from ava_core.video.given import MANIFEST
from ava_core.video.intake.handover import manifest_of
from ava_core.video.intake.inbox import add_to_inbox, look_into_inbox
from ava_core.video.intake.known import Known, nowhere
from ava_core.video.intake.source_videos import take_in_sources
from ava_core.video.preprocess import preprocess
from ava_core.video.proposals.batch import make_proposals
from ava_core.video.tracking.batch import track_clips
from tests.support.videos import write_video

ASSETS = ("source_videos", "clips", "tracks", "dense_proposals")
FILES = ("dense_proposals.pkl", "frames.zip", "tracking_jsons.zip")


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    write_video(folder / "a.mp4", seconds=5.0, size=(320, 240))
    write_video(folder / "b.avi", codec="mpeg4", seconds=3.0)
    (folder / "torn.mp4").write_bytes(b"no video")
    return folder


def elsewhere_settings(**changed: Any) -> Settings:
    return load_settings(clip_seconds=2.0, clip_min_seconds=1.0, **changed)


@pytest.fixture(scope="module")
def made(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "out"
    preprocess(videos, out, elsewhere_settings(), name="day1")
    return out


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(made, tmp_path / "copied"))


def go_on(
    batch: str, storage: Storage, settings: Settings, source: Path, known: Known = nowhere
) -> dict[str, pl.DataFrame]:
    """What the assets do up to the proposals."""
    tables = {}
    at = BatchContext(batch, settings, storage=storage)
    tables["source_videos"] = take_in_sources(at, source, known)
    storage.write_table(storage.table_path(batch, "source_videos"), tables["source_videos"])
    tables["clips"] = cut_clips(at, tables["source_videos"])
    tables["tracks"] = track_clips(at, tables["clips"])
    tables["dense_proposals"] = make_proposals(at, tables["clips"], tables["tracks"])
    return tables


def hashes(storage: Storage, batch: str) -> dict[str, str]:
    """Of every file that a batch's tables, readers and annotators use; the bookkeeping aside."""
    root = Path(storage.path("batches", batch).path)
    aside = {
        "made_elsewhere.json",
        "clips.parquet",
        "tracks.parquet",
        "source_videos.parquet",
        "dense_proposals.parquet",
    }
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file() and path.name.removesuffix(".sha256") not in aside
    }


def test_the_folder_holds_what_others_read(made: Path) -> None:
    manifest = manifest_of(made)
    assert manifest is not None
    assert manifest.batch == "day1"
    assert manifest.counts["source_videos"] == 3
    assert manifest.counts["clips"] == 5
    assert {path.name for path in made.iterdir()} == {*FILES, MANIFEST, "batches"}
    clips = pl.read_parquet(made / "batches/day1/clips/clips.parquet")
    assert pickle.loads((made / "dense_proposals.pkl").read_bytes()).keys() == set(clips["clip_id"])


def test_going_on_elsewhere_gives_what_one_place_gives(
    made: Path, videos: Path, settings: Settings, store: Store, tmp_path: Path
) -> None:
    batch = add_to_inbox(settings, store, made)
    assert batch == "day1"
    own = settings.with_options(batches.get(store, batch).options)
    there = Storage(tmp_path / "there")
    split = go_on(batch, there, own, Path(batches.get(store, batch).source_path))
    here = Storage(tmp_path / "here")
    one = go_on(batch, here, elsewhere_settings(), videos)
    for asset in ASSETS:
        assert split[asset].equals(one[asset]), asset
    assert hashes(there, batch) == hashes(here, batch)


def test_the_detector_that_made_it_need_not_exist_here(folder: Path, tmp_path: Path) -> None:
    settings = elsewhere_settings(detector="rfdetr", rf_home=tmp_path / "no-weights")
    storage = Storage(tmp_path / "storage")
    tables = go_on("day1", storage, settings, folder)
    assert tables["clips"].height == 5
    # Tracking is repeated from what was detected, with other parameters.
    stricter = elsewhere_settings(detector="rfdetr", detection_threshold=0.9)
    again = track_clips(BatchContext("day1", stricter, storage=storage), tables["clips"])
    assert again.schema == tables["tracks"].schema


def test_a_folder_laid_into_the_inbox_is_known_for_what_it_is(
    made: Path, settings: Settings, store: Store
) -> None:
    shutil.copytree(made, settings.inbox_dir / "copied over")
    first = look_into_inbox(settings.inbox_dir, store, {})
    assert look_into_inbox(settings.inbox_dir, store, first.seen).registered == ["day1"]
    assert batches.get(store, "day1").options["clip_seconds"] == 2.0


def test_a_batch_keeps_the_name_its_ids_are_made_of(
    folder: Path, settings: Settings, store: Store, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"preprocessed as batch day1.*Leave out --name"):
        add_to_inbox(settings, store, folder, name="other")
    with pytest.raises(InputError, match="preprocessed as batch day1"):
        take_in_sources(BatchContext("other", settings, storage=Storage(tmp_path / "s")), folder)


def test_content_known_here_is_reported_and_left_out(folder: Path, videos: Path, tmp_path: Path) -> None:
    storage, settings = Storage(tmp_path / "s"), elsewhere_settings()
    first = take_in_sources(BatchContext("before", settings, storage=storage), videos / "a.mp4")
    [content] = first["sha256"]
    tables = go_on(
        "day1", storage, settings, folder, lambda sha256: "before_a of batch before" * (sha256 == content)
    )
    row = tables["source_videos"].row(by_predicate=pl.col("original_name") == "a.mp4", named=True)
    assert (row["status"], row["reason"]) == ("duplicate", "same content as before_a of batch before")
    for asset in ("clips", "tracks", "dense_proposals"):
        assert not tables[asset]["clip_id"].str.starts_with("day1_a").any()
    assert tables["clips"]["source_id"].unique().to_list() == ["day1_b"]


def test_an_unfinished_folder_is_not_taken_and_goes_on(
    videos: Path, tmp_path: Path, settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(preprocessing, "track_clips", killed)
        with pytest.raises(KeyboardInterrupt):
            preprocess(videos, out, elsewhere_settings(), name="day1")
    with pytest.raises(InputError, match=r"not finished.*ava preprocess"):
        add_to_inbox(settings, store, out)
    clip = out / "batches/day1/clips/files/day1_a_000.mp4"
    before = clip.stat().st_mtime_ns
    preprocess(videos, out, elsewhere_settings(), name="day1")
    assert clip.stat().st_mtime_ns == before
    assert manifest_of(out) is not None


def test_a_second_run_changes_nothing(videos: Path, folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    preprocess(videos, folder, elsewhere_settings(), name="day1")
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_one_folder_holds_one_batch(videos: Path, folder: Path) -> None:
    with pytest.raises(InputError, match="already holds batch day1"):
        preprocess(videos, folder, elsewhere_settings(), name="day2")


def test_nothing_usable_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    with pytest.raises(InputError, match=r"No video of .*bad\.mp4: it cannot be read"):
        preprocess(tmp_path / "bad.mp4", tmp_path / "out", elsewhere_settings())


def test_a_torn_copy_is_noticed(folder: Path, tmp_path: Path) -> None:
    clip = folder / "batches/day1/clips/files/day1_a_000.mp4"
    clip.write_bytes(clip.read_bytes()[:-1])
    with pytest.raises(InputError, match=r"day1_a_000\.mp4 is missing or incomplete"):
        take_in_sources(BatchContext("day1", load_settings(), storage=Storage(tmp_path / "s")), folder)


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "batches/other/clips/x.mp4"])
def test_a_manifest_leads_nowhere_else(name: str, folder: Path, tmp_path: Path) -> None:
    content = json.loads((folder / MANIFEST).read_bytes())
    (folder / MANIFEST).write_text(json.dumps(content | {"files": {name: 1}}))
    with pytest.raises(InputError, match="is outside the folder"):
        take_in_sources(BatchContext("day1", load_settings(), storage=Storage(tmp_path / "s")), folder)


def test_tables_name_no_files_of_others(folder: Path, tmp_path: Path) -> None:
    path = folder / "batches/day1/clips/clips.parquet"
    Storage(folder).write_table(UPath(path), pl.read_parquet(path).with_columns(path=pl.lit("../../secret")))
    content = json.loads((folder / MANIFEST).read_bytes())
    for changed in (path, path.parent / ".sums" / "clips.parquet.sha256"):
        content["files"][str(changed.relative_to(folder))] = changed.stat().st_size
    (folder / MANIFEST).write_text(json.dumps(content))
    at = BatchContext("day1", load_settings(), storage=Storage(tmp_path / "s"))
    sources = take_in_sources(at, folder)
    with pytest.raises(InputError, match=r"names the file \.\./\.\./secret"):
        cut_clips(at, sources)


@pytest.mark.parametrize("content", ["{}", "no json", '{"format": "ava-preprocessed-1", "x": 1}', "[]"])
def test_a_manifest_that_is_none_says_so(content: str, folder: Path) -> None:
    (folder / MANIFEST).write_text(content)
    with pytest.raises(InputError, match=r"manifest\.json"):
        manifest_of(folder)
