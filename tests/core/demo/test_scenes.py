"""Rendered scenes: the truth is where the pixels move, the video is what a camera would hand over."""

from __future__ import annotations

import zipfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ava_core.base.errors import MediaError
from ava_core.demo.itinerary import height_at, plan_scene
from ava_core.demo.scenes import FPS, SIZE, make_batch_zip, render_scenes
from ava_core.demo.truth import SOURCE_BOXES, SceneTruth
from ava_core.video.media.frames import decoded_frames
from ava_core.video.media.probe import probe

SECONDS = 4.0


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SceneTruth]:
    folder = tmp_path_factory.mktemp("scenes")
    return folder / "scene_1.mp4", render_scenes(folder, seed=5, scenes=1, seconds=SECONDS)


def test_a_scene_is_h264_at_25_frames_a_second(scene):
    info = probe(scene[0])
    assert (info.codec, info.width, info.height, round(info.fps)) == ("h264", *SIZE, FPS)
    assert info.duration_s == pytest.approx(SECONDS, abs=0.05)


def test_truth_lies_within_the_picture_and_counts_frames(scene):
    boxes = scene[1].boxes
    assert dict(boxes.schema) == dict(SOURCE_BOXES)
    assert boxes.select((pl.col("x1") >= 0).all() & (pl.col("x2") <= SIZE[0]).all()).item()
    assert boxes.select((pl.col("y1") >= 0).all() & (pl.col("y2") <= SIZE[1]).all()).item()
    assert boxes.select((pl.col("x1") < pl.col("x2")).all() & (pl.col("y1") < pl.col("y2")).all()).item()
    assert boxes["visible"].is_between(0.0, 1.0).all()
    assert boxes.select(((pl.col("time_s") - pl.col("frame") / FPS).abs() < 1e-9).all()).item()
    assert set(boxes["frame"]) <= set(range(round(SECONDS * FPS)))


def test_pixels_differ_from_the_empty_street_inside_true_boxes_and_nowhere_else(scene):
    path, truth = scene
    frames = [frame.astype(np.int16) for frame in decoded_frames(path)]
    empty = np.median(np.stack(frames[::5]), axis=0)
    looked_at = 0
    for number in range(0, len(frames), 20):
        differs = np.abs(frames[number] - empty).max(axis=2) > 40
        differs[:20] = False  # the clock
        inside = np.zeros_like(differs)
        for row in truth.boxes.filter(pl.col("frame") == number).to_dicts():
            x1, y1, x2, y2 = (int(row[name]) for name in ("x1", "y1", "x2", "y2"))
            inside[max(0, y1 - 2) : y2 + 6, max(0, x1 - 3) : x2 + 3] = True
            whole = row["visible"] > 0.9 and x2 - x1 > 15
            if whole and row["words"] and "standing_still" not in row["words"]:
                assert differs[y1:y2, x1:x2].mean() > 0.12
                looked_at += 1
        assert differs[~inside].mean() < 0.002
    assert looked_at >= 5


def test_walkers_hide_each_other_and_leave(tmp_path):
    truth = render_scenes(tmp_path, seed=0, scenes=1, seconds=20.0).boxes
    inside = truth.filter(pl.col("x1") > 5, pl.col("x2") < SIZE[0] - 5)
    assert inside["visible"].min() < 0.6, "somebody passes behind somebody else or the lamp post"
    assert truth.group_by("walker_id").agg(pl.col("frame").max())["frame"].min() < 19 * FPS


def test_a_seed_gives_the_same_scene_and_another_seed_another_one():
    assert plan_scene(3, 1, 32.0) == plan_scene(3, 1, 32.0)
    assert plan_scene(3, 1, 32.0) != plan_scene(4, 1, 32.0)
    assert plan_scene(3, 1, 32.0) != plan_scene(3, 2, 32.0)


def test_words_follow_the_way_that_is_walked():
    for seed in range(20):
        for walker in plan_scene(seed, 1, 32.0):
            assert walker.words_at(walker.legs[0].t0 - 1.0) == frozenset()
            for leg in walker.legs:
                words = walker.words_at((leg.t0 + leg.t1) / 2)
                moves = leg.x0 != leg.x1 or leg.y0 != leg.y1
                assert leg.gait in words
                assert moves == (not words & {"standing_still", "window_shopping"})
            joined = [a.t1 == b.t0 and (a.x1, a.y1) == (b.x0, b.y0) for a, b in pairwise(walker.legs)]
            assert all(joined)


def test_people_are_tall_enough_to_be_seen():
    assert height_at(190.0) >= 60


def test_the_zip_holds_two_scenes_a_nested_folder_and_a_broken_file(tmp_path):
    archive, truth = make_batch_zip(tmp_path, seed=1, seconds=2.0)
    with zipfile.ZipFile(archive) as members:
        names = members.namelist()
        members.extractall(tmp_path / "out")
    assert set(truth.boxes["source"]) == {"scene_1.mp4", "side_street/scene_2.mp4"}
    assert set(names) == {"scene_1.mp4", "side_street/scene_2.mp4", "interrupted_upload.mp4"}
    with pytest.raises(MediaError):
        probe(tmp_path / "out" / "interrupted_upload.mp4")
    assert probe(tmp_path / "out" / "side_street" / "scene_2.mp4").width == SIZE[0]
