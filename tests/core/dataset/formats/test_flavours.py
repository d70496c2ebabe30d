"""Layouts of other readers: ids, tubes, boxes; and the truth scored against itself."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ava_core.base.pickles import safe_load
from ava_core.dataset.formats.ava.reader import read_rows
from ava_core.dataset.formats.datumaro.labels import without_gaps
from ava_core.dataset.formats.kinetics.names import kinetics_id
from ava_core.dataset.formats.multisports.tubes import tubes
from ava_core.ontology import load_ontology
from tests.support.throwaway import throwaway


def test_a_kinetics_id_is_never_taken_for_one_of_youtube() -> None:
    ids = pl.DataFrame({"clip_id": ["", "a", "a_b_c"], "frames": [0, 450, 29]}).select(kinetics_id("clip_id"))
    assert ids["kinetics_id"].to_list() == ["_000000_000000", "a_000000_000015", "a_b_c_000000_000000"]
    assert ids["kinetics_id"].str.len_chars().min() > 11


def test_kinetics_finds_its_proposals_and_pictures(released: Path) -> None:
    folder = released / "kinetics"
    row = (folder / "annotations/kinetics_train_v1.0.csv").read_text().splitlines()[0].split(",")
    name = row[0].rsplit("_", 2)[0]
    assert f"{name},{row[1]}" in safe_load(folder / "annotations/kinetics_dense_proposals_train.pkl")
    pictures = sorted(path.name for path in (folder / "rawframes" / row[0]).iterdir())
    assert (pictures[0], pictures[-1]) == ("img_00001.jpg", "img_00210.jpg")


def test_datumaro_has_a_name_for_every_id(released: Path, world) -> None:
    whole = without_gaps(world.ontology)
    assert [action.id for action in whole.actions] == [1, 2, 3, 4, 5]
    assert without_gaps(load_ontology("street")) == load_ontology("street")
    rows = read_rows(released)
    for video, stamp in rows.select("video_id", "timestamp").unique().rows():
        assert (released / f"datumaro/frames/{video}/{video}_{stamp:04d}.jpg").is_file()


def test_tubes_are_whole_between_seconds_and_end_at_gaps() -> None:
    boxes = [(902, 0.0, 0.0, 0.2, 0.2), (903, 0.3, 0.0, 0.5, 0.2), (905, 0.0, 0.0, 0.1, 0.1)]
    rows = pl.DataFrame(
        [("v", *box, 1, 1) for box in boxes],
        ["video_id", "timestamp", "x1", "y1", "x2", "y2", "action_id", "person_id"], orient="row",
    )  # fmt: skip
    (_, action, first), (_, _, second) = tubes(rows)
    assert action == 1
    assert first[:, 0].tolist() == list(range(61, 92))
    assert np.allclose(first[15, 1:], [0.15, 0.0, 0.35, 0.2])
    assert second.tolist() == [[151.0, 0.0, 0.0, 0.1, 0.1]]


def test_multisports_holds_every_tube_in_pixels(released: Path) -> None:
    truth = safe_load(released / "multisports/multisports_GT.pkl")
    assert truth["labels"] == ["stand", "walk", "carry", "phone"]
    assert set(truth["gttubes"]) == set(truth["nframes"]) == set(truth["resolution"])
    assert truth["train_videos"] == [["south_lane_000"]]
    (walk_1, walk_2) = truth["gttubes"]["south_lane_000"][1]
    assert walk_1[0].tolist() == pytest.approx([61, 8, 3, 18, 30], abs=0.01)
    assert len(walk_1) == 91
    assert len(walk_2) == 31


def test_coco_counts_every_label_once(released: Path) -> None:
    rows = read_rows(released)
    for split in ("train", "val", "test"):
        content = json.loads((released / f"coco/{split}.json").read_text())
        own = rows.filter(pl.col("split") == split)
        assert len(content["annotations"]) == own.height
        images = {image["id"]: image for image in content["images"]}
        assert all((released / "frames" / image["file_name"]).is_file() for image in images.values())
        box = content["annotations"][0]["bbox"]
        assert box == pytest.approx([8, 3, 10, 27], abs=0.01)
        assert {box["image_id"] for box in content["annotations"]} == set(images)


def mean_average_precision(truth: pl.DataFrame, found: pl.DataFrame, threshold: float = 0.5) -> float:
    """Mean over classes of the area under the interpolated precision–recall curve (PASCAL VOC 2010)."""
    at = ["video_id", "timestamp", "action_id"]
    precisions = []
    for (action,), own in truth.group_by(["action_id"]):
        detections = found.filter(pl.col("action_id") == action).sort("score", descending=True)
        taken: set[tuple[object, ...]] = set()
        hits = []
        for detection in detections.to_dicts():
            key = [detection[name] for name in at]
            there = own.filter(pl.col("video_id") == key[0], pl.col("timestamp") == key[1]).to_dicts()
            best = max(there, key=lambda box: _iou(box, detection), default=None)
            place = (*key, best["person_id"]) if best else ()
            hit = best is not None and _iou(best, detection) >= threshold and place not in taken
            taken |= {place} if hit else set()
            hits.append(hit)
        precisions.append(_area(np.cumsum(hits), own.height))
    return float(np.mean(precisions))


def _area(hits: np.ndarray, positives: int) -> float:
    recall = np.concatenate([[0.0], hits / positives])
    precision = np.concatenate([hits / np.arange(1, len(hits) + 1), [0.0]])
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall) * precision[:-1]).sum())


def _iou(a: dict, b: dict) -> float:
    width = min(a["x2"], b["x2"]) - max(a["x1"], b["x1"])
    height = min(a["y2"], b["y2"]) - max(a["y1"], b["y1"])
    shared = max(width, 0.0) * max(height, 0.0)
    areas = [(box["x2"] - box["x1"]) * (box["y2"] - box["y1"]) for box in (a, b)]
    return shared / (sum(areas) - shared)


def test_the_truth_as_detections_scores_exactly_one(released: Path) -> None:
    truth = read_rows(released)
    assert mean_average_precision(truth, truth.with_columns(score=1.0)) == 1.0
    moved = truth.with_columns(pl.col("x1", "x2") + 0.2, score=1.0)
    assert mean_average_precision(truth, moved) < 0.5
    half = truth.filter(pl.col("timestamp") % 2 == 0).with_columns(score=1.0)
    assert mean_average_precision(truth, half) < 1.0


READ_PICKLES = """
import pickle, sys, numpy
boxes = pickle.load(open(sys.argv[1], "rb"))
tubes = pickle.load(open(sys.argv[2], "rb"))
first = boxes["south_lane_000,0903"]
assert isinstance(first, numpy.ndarray) and first.shape == (2, 5) and first.dtype == numpy.float64
print(numpy.__version__, len(boxes), round(float(first.sum()), 4), len(tubes["gttubes"]["south_lane_000"][1]))
"""


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.parametrize("version", ["1.26.4", "2"])
def test_pickles_load_under_numpy(released: Path, tmp_path: Path, version: str) -> None:
    wanted = f"numpy=={version}" if "." in version else f"numpy>={version}"
    python = throwaway(tmp_path / "venv", wanted)
    files = ("annotations/ava_dense_proposals_train.pkl", "multisports/multisports_GT.pkl")
    said = subprocess.run(
        [python, "-c", READ_PICKLES, *(released / name for name in files)], capture_output=True, text=True
    )
    assert said.returncode == 0, said.stderr
    own = safe_load(released / files[0])
    loaded, *figures = said.stdout.split()
    assert loaded.startswith(version.split(".")[0])
    assert figures == [str(len(own)), str(round(float(own["south_lane_000,0903"].sum()), 4)), "2"]


READ_DATUMARO = """
import sys
from datumaro import Dataset
from datumaro.components.annotation import AnnotationType
found = Dataset.import_from(sys.argv[1], "ava")
names = [label.name for label in found.categories()[AnnotationType.label]]
for item in found:
    assert item.media.data.shape == (36, 64, 3)
    for box in item.annotations:
        video, stamp = item.id.split("/")
        print(item.subset, video, int(stamp), names[box.label], box.attributes["track_id"])
"""


@pytest.mark.slow
@pytest.mark.nightly
def test_datumaro_imports_its_folder(released: Path, tmp_path: Path) -> None:
    # Not a development dependency: it brings its own build of OpenCV, which overwrites the one in use here.
    python = throwaway(tmp_path / "venv", "datumaro", "protobuf<5")
    shutil.copytree(released / "datumaro", tmp_path / "datumaro")
    said = subprocess.run(
        [python, "-c", READ_DATUMARO, tmp_path / "datumaro"], capture_output=True, text=True
    )
    assert said.returncode == 0, said.stderr
    names = {1: "stand", 2: "walk", 4: "carry", 5: "phone"}
    wanted = [
        f"{split} {video} {stamp} {names[action]} {person}"
        for split, video, stamp, action, person in read_rows(released)
        .select("split", "video_id", "timestamp", "action_id", "person_id")
        .rows()
    ]
    assert sorted(said.stdout.splitlines()) == sorted(wanted)
