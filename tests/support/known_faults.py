"""Faults for which people asked in the trackers of AVA's readers, as they looked there, and what is true of each.

`python -m tests.support.known_faults RELEASE` prints the table of `docs/validation.md`: what is said, beside what is
true.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ava_core.base.pickles import safe_load
from ava_core.dataset.formats.ava.checks import Finding, errors_among, validate_dataset
from ava_core.dataset.formats.ava.proposals import write_ava_pickle

CSV = "annotations/ava_train_v2.2.csv"
VAL_BOXES = "annotations/ava_val_predicted_boxes.csv"
PROPOSALS = "annotations/ava_dense_proposals_train.pkl"
LABELS = "annotations/ava_action_list_v2.2.pbtxt"
LIST = "frame_lists/train.csv"

Spoil = Callable[[Path], object]


@dataclass(frozen=True)
class Fault:
    """`what` somebody had, what is `true` of it, and the rule that must be said; "" where nothing is wrong."""

    what: str
    true: str
    rule: str
    spoil: Spoil


def text(name: str, change: Callable[[str], str]) -> Spoil:
    """Change the text of a file."""
    return lambda folder: (folder / name).write_text(change((folder / name).read_text()))


def rows(name: str, change: Callable[[list[str]], list[str]]) -> Spoil:
    """Change the cells of every row of a csv."""
    return text(
        name, lambda old: "".join(",".join(change(line.split(","))) + "\n" for line in old.splitlines())
    )


def pickled(change: Callable[[str, np.ndarray], tuple[str, np.ndarray]]) -> Spoil:
    """Change keys and boxes of the proposals."""
    return lambda folder: write_ava_pickle(
        folder / PROPOSALS, dict(change(key, boxes) for key, boxes in safe_load(folder / PROPOSALS).items())
    )


def moved(name: str, to: str) -> Spoil:
    """Give a file another name."""
    return lambda folder: (folder / name).rename(folder / to)


def without(name: str, pattern: str) -> Spoil:
    """Leave lines out of a file."""
    return text(name, lambda old: "".join(x for x in old.splitlines(True) if not re.search(pattern, x)))


def stamped(count: Callable[[int], int]) -> Spoil:
    """Other timestamps in the rows of train; `count` gets seconds from the clip's start."""
    return rows(CSV, lambda row: [row[0], f"{count(int(row[1]) - 900):04d}", *row[2:]])


def as_google(old: str) -> str:
    """A label map in the dialect that Google publishes."""
    found = re.findall(r'name: "(.*?)"\s*id: (\d+)', old)
    blocks = (
        f'label {{\n  name: "{n}"\n  label_id: {i}\n  label_type: PERSON_MOVEMENT\n}}\n' for n, i in found
    )
    return "".join(blocks)


def class_81(folder: Path) -> None:
    """A class more than AVA has, with a row."""
    text(LABELS, lambda old: old + 'item {\n  name: "x"\n  id: 81\n}\n')(folder)
    text(CSV, lambda old: re.sub(r",\d+,(\d+)\n", r",81,\1\n", old, count=1))(folder)


FAULTS = (
    Fault("unchanged", "no fault", "", lambda folder: None),
    Fault("frame numbers instead of timestamps", "mmaction2 reads the first picture for every item",
          "timestamps are frame numbers, 30 a second", stamped(lambda t: 30 * t)),
    Fault("frame numbers at 25 per second", "SlowFast raises KeyError", "timestamps are frame numbers, 25 a second",
          stamped(lambda t: 25 * t)),
    Fault("seconds from 1 instead of from 0902", "SlowFast raises KeyError: 1", "timestamps are seconds of the clip",
          stamped(lambda t: t - 1)),
    Fault("a val video without a predicted box", "SlowFast: assert len(boxes_and_labels) == len(image_paths)",
          "has no box", without(VAL_BOXES, "^north_gate|^north_yard|^south")),
    Fault("a val video with boxes only at seconds that validation skips", "the same assertion",
          "has no box at a second divisible by 4", without(VAL_BOXES, ",0904,")),
    Fault("boxes of val below the score threshold", "the same assertion, or accuracy 0",
          "no box with a score of 0.9", text(VAL_BOXES, lambda old: re.sub(r"[^,\n]+\n", "0.3\n", old))),
    Fault("one picture per second in the frame list", "SlowFast looks for frame 30 of each second",
          "the list names one frame in 30",
          lambda folder: text(LIST, lambda old: "".join(
              x for n, x in enumerate(old.splitlines(True)) if n == 0 or int(x.split()[2]) % 30 == 0))(folder)),
    Fault("proposals with keys of other seconds", "mmaction2 uses the whole picture as the person: mAP 0",
          "no key matches a row", pickled(lambda key, boxes: (key.replace(",090", ",000"), boxes))),
    Fault("proposals of other videos", "mmaction2 uses the whole picture as the person: mAP 0",
          "no key matches a row", pickled(lambda key, boxes: (f"other_{key}", boxes))),
    Fault("proposals in pixels", "mmaction2: relative proposals invalid", "a value is outside [0, 1]",
          pickled(lambda key, boxes: (key, boxes * 500))),
    Fault("a key of the proposals without a box", "mmaction2: max() of an empty sequence", "the key holds no box",
          pickled(lambda key, boxes: (key, boxes[:0]))),
    Fault("class 81 in the rows", "SlowFast asserts label <= 80, YOWO has 80 columns", "an action id is above 80",
          class_81),
    Fault("boxes in pixels", "every reader multiplies them by the picture's size", "boxes are in pixels",
          rows(CSV, lambda row: [*row[:2], *(str(round(float(x) * 640)) for x in row[2:6]), *row[6:]])),
    Fault("seven columns, without the person", "mmaction2 and pytorchvideo raise IndexError", "rows have 7 columns",
          rows(CSV, lambda row: row[:7])),
    Fault("tabs", "no reader splits at tabs", "cells are separated by tabs",
          text(CSV, lambda old: old.replace(",", "\t"))),
    Fault("a header", "ValueError", "the file has a header",
          text(CSV, lambda old: "video_id,timestamp,x1,y1,x2,y2,action_id,person_id\n" + old)),
    Fault("Google's dialect of the label map", "no fault: every evaluation reads it", "", text(LABELS, as_google)),
    Fault("Google's names of label map and proposals", "no fault", "", lambda folder: (
        moved(LABELS, "annotations/ava_action_list_v2.2_for_activitynet_2019.pbtxt")(folder),
        moved(PROPOSALS, "annotations/ava_dense_proposals_train.FAIR.recall_93.9.pkl")(folder))),
    Fault("a box that touches the border, written 0, 1 and 0.5", "no fault", "",
          text(CSV, lambda old: re.sub(r"^(\w+,0902),[^,]+,[^,]+,[^,]+,[^,]+,(\d+,1)$", r"\1,0,0,0.5,1,\2", old,
                                       flags=re.M))),
)  # fmt: skip


def said_of(release: Path, fault: Fault) -> list[Finding]:
    """What validation says of a release with that fault, beside what it says of the sound one."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "dataset"
        for name in ("annotations", "frame_lists"):
            shutil.copytree(release / name, copy / name)
        (copy / "frames").symlink_to((release / "frames").absolute())
        known = {str(one) for one in validate_dataset(copy)}
        fault.spoil(copy)
        return [one for one in validate_dataset(copy) if str(one) not in known]


def row_of(release: Path, fault: Fault) -> str:
    """A fault's row of the table: what it is, what is true, what is said, and the cure that is named."""
    errors = errors_among(said_of(release, fault))
    told = next((one for one in errors if fault.rule and fault.rule in one.rule), None)
    said = (
        ("nothing", "")
        if not errors
        else ("", "")
        if told is None
        else (f"{told.rule}; {told.consequence}", told.cure)
    )
    return "| " + " | ".join([fault.what, fault.true, *said]).replace("<", "&lt;") + " |"


def table(release: Path) -> str:
    """The table of all faults, as markdown."""
    head = "| fault | effect | finding | cure |\n|---|---|---|---|\n"
    return head + "\n".join(row_of(release, fault) for fault in FAULTS)


if __name__ == "__main__":
    print(table(Path(sys.argv[1])))
