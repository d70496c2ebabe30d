"""The golden release as other programs read it: every box and label, by rules written down independently of ours."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from pycocotools.coco import COCO

from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.ava.checks.present import verdicts
from ava_core.dataset.formats.ava.files import find_files
from ava_core.dataset.formats.ava.reader import read_rows
from ava_core.dataset.formats.ava.readers import READERS as KNOWN
from ava_core.dataset.formats.ava.readers import reader_table
from ava_core.dataset.formats.flavours import FLAVOURS
from tests.support import readers
from tests.support.packages import PACKAGES
from tests.support.readers import Item

PAGE = Path(__file__).parents[4] / "docs" / "readers.md"

READERS: list[tuple[str, Callable[[Path, str], list[Item]]]] = [
    ("SlowFast", lambda folder, split: readers.slowfast(folder, split, mode="train")),
    ("pytorchvideo", readers.pytorchvideo),
    ("mmaction2 AVADataset", lambda folder, split: readers.mmaction2_ava(folder, split, clip=4, step=2)),
    ("mmaction2 AVAKineticsDataset", lambda folder, split: readers.mmaction2_kinetics(folder, split, clip=4, step=2)),
    ("AlphAction", readers.alphaction),
    ("STMixer", readers.stmixer),
    ("TubeR", readers.tuber),
    ("YOWOv3", readers.yowov3),
    ("Datumaro", readers.datumaro),
    ("COCO", readers.coco),
]  # fmt: skip


def said(items: list[Item]) -> set[tuple[str, int, tuple[float, ...], int]]:
    return {
        (item.video.removesuffix("_000000_000007"), 900 + item.second % 900, tuple(round(s, 2) for s in box), label)
        for item in items
        for box, labels in item.boxes.items()
        for label in labels
    }  # fmt: skip


@pytest.mark.parametrize("read", [one[1] for one in READERS], ids=[one[0] for one in READERS])
@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_a_reader_finds_every_box_and_label(
    released: Path, read: Callable[[Path, str], list[Item]], split: str
) -> None:
    rows = read_rows(released).filter(split=split)
    wanted = {
        (video, stamp, tuple(round(side, 2) for side in box), action)
        for video, stamp, *box, action, _, _ in rows.rows()
    }
    items = read(released, split)
    assert said(items) == wanted
    assert all(path.is_file() for item in items for path in item.pictures)


@pytest.mark.parametrize("split", ["val", "test"])
def test_readers_can_validate_and_test(released: Path, split: str) -> None:
    assert readers.slowfast(released, split, mode="val")
    assert readers.slowfast(released, split, mode="test")
    assert readers.yowov2(released, split)
    rows = read_rows(released).filter(split=split)
    assert len(readers.mmaction2_proposals(released, split)) == rows.n_unique(["video_id", "timestamp"])
    assert len(readers.evaluation_keys(released, split)) == rows.n_unique(
        ["video_id", "timestamp", "action_id"]
    )


def test_pycocotools_reads_coco(released: Path) -> None:
    for split in ("train", "val", "test"):
        content = COCO(str(released / f"coco/{split}.json"))
        assert len(content.getAnnIds()) == read_rows(released).filter(split=split).height


def test_the_page_on_readers_holds_the_table() -> None:
    assert reader_table() in PAGE.read_text()


def test_the_page_says_by_which_layouts_a_reader_loads_and_how_that_was_seen(
    numbered: Path, tmp_path: Path
) -> None:
    lines = ["| reader | layouts beside annotations | verdict | tested with |", "|---|---|---|---|"]
    for number, reader in enumerate(KNOWN):
        flavours = [need for need in reader.needs if need in FLAVOURS]
        folder = tmp_path / str(number)
        for name in (names.ANNOTATIONS, names.FRAME_LISTS, *flavours):
            shutil.copytree(numbered / name, folder / name, copy_function=os.link)
        verdict = dict(verdicts(find_files(folder), []))[reader.name]
        shown = " ".join(f"`{name}`" for name in flavours) or "none"
        lines.append(f"| {reader.name} | {shown} | {verdict} | {SEEN[reader.name]} |")
        if flavours:
            shutil.rmtree(folder / flavours[-1])
            verdict = dict(verdicts(find_files(folder), []))[reader.name]
            assert verdict == f"lacks {flavours[-1]}", reader.name
    assert "\n".join(lines) in PAGE.read_text()


RULES = {name for name, _ in READERS} | {"AVA evaluation", "YOWOv2", "VideoMAE-Action-Detection"}
"""Read by its rules in this file or in `test_right_pictures.py`."""
SEEN = {
    reader.name: ", ".join(
        [
            *(["its package, every night"] if reader.name in {*PACKAGES, "Datumaro"} else []),
            *(["its rules, every day"] if reader.name in RULES else []),
        ]
    )
    for reader in KNOWN
}
