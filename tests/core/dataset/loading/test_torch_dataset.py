"""A release in PyTorch: shapes, order, edges, and whether it trains."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader

from ava_core.base.errors import InputError
from ava_core.dataset.formats.ava.evaluation import evaluate_release
from ava_core.dataset.loading.torch_dataset import AvaSplit, collate

EXAMPLE = Path(__file__).parents[4] / "docs" / "examples" / "train_on_a_release.py"


def test_an_item_is_a_keyframe_with_its_people(released: Path) -> None:
    data = AvaSplit(released, "train", frames=8, stride=4)
    assert len(data) == 4
    assert data.num_classes == 6
    item = data[1]
    assert (item["video_id"], item["timestamp"], item["person_ids"]) == ("south_lane_000", 903, [1, 2])
    assert item["clip"].shape == (3, 8, 36, 64)
    assert item["boxes"][0].tolist() == pytest.approx([12, 3, 22, 30], abs=0.01)
    assert item["labels"].nonzero().tolist() == [[0, 2], [0, 4], [0, 5], [1, 2]]


def test_frames_are_those_around_the_keyframe(released: Path) -> None:
    data = AvaSplit(released, "train", frames=4, stride=30)
    brightness = data[0]["clip"].mean(dim=(0, 2, 3)) * 255
    # The clip of the fixture grows brighter by one step every two frames, from 60; decoding shifts it a little.
    steps = (brightness - brightness[0]).round().tolist()
    assert steps == pytest.approx([0, 15, 30, 45], abs=2)


def test_beyond_its_ends_a_video_stands_still(released: Path) -> None:
    clip = AvaSplit(released, "train", frames=16, stride=30)[0]["clip"]
    assert torch.equal(clip[:, 0], clip[:, 6])
    assert not torch.equal(clip[:, 6], clip[:, 7])
    assert torch.equal(clip[:, -1], clip[:, -2])


def test_excluded_seconds_and_empty_splits(released: Path) -> None:
    stamps = {AvaSplit(released, "test")[n]["timestamp"] for n in range(len(AvaSplit(released, "test")))}
    assert stamps == {902, 903, 904}
    with pytest.raises(InputError, match="holds no label"):
        AvaSplit(released, "dev")
    with pytest.raises(InputError, match="does not exist"):
        AvaSplit(released / "frames", "train")


def test_a_batch_is_what_roi_align_takes(released: Path) -> None:
    data = AvaSplit(released, "train", frames=4, size=(24, 32))
    batch = collate([data[0], data[1]])
    assert batch["clip"].shape == (2, 3, 4, 24, 32)
    assert [len(boxes) for boxes in batch["boxes"]] == [1, 2]
    assert batch["labels"].shape == (3, 6)
    assert batch["boxes"][0].max() <= 32


@pytest.mark.slow
@pytest.mark.parametrize("start", ["fork", pytest.param("spawn", marks=pytest.mark.nightly)])
def test_it_works_behind_workers(released: Path, start: str) -> None:
    data = AvaSplit(released, "train", frames=4, size=(24, 32), uint8=True)
    loader = DataLoader(
        data, batch_size=2, collate_fn=collate, num_workers=2, multiprocessing_context=start, timeout=120
    )
    found = [keyframe for batch in loader for keyframe in batch["keyframes"]]
    assert found == [("south_lane_000", second) for second in (902, 903, 904, 905)]


def test_bytes_hold_the_same_pictures_and_a_transform_has_the_last_word(released: Path) -> None:
    floats = AvaSplit(released, "train", frames=4)[0]["clip"]
    data = AvaSplit(released, "train", frames=4, uint8=True, transform=lambda item: item["clip"])
    assert data[0].dtype == torch.uint8
    assert torch.equal(data[0].float() / 255, floats)


@pytest.mark.slow
def test_the_example_draws_a_sample_learns_and_is_scored(released: Path, tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, EXAMPLE, released, "--steps", "12"], capture_output=True, text=True, cwd=tmp_path
    )
    assert said.returncode == 0, said.stderr
    figures = re.search(r"loss (\S+) → (\S+) in 12 steps(?s:.*)mAP on val (\S+) → (\S+);", said.stdout)
    assert figures is not None, said.stdout
    first, last, before, after = map(float, figures.groups())
    assert last < first
    assert after >= before
    assert after == pytest.approx(evaluate_release(released, tmp_path / "found.csv").mean, abs=5e-4)
    assert (tmp_path / "sample.png").stat().st_size > 1000


def test_a_release_without_what_is_named_says_how_to_have_it(released: Path) -> None:
    with pytest.raises(InputError, match=r"holds no shards of split 'train'\. Release with --flavour shards"):
        AvaSplit(released, "train", source="shards")
