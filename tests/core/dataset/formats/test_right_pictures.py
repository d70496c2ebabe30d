"""Every reader sees the right pictures: each carries its number, and is compared with the instant it stands for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import pytest
from torch.utils.data import DataLoader

from ava_core.dataset.loading.pictures import Source
from ava_core.dataset.loading.torch_dataset import AvaSplit, collate
from tests.support import readers
from tests.support.numbered import HEIGHT, LENGTHS, WIDTH, number_in, number_of
from tests.support.readers import Item

SECONDS = {clip: list(range(902, 900 + frames // 30 - 1)) for clip, frames in LENGTHS.items()}
"""Labelled seconds of every clip."""


Reader = Callable[[Path, str], list[Item]]

READERS: list[tuple[str, Reader, int]] = [
    ("SlowFast, trained", lambda folder, split: readers.slowfast(folder, split, mode="train"), 0),
    ("SlowFast, tested", lambda folder, split: readers.slowfast(folder, split, mode="test"), 0),
    ("pytorchvideo", readers.pytorchvideo, 0),
    ("mmaction2 AVADataset", readers.mmaction2_ava, 1),
    ("mmaction2 AVAKineticsDataset", readers.mmaction2_kinetics, -1),
    ("mmaction2 AVAKineticsDataset, 32 pictures", lambda f, s: readers.mmaction2_kinetics(f, s, clip=32, step=2), -1),
    ("AlphAction", readers.alphaction, 0),
    ("STMixer", readers.stmixer, 0),
    ("TubeR", readers.tuber, 0),
    ("YOWOv3", readers.yowov3, -1),
    ("Datumaro", readers.datumaro, 0),
    ("COCO", readers.coco, 0),
]  # fmt: skip
"""How far each reader's own counting puts its keyframe off, in frames: mmaction2 adds 1 twice, or like YOWOv3 never."""


@pytest.mark.parametrize(("read", "off"), [one[1:] for one in READERS], ids=[one[0] for one in READERS])
def test_every_item_shows_the_clip_and_the_instant_of_its_second(
    numbered: Path, read: Reader, off: int
) -> None:
    shown = cache(number_of)
    items = read(numbered, "val")
    for item in items:
        clip = "_".join(item.video.split("_")[:2])
        second = item.second % 900
        number = list(LENGTHS).index(clip)
        assert shown(item.key) == (number, second * 30 + off), item
        frames = [shown(path) for path in item.pictures]
        assert {of for of, _ in frames} == {number}, item
        order = [frame for _, frame in frames]
        assert order == sorted(order), item
        # Nothing is cut off at another clip's end: as many pictures before the keyframe as after it.
        if item.key != item.pictures[-1]:
            before, after = second * 30 + off - order[0], order[-1] - second * 30 - off
            assert abs(before - after) <= max(8, before - after if order[0] == 0 else 0), item
    found = {("_".join(item.video.split("_")[:2]), 900 + item.second % 900) for item in items}
    assert found == {(clip, second) for clip, seconds in SECONDS.items() for second in seconds}


def test_a_last_row_of_a_shorter_clip_would_show_wrong_pictures(numbered: Path, tmp_path: Path) -> None:
    root = tmp_path / "kinetics"
    root.mkdir()
    (root / "rawframes").symlink_to(numbered / "kinetics/rawframes")
    (root / "annotations").mkdir()
    name = "annotations/kinetics_val_v1.0.csv"
    (root / name).write_text("".join(sorted((numbered / "kinetics" / name).open())))
    items = readers.mmaction2_kinetics(tmp_path, "val")
    wrong = [item for item in items if number_of(item.key)[1] != item.second * 30 - 1]
    assert len(wrong) == 2 * 8  # of 15 s, from the sixth second on


@pytest.mark.parametrize("clip", list(LENGTHS))
def test_videos_of_a_second_show_that_second_and_join_without_a_gap(numbered: Path, clip: str) -> None:
    number = list(LENGTHS).index(clip)
    for stamp in SECONDS[clip]:
        pictures = readers.one_second_videos(numbered, clip, stamp)
        middle = (stamp - 900) * 30
        assert {one.shape for one in pictures} == {(HEIGHT, WIDTH, 3)}
        wanted = [(number, frame) for frame in range(middle - 60, middle + 60)]
        assert [number_in(one) for one in pictures] == wanted
    held = sorted(int(path.stem) for path in (numbered / "seconds" / clip).iterdir())
    assert held == [900 + second for second in range(LENGTHS[clip] // 30)]


@pytest.mark.parametrize("source", ["frames", "videos", "shards"])
@pytest.mark.parametrize("size", [None, (16, 64)], ids=["whole", "half"])
def test_the_torch_dataset_shows_the_same_pictures_from_frames_videos_and_shards(
    numbered: Path, source: Source, size: tuple[int, int] | None
) -> None:
    data = AvaSplit(numbered, "val", frames=32, stride=2, source=source, size=size, uint8=True)
    found = set()
    for number in range(len(data)):
        item = data[number]
        clip, second = item["video_id"], item["timestamp"] - 900
        pictures = item["clip"].permute(1, 2, 3, 0).numpy()
        shown = [number_in(cv2.resize(one, (WIDTH, HEIGHT))) for one in pictures]
        wanted = [min(max(second * 30 + n, 0), LENGTHS[clip] - 1) for n in range(-32, 32, 2)]
        assert shown == [(list(LENGTHS).index(clip), frame) for frame in wanted], item["timestamp"]
        found.add((clip, item["timestamp"]))
    assert found == {(clip, second) for clip, seconds in SECONDS.items() for second in seconds}


@pytest.mark.slow
@pytest.mark.parametrize("start", ["fork", pytest.param("spawn", marks=pytest.mark.nightly)])
@pytest.mark.parametrize("source", ["videos", "shards"])
def test_workers_decode_videos(numbered: Path, source: Source, start: str) -> None:
    data = AvaSplit(numbered, "val", frames=4, source=source, uint8=True)
    assert data[0]["clip"].shape == (
        3,
        4,
        HEIGHT,
        WIDTH,
    )  # decoded here first: workers inherit what that leaves behind
    loader = DataLoader(
        data, 4, num_workers=2, collate_fn=collate, multiprocessing_context=start, timeout=120
    )
    shown = []
    for batch in loader:
        for (clip, stamp), own in zip(batch["keyframes"], batch["clip"], strict=True):
            middle = number_in(own[:, 2].permute(1, 2, 0).numpy())
            assert middle == (list(LENGTHS).index(clip), (stamp - 900) * 30)
            shown.append((clip, stamp))
    assert shown == [(clip, second) for clip, seconds in SECONDS.items() for second in seconds]
