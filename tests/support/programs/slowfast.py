"""SlowFast's `Ava`: trained on, and validated on by its predicted boxes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.support.programs.saying import Said, item, run


def read(folder: Path, split: str) -> Iterator[Said]:
    import cv2
    from slowfast.config.defaults import get_cfg
    from slowfast.datasets.ava_dataset import Ava

    chosen = get_cfg()
    chosen.AVA.FRAME_DIR, chosen.AVA.FRAME_LIST_DIR = str(folder / "frames"), str(folder / "frame_lists")
    chosen.AVA.ANNOTATION_DIR = str(folder / "annotations")
    chosen.AVA.TRAIN_LISTS = chosen.AVA.TEST_LISTS = [f"{split}.csv"]
    chosen.AVA.TRAIN_GT_BOX_LISTS = [f"ava_{split}_v2.2.csv"]
    chosen.AVA.TEST_PREDICT_BOX_LISTS = [f"ava_{split}_predicted_boxes.csv"]
    chosen.MODEL.NUM_CLASSES = 80
    if split != "train" and (folder / "release.json").exists():  # what a release alone promises
        assert len(Ava(chosen, "val")) > 0
    data = Ava(chosen, "train")
    assert len(data) == len(data._keyframe_indices)
    for video, second, timestamp, middle in data._keyframe_indices:
        boxes, labels = zip(*data._keyframe_boxes_and_labels[video][second], strict=True)
        picture = cv2.imread(data._image_paths[video][middle])
        yield item(data._video_idx_to_name[video], timestamp, [box[:4] for box in boxes], labels, picture)


if __name__ == "__main__":
    run(read)
