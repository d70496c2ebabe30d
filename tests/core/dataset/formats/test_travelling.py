"""Layouts that travel: clips as videos and in tar files, labels as Parquet, each at the right place of the picture."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path

import av
import polars as pl
import pytest

from ava_core.base.errors import ExportError
from ava_core.base.storage import Storage
from ava_core.dataset.export.folders import fetched_folder
from ava_core.dataset.formats.ava.checks import errors_among, validate_dataset
from ava_core.dataset.formats.ava.reader import read_rows
from ava_core.dataset.formats.flavours import write_dataset
from ava_core.dataset.formats.shards.writer import write_shards
from tests.support.numbered import LENGTHS, numbered_dataset
from tests.support.shared import made_once
from tests.support.throwaway import throwaway
from tests.support.world import BAR, HEIGHT, WIDTH, World


@pytest.fixture(scope="session")
def travelling(tmp_path_factory: pytest.TempPathFactory, seven_seconds: Path) -> Path:
    """A release of three source videos as videos, whole and by the second, and shards, without a picture. Read only."""

    def make(folder: Path) -> None:
        made = World(folder, seven_seconds)
        first = made.add_batch("north", ["gate", "yard"])
        made.add_batch("south", ["lane"])
        made.dispute("north", first[0], 5)
        made.release("travelling", flavours=["shards", "videos", "seconds", "parquet"])
        made.close()

    return made_once(tmp_path_factory, "travelling", make) / "storage" / "releases" / "travelling"


def samples(shard: Path) -> dict[str, dict[str, bytes]]:
    """Of every key in a shard, its members by suffix, as `webdataset` groups them."""
    found: dict[str, dict[str, bytes]] = {}
    with tarfile.open(shard) as tar:
        for member in tar:
            key, _, suffix = member.name.partition(".")
            assert key in list(found)[-1:] or key not in found, "members of a sample follow each other"
            content = tar.extractfile(member)
            assert content is not None
            found.setdefault(key, {})[suffix] = content.read()
    return found


def test_a_release_without_pictures_is_whole_by_its_own_choice(travelling: Path) -> None:
    assert not list(travelling.rglob("*.jpg"))
    findings = validate_dataset(travelling)
    assert errors_among(findings) == []
    told = [one.consequence for one in findings if one.file == "frames"]
    assert told
    assert all("SlowFast" in one for one in told)
    assert (
        "frames"
        not in (travelling / "croissant.json").read_text().split('"distribution"')[1].split("recordSet")[0]
    )


def test_a_shard_holds_every_clip_of_its_split_with_all_of_its_labels(travelling: Path) -> None:
    rows = read_rows(travelling)
    for split in ("train", "val", "test"):
        own = rows.filter(pl.col("split") == split)
        found = samples(travelling / f"shards/{split}-00000.tar")
        assert sorted(found) == own["video_id"].unique().sort().to_list()
        for clip, sample in found.items():
            assert sample["mp4"] == (travelling / f"videos/{split}/{clip}.mp4").read_bytes()
            about = json.loads(sample["json"])
            assert (about["split"], about["frames"], about["fps"]) == (split, 210, 30)
            wanted = (
                own.filter(pl.col("video_id") == clip).select("timestamp", "person_id", "action_id").rows()
            )
            assert (
                list(zip(about["timestamp"], about["person_id"], about["action_id"], strict=True)) == wanted
            )
            last = 904 if clip == "north_gate_000" else 905
            assert about["annotated"] == list(range(902, last + 1))


def test_boxes_are_shares_of_the_video_that_has_bars(travelling: Path) -> None:
    table = pl.read_parquet(travelling / "parquet/train.parquet")
    first = table.filter(pl.col("timestamp") == 903, pl.col("person_id") == 1).row(0, named=True)
    in_video = [first[f"video_{side}"] for side in ("x1", "y1", "x2", "y2")]
    wanted = [12 / WIDTH, (BAR + 3) / HEIGHT, 22 / WIDTH, (BAR + 30) / HEIGHT]
    assert in_video == pytest.approx(wanted, abs=1e-4)
    assert first["y1"] == pytest.approx(3 / (HEIGHT - 2 * BAR), abs=1e-4)
    record = pl.read_parquet(travelling / "videos/train/metadata.parquet").row(0, named=True)
    at = record["timestamp"].index(903)
    assert record["box"][at] == pytest.approx(wanted, abs=1e-4)
    assert (travelling / "videos/train" / record["file_name"]).is_file()


def test_a_second_is_the_picture_between_the_bars(travelling: Path) -> None:
    clips = read_rows(travelling)["video_id"].unique().sort().to_list()
    held = sorted((travelling / "seconds").glob("*/*.mp4"))
    assert [(path.parent.name, int(path.stem)) for path in held] == [
        (c, 900 + s) for c in clips for s in range(7)
    ]
    with av.open(str(held[3])) as container:
        pictures = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    assert {one.shape for one in pictures} == {(HEIGHT - 2 * BAR, WIDTH)}
    assert [round(float(one.mean())) for one in pictures[::10]] == pytest.approx([105, 110, 115], abs=2)


def test_a_clip_that_breaks_off_leaves_no_release(world) -> None:
    world.add_batch("north")
    path = world.storage.local(world.storage.path(world.at("north").table("clips")["path"][0]))
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.dts is not None]
        ends = packets[100].pos
    damaged = bytearray(path.read_bytes())
    damaged[ends : packets[-1].pos] = bytes(packets[-1].pos - ends)
    path.write_bytes(damaged)
    clips = world.at("north").table("clips").with_columns(sha256=pl.lit(hashlib.sha256(damaged).hexdigest()))
    world.write_tables("north", {("clips", ""): clips})
    with pytest.raises(ExportError, match=r"north_cam_000\.mp4 cannot be decoded beyond its frame"):
        world.release(flavours=["seconds"])
    assert world.left_behind() == []


def test_videos_are_the_clips_themselves(world) -> None:
    world.add_batch("north")
    release = world.release(flavours=["videos"]).folder
    (video,) = Path(release.path).glob("videos/*/*.mp4")
    assert video.samefile(
        world.storage.local(world.storage.path(world.at("north").table("clips")["path"][0]))
    )


def test_a_changed_shard_is_found(world) -> None:
    world.add_batch("north")
    release = Path(world.release(flavours=["shards"]).folder.path)
    shard = release / "shards/train-00000.tar"
    shard.write_bytes(shard.read_bytes()[:-1] + b"x")
    assert [one.file for one in errors_among(validate_dataset(release))] == ["shards/train-00000.tar"]


def test_a_damaged_clip_is_left_out_and_named(world) -> None:
    clips = world.add_batch("north", ["gate", "yard"])
    world.storage.path(world.at("north").table("clips")["path"][0]).write_bytes(b"no video")
    release = world.release(flavours=["shards"])
    assert list(release.left_out) == [clips[0]]
    assert "is damaged" in release.left_out[clips[0]]
    world.storage.path(world.at("north").table("clips")["path"][1]).unlink()
    with pytest.raises(ExportError, match="No clip has its video"):
        world.release(flavours=["videos"])


def test_a_shard_ends_before_it_grows_too_large_and_no_clip_lies_in_two(tmp_path: Path) -> None:
    dataset = numbered_dataset(tmp_path / "pictures")
    videos = {clip: tmp_path / f"{clip}.mp4" for clip in LENGTHS}
    for path in videos.values():
        path.write_bytes(path.name.encode() * 10_000)
    write_shards(tmp_path, replace(dataset, videos=videos), most_bytes=250_000)
    shards = sorted((tmp_path / "shards").glob("val-*.tar"))
    assert [sorted(samples(shard)) for shard in shards] == [
        ["a_long", "b_middle"],
        ["c_short", "d_long"],
        ["e_short"],
    ]
    assert max(shard.stat().st_size for shard in shards) <= 250_000 + tarfile.RECORDSIZE
    again = tmp_path / "again"
    again.mkdir()
    write_shards(again, replace(dataset, videos=videos), most_bytes=250_000)
    assert [shard.read_bytes() for shard in shards] == [
        (again / "shards" / s.name).read_bytes() for s in shards
    ]


def test_videos_that_are_not_there_are_asked_for_before_anything_is_written(tmp_path: Path) -> None:
    dataset = replace(numbered_dataset(tmp_path / "pictures"), videos={})
    with pytest.raises(ExportError, match="no video of clip a_long, which shards need"):
        write_dataset(tmp_path / "out", dataset, ["shards"])
    assert not (tmp_path / "out").exists()


def test_shards_are_made_where_files_are_not_on_this_machine(distant_world) -> None:
    clips = distant_world.add_batch("north", ["gate"])
    release = distant_world.release(flavours=["shards"])
    storage: Storage = distant_world.storage
    with fetched_folder(storage, release.folder) as local:
        assert list(samples(local / "shards/train-00000.tar")) == clips
        assert errors_among(validate_dataset(local)) == []


READ_SHARDS = """
import json
import sys
import webdataset
from datasets import Video, load_dataset
folder, kept = sys.argv[1:]

def load(kind, split, files):
    return load_dataset(kind, data_files={split: f"{folder}/{files}"}, split=split, cache_dir=kept)

for split in ("train", "val", "test"):
    theirs = load("webdataset", split, f"shards/{split}-*.tar").cast_column("mp4", Video(decode=False))
    streamed = webdataset.WebDataset(f"{folder}/shards/{split}-00000.tar", shardshuffle=False)
    for a, b in zip(theirs, streamed, strict=True):
        assert a["json"] == json.loads(b["json"]) and a["__key__"] == b["__key__"], (a, b)
        assert len(b["mp4"]) > 1000
        print(split, a["__key__"], len(a["json"]["action_id"]))
    videos = load("videofolder", split, f"videos/{split}/*").remove_columns("video")
    assert list(videos["video_id"]) == list(theirs["__key__"])
    labels = load("parquet", split, f"parquet/{split}.parquet")
    assert len(labels) == sum(len(row["action_id"]) for row in theirs["json"])
"""


@pytest.mark.slow
@pytest.mark.nightly
def test_webdataset_and_hugging_face_read_shards_videos_and_parquet_as_they_lie(
    travelling: Path, tmp_path: Path
) -> None:
    python = throwaway(tmp_path / "venv", "webdataset", "datasets")
    said = subprocess.run(
        [python, "-c", READ_SHARDS, travelling, tmp_path / "cache"], capture_output=True, text=True
    )
    assert said.returncode == 0, said.stderr
    counts = read_rows(travelling).group_by("split", "video_id").len().rows()
    assert sorted(said.stdout.splitlines()) == sorted(f"{s} {v} {n}" for s, v, n in counts)
