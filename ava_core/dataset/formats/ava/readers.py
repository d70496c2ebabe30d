"""Which program opens which file of a dataset, and what it does where the file is not as it must be.

The source of the checks, of what a finding names, and of the page `docs/readers.md`. Found in the readers' own code:
SlowFast, mmaction2 1.x, pytorchvideo 0.1, AlphAction, YOWOv2 and v3, ActivityNet's evaluation, Datumaro 1.13.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Role = Literal[
    "rows", "label map", "excluded", "frame list", "predicted", "proposals", "frames", "rawframes", "keyframes",
    "seconds", "kinetics", "datumaro",
]  # fmt: skip
"""What a file or folder of a dataset is for, whatever it is called."""

VALIDATED_EVERY: Final = 4
"""SlowFast, EVAD and YOWOv2 validate on seconds that this number divides."""
SLOWFAST_THRESHOLD: Final = 0.9
"""SlowFast's default `AVA.DETECTION_SCORE_THRESH`; mmaction2's `person_det_score_thr` is the same."""
MOST_EVALUATED: Final = 50
"""Detections of one keyframe that the AVA evaluation looks at."""
MOST_CLASSES: Final = 80
"""AVA's own number of classes, built into SlowFast, AlphAction and YOWO."""


@dataclass(frozen=True)
class Reader:
    """A program: what of each role it needs, and how it is told another name."""

    name: str
    needs: tuple[Role, ...]
    may_use: tuple[Role, ...] = ()
    told: str = ""


READERS: Final = (
    Reader(
        "AVA evaluation", ("rows", "label map"), ("excluded",),
        "the arguments -g, -l and -d of get_ava_performance.py",
    ),
    Reader(
        "SlowFast", ("rows", "frame list", "predicted", "frames"), ("label map", "excluded"),
        "AVA.TRAIN_GT_BOX_LISTS, TRAIN_LISTS, TEST_LISTS, TEST_PREDICT_BOX_LISTS, LABEL_MAP_FILE, EXCLUSION_FILE",
    ),
    Reader(
        "mmaction2 AVADataset", ("rows", "rawframes"), ("proposals", "excluded", "label map"),
        "ann_file, proposal_file, exclude_file, label_file, data_prefix, filename_tmpl",
    ),
    Reader("mmaction2 AVAKineticsDataset", ("kinetics",), (), "ann_file, proposal_file, data_prefix"),
    Reader(
        "pytorchvideo", ("rows", "frame list", "frames"), ("label map",),
        "frame_labels_file, frame_paths_file, video_path_prefix",
    ),
    Reader("YOWOv2", ("rows", "frame list", "excluded", "label map", "frames"), (), "config/dataset_config.py"),
    Reader("YOWOv3", ("rows", "frames"), (), "config/ava_config.yaml"),
    Reader(
        "AlphAction", ("rows", "keyframes", "seconds"), (),
        "--csv_path, --movie_list, --img_root of csv2COCO.py; alphaction/config/paths_catalog.py",
    ),
    Reader(
        "VideoMAE-Action-Detection", ("rows", "keyframes", "seconds"), (),
        "csv2COCO.py as for AlphAction; alphaction/config/paths_catalog.py",
    ),
    Reader(
        "STMixer", ("rows", "frame list", "frames"), ("label map", "excluded", "seconds"),
        "AVA.TRAIN_GT_BOX_LISTS, TEST_GT_BOX_LISTS, TRAIN_LISTS, TEST_LISTS, LABEL_MAP_FILE, EXCLUSION_FILE",
    ),
    Reader("TubeR", ("rows", "frames"), (), "obtain_generated_bboxes_training(input_csv, frame_root), DATA.DATA_PATH"),
    Reader("Datumaro", ("datumaro",), (), "the folder's path"),
)  # fmt: skip

OWN_NAMES: Final[Mapping[Role, str]] = {
    "rows": "annotations/ava_<split>_v2.2.csv",
    "label map": "annotations/ava_action_list_v2.2.pbtxt",
    "excluded": "annotations/ava_<split>_excluded_timestamps_v2.2.csv",
    "frame list": "frame_lists/<split>.csv",
    "predicted": "annotations/ava_<split>_predicted_boxes.csv",
    "proposals": "annotations/ava_dense_proposals_<split>.pkl",
    "frames": "frames/<video>/<video>_%06d.jpg",
    "rawframes": "rawframes/<video>/img_%05d.jpg",
    "keyframes": "keyframes/<video>/<timestamp>.jpg",
    "seconds": "seconds/<video>/<timestamp>.mp4",
    "kinetics": "kinetics/",
    "datumaro": "datumaro/",
}


def opening(role: Role) -> list[str]:
    """Names of the readers that open a file of that role."""
    return [reader.name for reader in READERS if role in (*reader.needs, *reader.may_use)]


def reader_table() -> str:
    """The table file × reader, as markdown: ● needed, ○ used where it is given."""
    lines = ["| file | " + " | ".join(reader.name for reader in READERS) + " |"]
    lines.append("|---" * (len(READERS) + 1) + "|")
    for role, name in OWN_NAMES.items():
        marks = ["●" if role in r.needs else "○" if role in r.may_use else "" for r in READERS]
        lines.append(f"| `{name}` | " + " | ".join(marks) + " |")
    return "\n".join(lines)
