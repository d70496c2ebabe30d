"""CVAT XML by hand: the tracks that the platform draws, from its own tables or from the older tools' files."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
import pytest
from defusedxml.ElementTree import parse

from ava_core.annotation.prefill import prefill_tracks
from ava_core.annotation.reading import read_shapes
from ava_core.annotation.xml import write_batch_xml, write_proposals_xml
from ava_core.base.errors import InputError, UnsafePickleError
from ava_core.base.schemas import CLIPS, TRACKS
from ava_core.base.settings import load_settings
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext
from ava_core.dataset.formats.cvat_xml.reader import read_cvat_xml
from ava_core.ontology import load_ontology
from ava_core.ontology.form import SEED_TRACK_ATTRIBUTE, form_fields

FRAMES = 150


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    """A batch of one clip: one person to the end, another with a hole who leaves."""
    storage = Storage(tmp_path / "storage")
    clip = {"clip_id": "c", "source_id": "s", "batch": "b", "frames": FRAMES, "width": 640, "height": 360}
    rows = [("c", f, 1, 10.0 + f, 20.0, 60.0 + f, 120.0, 0.9, False) for f in range(0, FRAMES, 3)]
    rows += [
        ("c", f, 2, 300.0, 20.0, 350.0, 120.0, 0.9, False) for f in (*range(30, 61, 3), *range(90, 121, 3))
    ]
    storage.write_table(storage.table_path("b", "clips"), pl.DataFrame([clip], schema=dict(CLIPS)))
    storage.write_table(
        storage.table_path("b", "tracks"), pl.DataFrame(rows, schema=dict(TRACKS), orient="row")
    )
    return storage


def boxes_of(root: Any) -> list[list[tuple[int, str]]]:
    return [[(int(b.get("frame")), b.get("outside")) for b in track] for track in root.iterfind("track")]


def test_a_batch_reads_back_as_what_is_drawn_in_cvat(storage: Storage, tmp_path: Path) -> None:
    ontology = load_ontology("street")
    [path] = write_batch_xml(BatchContext("b", load_settings(), storage=storage), tmp_path / "out")
    [copy] = read_cvat_xml(path)
    drawn = prefill_tracks(storage.read_table(storage.table_path("b", "tracks")), FRAMES)
    boxes, labels = read_shapes(
        copy.shapes, ontology, frames=copy.frames, width=copy.width, height=copy.height, predrawn=drawn
    )
    assert (copy.name, copy.frames, copy.width, copy.height) == ("c", FRAMES, 640, 360)
    assert labels == [], "nothing is filled in beforehand"
    assert {(b["seed_track_id"], b["second"]) for b in boxes} == {
        *((1, second) for second in range(5)), (2, 1), (2, 2), (2, 3), (2, 4),
    }  # fmt: skip
    assert not any(box["edited"] for box in boxes)


def test_every_box_is_a_keyframe_and_carries_the_whole_form(storage: Storage, tmp_path: Path) -> None:
    """CVAT drops other boxes, and takes a track's identity from its last one."""
    ontology = load_ontology("street")
    root = parse(write_batch_xml(BatchContext("b", load_settings(), storage=storage), tmp_path)[0]).getroot()
    names = {SEED_TRACK_ATTRIBUTE, *(field.name for field in form_fields(ontology))}
    boxes = list(root.iter("box"))
    assert boxes
    for box in boxes:
        assert box.get("keyframe") == "1"
        assert {a.get("name") for a in box} == names
    first, second = boxes_of(root)
    assert first == [(0, "0"), (147, "0"), (148, "1")]
    assert second == [(30, "0"), (60, "0"), (61, "1"), (90, "0"), (120, "0"), (121, "1")]


def older_files(folder: Path, boxes: dict[int, list[list[float]]], seconds: int = 5) -> tuple[Path, Path]:
    """`dense_proposals.pkl` and `frames.zip` of a clip `7_clip_000`."""
    content = {"7_clip_000": {f"7_clip_000_frame_{s:04d}.jpg": rows for s, rows in boxes.items()}}
    (folder / "dense_proposals.pkl").write_bytes(pickle.dumps(content, protocol=2))
    picture = cv2.imencode(".jpg", np.zeros((36, 64, 3), np.uint8))[1].tobytes()
    with zipfile.ZipFile(folder / "frames.zip", "w") as archive:
        for second in range(seconds):
            archive.writestr(f"frames/7_clip_000_frame_{second:04d}.jpg", picture)
    return folder / "dense_proposals.pkl", folder / "frames.zip"


@pytest.mark.parametrize(("pictures", "step", "size"), [(False, 30, 121), (True, 1, 5)])
def test_older_files_become_tracks_that_end(tmp_path: Path, pictures: bool, step: int, size: int) -> None:
    """No box in a picture that exists means that nobody is there: no ghosts, and no rows that an import drops."""
    rows = {s: [[10.0 * s, 5.0, 10.0 * s + 8, 20.0, 0.9, 4]] for s in (0, 1, 3)}
    files = older_files(tmp_path, rows)
    [path] = write_proposals_xml(tmp_path / "out", *files, load_ontology("street"), pictures=pictures)
    root = parse(path).getroot()
    assert boxes_of(root) == [[(0, "0"), (step, "0"), (step + 1, "1"), (3 * step, "0"), (3 * step + 1, "1")]]
    assert root.findtext("meta/task/size") == str(size)
    assert root.findtext("meta/task/original_size/width") == "64"
    assert path.name == "7_clip_000.xml"


class Evil:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (print, ("executed",))


def test_uploaded_files_are_not_trusted(tmp_path: Path) -> None:
    ontology = load_ontology("street")
    proposals, frames = older_files(tmp_path, {0: [[1.0, 2.0, 3.0, 4.0, 0.9, 1]]})
    proposals.write_bytes(pickle.dumps({"7_clip_000": Evil()}))
    with pytest.raises(UnsafePickleError):
        write_proposals_xml(tmp_path / "out", proposals, frames, ontology)
    for content, message in [
        ([1, 2], "not a dict of clips"),
        ({"../../x": {}}, "no picture of clip"),
        ({"7_clip_000": {"7_clip_000_frame_0099.jpg": []}}, "no picture '7_clip_000_frame_0099.jpg'"),
        ({"7_clip_000": {"7_clip_000_frame_0000.jpg": [[1, 2]]}}, "2 numbers"),
    ]:
        proposals.write_bytes(pickle.dumps(content))
        with pytest.raises(InputError, match=message):
            write_proposals_xml(tmp_path / "out", proposals, frames, ontology)
    assert not list(tmp_path.glob("out/*"))
