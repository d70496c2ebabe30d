"""Pre-drawn tracks: few keyframes, near the tracker's boxes, ended, unset; and read back as what they were."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ava_core.annotation.prefill import LEAST_IOU, prefill_tracks, to_api
from ava_core.annotation.reading import box_at, read_shapes, shapes_from_api
from ava_core.base.schemas import TRACKS
from ava_core.ontology import UNSET, Ontology, load_ontology
from ava_core.ontology.form import SEED_TRACK_ATTRIBUTE, form_fields
from ava_core.video.tracking.iou import pairwise_iou
from tests.support.examples import examples

FRAMES = 450


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return load_ontology("street")


def specs_of(ontology: Ontology) -> dict[str, int]:
    names = [field.name for field in form_fields(ontology)] + [SEED_TRACK_ATTRIBUTE]
    return {name: number for number, name in enumerate(names, start=11)}


def walk(seed: int, first: int, last: int, step: int, track_id: int = 1) -> pl.DataFrame:
    """A person on a crooked way, seen every `step` frames."""
    rng = np.random.default_rng(seed)
    frames = np.arange(first, last + 1, step)
    way = np.cumsum(rng.normal(0, 4, (len(frames), 2)), axis=0) + np.array([400, 300])
    size = np.stack([40 + rng.normal(0, 1, len(frames)), 100 + rng.normal(0, 2, len(frames))], axis=1)
    boxes = np.concatenate([way, way + size], axis=1)
    table = pl.DataFrame(boxes, schema=["x1", "y1", "x2", "y2"]).with_columns(
        clip_id=pl.lit("c"), frame=pl.Series(frames), track_id=track_id, score=0.9, interpolated=False
    )
    return table.select(pl.col(name).cast(kind) for name, kind in TRACKS.items())


@given(
    seed=st.integers(0, 10_000),
    first=st.integers(0, 200),
    length=st.integers(0, 240),
    step=st.sampled_from([1, 3, 6]),
)
@examples(60)
def test_drawn_boxes_stay_near_the_trackers(seed: int, first: int, length: int, step: int) -> None:
    track = walk(seed, first, min(first + length, FRAMES - 1), step)
    [drawn] = prefill_tracks(track, FRAMES)
    names = ("xtl", "ytl", "xbr", "ybr")
    shapes = [shape | dict(zip(names, shape["box"], strict=True)) for shape in drawn["shapes"]]
    for frame, *box in track.select("frame", "x1", "y1", "x2", "y2").rows():
        shown = box_at(shapes, frame)
        assert shown is not None
        assert pairwise_iou(np.array([shown]), np.array([box]))[0, 0] >= LEAST_IOU - 1e-3
    last = track["frame"].max()
    assert box_at(shapes, first - 1) is None
    if last + 1 < FRAMES:
        assert box_at(shapes, last + 1) is None, "a track ends at the last real detection"


def test_keyframes_are_few() -> None:
    frames = range(0, 301, 3)
    rows = [("c", f, 1, 100.0 + f, 100.0, 140.0 + f, 200.0, 0.9, False) for f in frames]
    straight = pl.DataFrame(rows, schema=dict(TRACKS), orient="row")
    [drawn] = prefill_tracks(straight, FRAMES)
    assert [(s["frame"], s["outside"]) for s in drawn["shapes"]] == [(0, False), (300, False), (301, True)]


def test_a_hole_is_hidden_and_a_track_to_the_end_has_no_end() -> None:
    track = pl.concat([walk(1, 0, 90, 3), walk(1, 300, 449, 3), walk(2, 449, 449, 3, track_id=2)])
    first, second = prefill_tracks(track, FRAMES)
    outside = [shape["frame"] for shape in first["shapes"] if shape["outside"]]
    assert outside == [91, 448]
    assert [(s["frame"], s["outside"]) for s in second["shapes"]] == [(449, False)]


@given(seeds=st.lists(st.integers(0, 1000), min_size=1, max_size=4), step=st.sampled_from([1, 3, 6]))
@examples(30)
def test_what_was_drawn_reads_back_untouched(seeds: list[int], step: int) -> None:
    ontology = load_ontology("street")
    specs = specs_of(ontology)
    tracks = pl.concat([walk(seed, 10 * n, 300 + n, step, n) for n, seed in enumerate(seeds, start=1)])
    drawn = prefill_tracks(tracks, FRAMES)
    content = {"tracks": to_api(drawn, ontology, label_id=1, specs=specs), "shapes": [], "tags": []}
    shapes = shapes_from_api(content, {number: name for name, number in specs.items()})
    boxes, labels = read_shapes(shapes, ontology, frames=FRAMES, width=1280, height=720, predrawn=drawn)
    assert labels == [], "an unset attribute is a missing rating"
    assert boxes
    assert not any(box["edited"] for box in boxes)
    assert {box["seed_track_id"] for box in boxes} == set(range(1, len(seeds) + 1))
    assert all(box["flags"] in ([], ["outside_picture"]) for box in boxes)


def test_every_attribute_is_unset_and_the_identity_is_immutable(ontology: Ontology) -> None:
    specs = specs_of(ontology)
    [track] = to_api(prefill_tracks(walk(1, 0, 90, 3, 7), FRAMES), ontology, 5, specs)
    assert track["attributes"] == [{"spec_id": specs[SEED_TRACK_ATTRIBUTE], "value": "7"}]
    first, *others = track["shapes"]
    assert {a["value"] for a in first["attributes"]} == {UNSET}
    assert len(first["attributes"]) == len(form_fields(ontology))
    assert all(shape["attributes"] == [] for shape in others)
