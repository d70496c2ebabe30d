"""Clips that validation can use: never one in val or test without a second that SlowFast and YOWO look at."""

from __future__ import annotations

import polars as pl
import pytest

from ava_core.dataset.export.val_clips import sources_for_training, unvalidated, usable_clips
from tests.support import readers
from tests.support.numbered import numbered_dataset


@pytest.fixture
def numbered(tmp_path):  # type: ignore[no-untyped-def]
    return numbered_dataset(tmp_path / "pictures")


def test_a_clip_too_short_for_a_fourth_second_is_not_usable(numbered) -> None:  # type: ignore[no-untyped-def]
    usable = usable_clips(numbered.rows, numbered.clips, numbered.proposals)
    assert usable == {"a_long", "b_middle", "d_long"}
    assert sources_for_training(numbered.clips, usable) == {"c_short", "e_short"}


def test_nobody_labelled_or_surely_detected_there_is_not_usable(numbered) -> None:  # type: ignore[no-untyped-def]
    fourth = pl.col("timestamp") % 4 == 0
    rows = numbered.rows.filter(~fourth | (pl.col("video_id") != "a_long"))
    unsure = pl.when(pl.col("clip_id") == "d_long").then(0.5).otherwise("score").alias("score")
    proposals = numbered.proposals.with_columns(unsure)
    assert usable_clips(rows, numbered.clips, proposals) == {"b_middle"}


def test_a_detector_that_scores_low_throughout_shuts_no_clip_out(numbered) -> None:  # type: ignore[no-untyped-def]
    low = numbered.proposals.with_columns(score=pl.lit(0.5))
    assert usable_clips(numbered.rows, numbered.clips, low) == {"a_long", "b_middle", "d_long"}


def test_where_every_source_has_a_short_clip_only_that_clip_is_left_out(numbered) -> None:  # type: ignore[no-untyped-def]
    clips = numbered.clips.with_columns(source_id=pl.lit("one"))
    usable = usable_clips(numbered.rows, clips, numbered.proposals)
    assert sources_for_training(clips, usable) == set()
    assert sorted(unvalidated(clips, {"one": "val"}, usable)) == ["c_short", "e_short"]
    assert unvalidated(clips, {"one": "train"}, usable) == {}


def test_a_release_keeps_what_cannot_be_validated_on_for_training(world) -> None:  # type: ignore[no-untyped-def]
    (clip,) = world.add_batch("north", ["gate"])
    world.dispute("north", clip, 4)
    world.add_batch("south", ["lane", "yard", "court"])
    release = world.release("a")
    folder = world.releases / "a"
    assert (folder / "annotations/ava_file_names_train.txt").read_text().count(clip) == 1
    for split in ("val", "test"):
        assert readers.slowfast(folder, split, mode="val", threshold=0.8)
        assert readers.yowov2(folder, split)
    assert release.left_out == {}


def test_a_clip_pinned_to_val_that_validation_cannot_use_is_left_out_with_the_reason(world) -> None:  # type: ignore[no-untyped-def]
    (clip,) = world.add_batch("north", ["gate"])
    world.dispute("north", clip, 4)
    world.add_batch("south", ["lane", "yard", "court"])
    release = world.release("a", pins={"north_gate": "val"})
    assert "every fourth" in release.left_out[clip]
    assert clip not in (world.releases / "a/annotations/ava_val_v2.2.csv").read_text()
