"""What other programs make of a dataset's folder, by the rules that their documentation and behaviour show.

Each function goes its reader's way from the files to items: which pictures stand for which second, with which boxes
and labels. Nothing of the project is used, so a mistake of ours is not repeated here.
"""

from __future__ import annotations

import csv
import json
import pickle
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np

FPS = 30
KNOWN_SECONDS = range(902, 1799)

Boxes = dict[tuple[float, ...], set[int]]


@dataclass
class Item:
    """A second of a video as a reader hands it out: its pictures in order, the one it takes for the keyframe, boxes."""

    video: str
    second: int
    pictures: list[Path]
    key: Path
    boxes: Boxes = field(default_factory=dict)


def _cells(path: Path) -> Iterator[list[str]]:
    with path.open() as file:
        yield from (line.strip().split(",") for line in file)


def _frame_list(folder: Path, split: str) -> dict[str, list[Path]]:
    pictures: dict[str, list[Path]] = defaultdict(list)
    with (folder / "frame_lists" / f"{split}.csv").open() as file:
        file.readline()
        for line in file:
            original, _, _, path, _ = line.split()
            pictures[original].append(folder / "frames" / path)
    return pictures


def _around(middle: int, half: int, step: int, frames: int) -> list[int]:
    return [min(max(at, 0), frames - 1) for at in range(middle - half, middle + half, step)]


def slowfast(folder: Path, split: str, *, mode: str = "", threshold: float = 0.9) -> list[Item]:
    """SlowFast: training on the rows; `val` and `test` on predicted boxes above the threshold, `val` at every
    fourth second; all videos of the frame list must be left."""
    mode = mode or split
    name = f"ava_{split}_v2.2.csv" if mode == "train" else f"ava_{split}_predicted_boxes.csv"
    found: dict[str, dict[int, Boxes]] = {}
    for row in _cells(folder / "annotations" / name):
        second = int(row[1])
        if mode != "train" and float(row[7]) < threshold:
            continue
        if mode == "val" and second % 4:
            continue
        of_video = found.setdefault(row[0], {known: {} for known in KNOWN_SECONDS})
        labels = of_video[second].setdefault(tuple(map(float, row[2:6])), set())
        labels |= {int(row[6])} if row[6] else set()
    pictures = _frame_list(folder, split)
    assert len(found) == len(pictures), "counts of videos differ"
    items = []
    for video, paths in pictures.items():
        for second, boxes in found[video].items():
            if boxes:
                middle = (second - 900) * FPS
                around = _around(middle, 32, 2, len(paths))
                items.append(Item(video, second, [paths[at] for at in around], paths[middle], boxes))
    assert all(1 <= label <= 80 for item in items for labels in item.boxes.values() for label in labels)
    return items


def yowov2(folder: Path, split: str) -> list[Item]:
    """YOWOv2: rows without excluded seconds, every fourth second outside training; the keyframe comes last."""
    excluded = {
        tuple(row) for row in _cells(folder / "annotations" / f"ava_{split}_excluded_timestamps_v2.2.csv")
    }
    found: dict[str, dict[int, Boxes]] = defaultdict(lambda: defaultdict(dict))
    for row in _cells(folder / "annotations" / f"ava_{split}_v2.2.csv"):
        if (row[0], f"{int(row[1]):04d}") in excluded or (split != "train" and int(row[1]) % 4):
            continue
        found[row[0]][int(row[1])].setdefault(tuple(map(float, row[2:6])), set()).add(int(row[6]))
    pictures = _frame_list(folder, split)
    assert len(found) == len(pictures), "counts of videos differ"
    return [
        Item(video, second, [paths[max(middle - n, 0)] for n in reversed(range(16))], paths[middle], boxes)
        for video, paths in pictures.items()
        for second, boxes in found[video].items()
        for middle in [(second - 900) * FPS]
    ]


def yowov3(folder: Path, split: str, *, clip: int = 16) -> list[Item]:
    """YOWOv3: rows of every second; pictures by number, the second's 30th being its keyframe, which comes last."""
    items = []
    for (video, second), boxes in _rows(folder, split).items():
        pictures = folder / "frames" / video
        numbers = [max((second - 900) * FPS - n, 1) for n in reversed(range(clip))]
        paths = [pictures / f"{video}_{number:06d}.jpg" for number in numbers]
        items.append(Item(video, second, paths, paths[-1], boxes))
    return items


def tuber(folder: Path, split: str, *, clip: int = 32, step: int = 2) -> list[Item]:
    """TubeR's preparation of the rows, which takes column 8 for a score and leaves out what is below 0.8."""
    items = []
    for (video, second), boxes in _rows(folder, split, least_last=0.8).items():
        paths = sorted((folder / "frames" / video).glob("*.jpg"))
        start = max((second - 900) * FPS - clip // 2 * step, 0)
        around = [paths[min(start + n * step, len(paths) - 1)] for n in range(clip)]
        items.append(Item(video, second, around, around[clip // 2], boxes))
    return items


def _rows(folder: Path, split: str, *, least_last: float = 0.0) -> dict[tuple[str, int], Boxes]:
    found: dict[tuple[str, int], Boxes] = defaultdict(dict)
    for video, second, *box, action, last in _cells(folder / "annotations" / f"ava_{split}_v2.2.csv"):
        if float(last) >= least_last:
            found[video, int(second)].setdefault(tuple(map(float, box)), set()).add(int(action))
    return found


def pytorchvideo(folder: Path, split: str, *, seconds: float = 2.0) -> list[Item]:
    """pytorchvideo: rows by boxes to two decimals; pictures of the video's folder by name, around the second."""
    pictures = _frame_list(folder, split)
    found: dict[tuple[str, int], dict[str, tuple[tuple[float, ...], set[int]]]] = defaultdict(dict)
    for row in _cells(folder / "annotations" / f"ava_{split}_v2.2.csv"):
        assert row[0] in pictures
        float(row[7])
        if int(row[1]) in KNOWN_SECONDS:
            box = tuple(map(float, row[2:6]))
            same = ",".join(f"{side:.2f}" for side in box)
            found[row[0], int(row[1])].setdefault(same, (box, set()))[1].add(int(row[6]))
    items = []
    for (video, second), boxes in found.items():
        paths = sorted(pictures[video][0].parent.glob("*.jpg"))
        start = (second - 900 - seconds / 2) * FPS
        around = paths[max(int(start), 0) : int(start + seconds * FPS)]
        items.append(Item(video, second, around, paths[(second - 900) * FPS], dict(boxes.values())))
    return items


def mmaction2_ava(folder: Path, split: str, *, clip: int = 8, step: int = 8) -> list[Item]:
    """mmaction2's `AVADataset` on raw frames, in test mode: pictures are numbered from 1, and 1 is added twice."""
    rows = list(_cells(folder / "annotations" / f"ava_{split}_v2.2.csv"))
    return _mmaction2(
        rows, folder / "rawframes", "annotations", lambda video: (0, 900 * FPS), 900, 1, clip, step
    )


def mmaction2_kinetics(folder: Path, split: str, *, clip: int = 8, step: int = 8) -> list[Item]:
    """mmaction2's `AVAKineticsDataset`: the range of the last row holds for every item, pictures count from 0."""
    root = folder / "kinetics"
    rows = list(_cells(root / "annotations" / f"kinetics_{split}_v1.0.csv"))
    if not rows:
        return []
    first, last = map(int, rows[-1][0].split("_")[-2:])
    window = (1, (last - first) * FPS + 1)
    return _mmaction2(rows, root / "rawframes", "annotations", lambda video: window, 0, 0, clip, step)


def _mmaction2(rows, pictures, annotations, window_of, start, index, clip, step):  # type: ignore[no-untyped-def]
    found: dict[tuple[str, int], Boxes] = defaultdict(dict)
    for row in rows:
        int(row[7])
        found[row[0], int(row[1])].setdefault(tuple(map(float, row[2:6])), set()).add(int(row[6]))
    items = []
    for (video, second), boxes in found.items():
        middle = FPS * (second - start) + index
        first, end = window_of(video)
        around = range(middle - clip // 2 * step, middle + (clip + 1) // 2 * step, step)
        numbers = [min(max(at, first), end - 1) + index for at in around]
        paths = [pictures / video / f"img_{number:05d}.jpg" for number in numbers]
        missing = [path for path in paths if not path.is_file()]
        if missing:
            raise FileNotFoundError(missing[0])
        items.append(Item(video, second, paths, paths[clip // 2], boxes))
    return items


def mmaction2_proposals(folder: Path, split: str) -> dict[str, int]:
    """How many proposals mmaction2's `AVADataset` gives each key of the rows; keys that it does not find are absent."""
    with (folder / "annotations" / f"ava_dense_proposals_{split}.pkl").open("rb") as file:
        proposals = pickle.load(file)
    counts = {}
    for row in _cells(folder / "annotations" / f"ava_{split}_v2.2.csv"):
        key = f"{row[0]},{int(row[1]):04d}"
        if key in proposals:
            boxes = proposals[key]
            least = min(0.9, max(boxes[:, 4]))
            kept = boxes[boxes[:, 4] >= least]
            assert kept.shape[-1] == 5
            assert kept[:, :4].min() >= 0
            assert kept[:, :4].max() <= 1
            counts[key] = len(kept)
    return counts


def alphaction(folder: Path, split: str) -> list[Item]:
    """AlphAction's conversion to COCO: a picture a second, named by the second without zeros; 80 classes."""
    videos = {
        line[: line.find(".")]: number
        for number, line in enumerate((folder / "annotations" / f"ava_file_names_{split}.txt").open())
    }
    found: dict[tuple[str, int], Boxes] = defaultdict(dict)
    for video, second, *box, action, person in _cells(folder / "annotations" / f"ava_{split}_v2.2.csv"):
        assert video in videos
        assert int(second) in KNOWN_SECONDS
        assert 0 <= int(person) < 1000
        assert 1 <= int(action) <= 80
        found[video, int(second)].setdefault(tuple(map(float, box)), set()).add(int(action))
    return [
        Item(video, second, [path], path, boxes)
        for (video, second), boxes in found.items()
        for path in [folder / "keyframes" / video / f"{second}.jpg"]
    ]


def one_second_videos(folder: Path, video: str, second: int, span: int = 64) -> list[np.ndarray]:
    """AlphAction's, VideoMAE-Action-Detection's and STMixer's pictures of a second, from videos of one second each.

    From the second's own video onwards until there are half of `span`, as many from those before; then both sides are
    cut to the shorter. A video that is not there is an error.
    """

    def shown(at: int) -> list[np.ndarray]:
        with av.open(str(folder / "seconds" / video / f"{at}.mp4")) as container:
            return [frame.to_rgb().to_ndarray() for frame in container.decode(video=0)]

    after: list[np.ndarray] = []
    while len(after) < span // 2:
        after += shown(second + len(after) // FPS)
    before: list[np.ndarray] = []
    while len(before) < span - span // 2:
        before = shown(second - 1 - len(before) // FPS) + before
    side = min(len(before), len(after))
    return before[-side:] + after[:side]


def datumaro(folder: Path, split: str) -> list[Item]:
    """Datumaro's `ava` format: pictures `<video>_<timestamp>.jpg` below `frames/`, a folder a video."""
    root = folder / "datumaro"
    found: dict[tuple[str, str], Boxes] = defaultdict(dict)
    for path in sorted((root / "annotations").glob(f"*ava_{split}*.csv")):
        for row in _cells(path):
            if len(row) == 8:
                box = found[row[0], row[1]].setdefault(tuple(map(float, row[2:6])), set())
                box.add(int(row[6]))
    return [
        Item(video, int(stamp), [path], path, boxes)
        for (video, stamp), boxes in found.items()
        for path in [root / "frames" / video / f"{video}_{stamp}.jpg"]
    ]


def stmixer(folder: Path, split: str) -> list[Item]:
    """STMixer: the rows of every second, in training and in testing, pictures from the frame list."""
    return slowfast(folder, split, mode="train")


def coco(folder: Path, split: str) -> list[Item]:
    """COCO with videos: pictures by `file_name` below `frames/`, boxes in pixels."""
    content = json.loads((folder / "coco" / f"{split}.json").read_text())
    images = {image["id"]: image for image in content["images"]}
    found: dict[int, Boxes] = defaultdict(dict)
    for one in content["annotations"]:
        image = images[one["image_id"]]
        x, y, width, height = one["bbox"]
        sides = (x, y, x + width, y + height)
        size = (image["width"], image["height"]) * 2
        box = tuple(side / of for side, of in zip(sides, size, strict=True))
        found[one["image_id"]].setdefault(box, set()).add(one["category_id"])
    names = {video["id"]: video["name"] for video in content["videos"]}
    return [
        Item(names[image["video_id"]], 900 + image["frame_id"] // FPS, [path], path, found[number])
        for number, image in images.items()
        for path in [folder / "frames" / image["file_name"]]
    ]


def evaluation_keys(
    folder: Path, split: str, label_map: str = "ava_action_list_v2.2.pbtxt"
) -> set[tuple[str, int, int]]:
    """Video, second and action of every truth that the AVA evaluation counts; two columns name an empty second."""
    classes = set()
    for line in (folder / "annotations" / label_map).open():
        if line.startswith(("  id:", "  label_id:")):
            classes.add(int(line.strip().split(" ")[-1]))
    counted = set()
    with (folder / "annotations" / f"ava_{split}_v2.2.csv").open() as file:
        for row in csv.reader(file):
            assert len(row) in (2, 7, 8)
            if len(row) > 2 and int(row[6]) in classes:
                counted.add((row[0], int(row[1]), int(row[6])))
    return counted
