"""pytorchvideo's `Ava`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.support.programs.saying import Said, item, run

AROUND_S = 2.0


def read(folder: Path, split: str) -> Iterator[Said]:
    from pytorchvideo.data import Ava
    from pytorchvideo.data.clip_sampling import make_clip_sampler
    from torch.utils.data import SequentialSampler

    data = Ava(
        str(folder / f"frame_lists/{split}.csv"), str(folder / f"annotations/ava_{split}_v2.2.csv"),
        video_path_prefix=str(folder / "frames"), label_map_file=str(folder / "annotations/ava_action_list_v2.2.pbtxt"),
        clip_sampler=make_clip_sampler("random", AROUND_S), video_sampler=SequentialSampler,
    )  # fmt: skip
    for one in data:
        middle = one["video"].permute(1, 2, 3, 0)[30].numpy().astype("uint8")
        video, second = one["video_name"], one["clip_index"]
        yield item(str(video), second, one["boxes"], one["labels"], middle)


if __name__ == "__main__":
    run(read)
