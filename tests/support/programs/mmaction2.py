"""mmaction2's `AVADataset` and `AVAKineticsDataset`, with their own sampling and decoding of frames."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.programs.saying import Said, item, run

CLIP, STEP = 8, 8


def read(folder: Path, split: str) -> Iterator[Said]:
    """A split; of `kinetics/` where it is written `kinetics/<split>`."""
    from mmaction.datasets import AVADataset, AVAKineticsDataset
    from mmengine.registry import init_default_scope

    init_default_scope("mmaction")
    if split.startswith("kinetics/"):
        split = split.removeprefix("kinetics/")
        files = f"kinetics_dense_proposals_{split}", f"kinetics_{split}", "v1.0"
        made = _dataset(AVAKineticsDataset, folder / "kinetics", *files)
    else:
        files = f"ava_dense_proposals_{split}", f"ava_{split}", "v2.2"
        made = _dataset(AVADataset, folder, *files, timestamp_start=900)
    for number in range(len(made)):
        one = made[number]
        labels = [own.nonzero()[0] for own in one["gt_labels"]]
        height, width = one["imgs"][0].shape[:2]
        boxes = one["gt_bboxes"] / [width, height, width, height]
        assert len(one["proposals"]) >= len(boxes)  # of a key that is not found it takes the whole picture
        yield item(one["video_id"], one["timestamp"], boxes, labels, one["imgs"][CLIP // 2])


def _dataset(kind: Any, root: Path, proposals: str, rows: str, version: str, **more: Any) -> Any:
    notes = root / "annotations"
    return kind(
        ann_file=str(notes / f"{rows}_{version}.csv"),
        pipeline=[
            {"type": "SampleAVAFrames", "clip_len": CLIP, "frame_interval": STEP, "test_mode": True},
            {"type": "RawFrameDecode"},
        ],
        exclude_file=str(notes / f"{rows}_excluded_timestamps_{version}.csv"),
        label_file=str(notes / "ava_action_list_v2.2.pbtxt"),
        data_prefix={"img": str(root / "rawframes")},
        proposal_file=str(notes / f"{proposals}.pkl"),
        filename_tmpl="img_{:05}.jpg",
        test_mode=True,
        **more,
    )


if __name__ == "__main__":
    run(read)
