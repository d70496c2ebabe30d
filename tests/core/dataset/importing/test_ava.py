"""Export, import, export again: the same bytes."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from ava_core.base.errors import ExportError, InputError
from ava_core.dataset.formats.ava.checks import errors_among, validate_dataset
from ava_core.dataset.formats.ava.reader import read_rows
from ava_core.dataset.importing.ava import import_ava
from ava_core.dataset.importing.ava_rows import Clock
from ava_core.dataset.importing.imported import write_import

SAME = ("annotations", "frame_lists", "kinetics/annotations", "datumaro/annotations", "coco", "multisports")
"""Folders of data; what is about the release (card, lineage, hashes) is the release's own."""


def files(folder: Path) -> dict[str, bytes]:
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {
        name: path.read_bytes() for name, path in found.items() if name.startswith((*SAME, "AVA_dataset"))
    }


def test_a_release_taken_over_is_byte_for_byte_the_same(released: Path, tmp_path: Path, world) -> None:
    imported = import_ava(released, world.ontology)
    assert imported.repairs == []
    again = write_import(tmp_path / "again", imported)
    assert files(again) == files(released)
    assert len(files(again)) > 30
    pictures = [path.relative_to(released) for path in released.rglob("*.jpg")]
    assert all((again / path).samefile(released / path) for path in pictures if path.parts[0] == "frames")
    assert sorted(path.relative_to(again) for path in again.rglob("*.jpg")) == sorted(pictures)
    assert errors_among(validate_dataset(again)) == []


def test_annotations_alone_are_enough(released: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    shutil.copytree(released / "annotations", alone / "annotations")
    imported = import_ava(alone)
    assert [repair.defect for repair in imported.repairs] == ["videos without a frame list"]
    again = write_import(tmp_path / "again", imported)
    wanted, made = files(released), files(again)
    for split in ("train", "val", "test"):
        name = f"annotations/ava_{split}_v2.2.csv"
        assert made[name] == wanted[name]
    assert not (again / "coco").exists()
    assert {finding.file for finding in errors_among(validate_dataset(again))} == {"frames"}


def test_rows_that_readers_would_misread_are_left_out_and_listed(released: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(released / "annotations", copy / "annotations")
    shutil.copytree(released / "frame_lists", copy / "frame_lists")
    csv = copy / "annotations/ava_train_v2.2.csv"
    first = csv.read_text().splitlines()[0]
    csv.write_text(csv.read_text() + f"{first}\n{first.replace('0902', '0901')}\n")
    imported = import_ava(copy)
    assert {repair.defect: repair.rows for repair in imported.repairs} == {
        "rows that appear twice": 1,
        "seconds without context on both sides": 1,
    }


def test_an_ontology_that_contradicts_the_label_map_is_refused(released: Path, tmp_path: Path) -> None:
    from ava_core.ontology import load_ontology

    with pytest.raises(InputError, match="calls action 1 'stand', ontology street 'normal_walk'"):
        import_ava(released, load_ontology("street"))
    copy = tmp_path / "copy"
    shutil.copytree(released / "annotations", copy / "annotations")
    (copy / "annotations/ava_action_list_v2.2.pbtxt").unlink()
    with pytest.raises(InputError, match="--ontology"):
        import_ava(copy)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="has no annotations"):
        import_ava(tmp_path / "empty")


def test_ids_that_no_reader_can_read_are_refused_and_nothing_is_left(released: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(released / "annotations", copy / "annotations")
    csv = copy / "annotations/ava_train_v2.2.csv"
    csv.write_text(csv.read_text().replace("south_lane", "south lane"))
    with pytest.raises(ExportError, match="cannot be a video id"):
        write_import(tmp_path / "out", import_ava(copy))
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith((".out", "out"))] == []


def test_a_video_as_long_as_avas_own_is_taken_over_and_a_longer_one_refused(tmp_path: Path) -> None:
    folder = tmp_path / "long"
    (folder / "annotations").mkdir(parents=True)
    (folder / "frame_lists").mkdir()
    (folder / "annotations/ava_action_list_v2.2.pbtxt").write_text('item {\n  name: "stand"\n  id: 1\n}\n')
    (folder / "annotations/ava_train_v2.2.csv").write_text(
        "film,0902,0.100,0.100,0.500,0.500,1,0\nfilm,1798,0.100,0.100,0.500,0.500,1,0\n"
    )

    def frames(count: int) -> None:
        lines = (f'film 0 {n} film/film_{n + 1:06d}.jpg ""\n' for n in range(count))
        header = "original_vido_id video_id frame_id path labels\n"
        (folder / "frame_lists/train.csv").write_text(header + "".join(lines))

    frames(27030)
    again = write_import(tmp_path / "again", import_ava(folder))
    stamps = (again / "annotations/ava_included_timestamps_v2.2.txt").read_text().split()
    assert (stamps[0], stamps[-1]) == ("0902", "1798")
    assert read_rows(again)["timestamp"].to_list() == [902, 1798]
    frames(27100)
    with pytest.raises(ExportError, match="lasts more than"):
        write_import(tmp_path / "longer", import_ava(folder))


def rows_alone(folder: Path, *boxes: str) -> Path:
    """A dataset of one video, a row a second from 0902 on."""
    (folder / "annotations").mkdir(parents=True)
    (folder / "annotations/ava_action_list_v2.2.pbtxt").write_text('item {\n  name: "stand"\n  id: 1\n}\n')
    rows = (f"film,{second:04d},{box},1,0\n" for second, box in enumerate(boxes, start=902))
    (folder / "annotations/ava_train_v2.2.csv").write_text("".join(rows))
    return folder


def test_boxes_in_pixels_need_a_picture_that_tells_its_size(tmp_path: Path) -> None:
    import cv2
    import numpy as np

    folder = rows_alone(tmp_path / "a", "64,36,320,180", "0,0,640,360")
    with pytest.raises(InputError, match=r"boxes are in pixels.*frames/film holds no picture"):
        import_ava(folder)
    (folder / "frames/film").mkdir(parents=True)
    cv2.imwrite(str(folder / "frames/film/film_000001.jpg"), np.zeros((360, 640, 3), np.uint8))
    imported = import_ava(folder)
    assert [row[2:6] for row in imported.dataset.rows.rows()] == [(0.1, 0.1, 0.5, 0.5), (0, 0, 1, 1)]
    assert "boxes in pixels" in {repair.defect for repair in imported.repairs}


def test_left_top_width_height_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"look like left, top, width, height.*first film at 0903"):
        import_ava(rows_alone(tmp_path / "a", "0.1,0.1,0.5,0.5", "0.6,0.1,0.2,0.5"))


def test_single_boxes_that_are_none_are_left_out_with_their_place(tmp_path: Path) -> None:
    good = ["0.1,0.1,0.5,0.5"] * 3
    imported = import_ava(
        rows_alone(tmp_path / "a", *good, "nan,0.1,0.5,0.5", "0.1,0.1,0.5,inf", "10,20,300,400", "0.5,0.5,0.5,0.9",
                   "-0.01,0.1,0.5,1.004")
    )  # fmt: skip
    assert imported.dataset.rows["timestamp"].to_list() == [902, 903, 904, 909]
    assert imported.dataset.rows.row(-1)[2:6] == (0, 0.1, 0.5, 1)
    assert [(r.defect, r.rows, r.place) for r in imported.repairs if r.place] == [
        ("boxes with a number that is infinite or none", 2, "film at 0905"),
        ("boxes far beyond the picture, or in pixels among shares", 1, "film at 0907"),
        ("boxes beyond the picture", 1, "film at 0909"),
        ("boxes without width or height", 1, "film at 0908"),
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("film,0902,0.1,0.1,0.5,0.5,1,0,9\n", ":1: the row is not video_id"),
        ("film,0902,0.1,,0.5,0.5,1,0\n", ":1: the row is not"),
    ],
)
def test_a_broken_row_is_named_by_its_line(tmp_path: Path, text: str, reason: str) -> None:
    folder = rows_alone(tmp_path / "a")
    (folder / "annotations/ava_train_v2.2.csv").write_text(text)
    with pytest.raises(InputError, match=rf"ava_train_v2\.2\.csv{reason}"):
        import_ava(folder)


CLEAN = [("film", 902, 0.1, 0.1, 0.5, 0.5, 1, 0), ("film", 903, 0.0, 0.25, 0.5, 1.0, 1, 0)]

MESSY = [
    ("a header", "video_id,timestamp,x1,y1,x2,y2,action_id,person_id\n{0}\n{1}\n", "a header"),
    (
        "tabs",
        "film\t0902\t0.1\t0.1\t0.5\t0.5\t1\t0\nfilm\t0903\t0\t0.25\t0.5\t1\t1\t0\n",
        "cells separated by",
    ),
    ("7 columns", "film,0902,0.1,0.1,0.5,0.5,1\nfilm,0903,0,0.25,0.5,1,1\n", "rows of 7 columns"),
    ("CR LF", "{0}\r\n{1}\r\n", None),
    ("CR", "{0}\r{1}\r", "lines that end in CR"),
    ("a mark and quotes", '\ufeff"film",0902,0.1,0.1,0.5,0.5,1,0\n{1}\n', "a byte-order mark"),
    (
        "seconds",
        "film,2,0.1,0.1,0.5,0.5,1,0\nfilm,3,0,0.25,0.5,1,1,0\n",
        "seconds that do not count from 900",
    ),
    ("frames", "film,60,0.1,0.1,0.5,0.5,1,0\nfilm,90,0,0.25,0.5,1,1,0\n", "frame numbers for timestamps"),
    ("pixels", "film,0902,64,36,320,180,1,0\nfilm,0903,0,90,320,360,1,0\n", "boxes in pixels"),
    ("a broken line", "{0}\nfilm,0903\n{1}\n", "rows that are not in AVA's form"),
    ("nothing said", "{0}\n{1}\nfilm,0903,0.1,0.1,0.5,0.5,-1,1\n", "actions below 1"),
]


@pytest.mark.parametrize(("text", "defect"), [one[1:] for one in MESSY], ids=[one[0] for one in MESSY])
def test_a_csv_as_people_have_it_is_read_and_what_was_mended_is_said(
    tmp_path: Path, text: str, defect: str | None
) -> None:
    from ava_core.ontology import load_ontology

    rows = ["film,0902,0.1,0.1,0.5,0.5,1,0", "film,0903,0,0.25,0.5,1,1,0"]
    csv = tmp_path / "my labels train.csv"
    csv.write_bytes(text.format(*rows).encode())
    imported = import_ava(csv, load_ontology("ava80"), size=(640, 360))
    assert imported.dataset.rows.rows() == CLEAN
    defects = {repair.defect for repair in imported.repairs}
    assert defect is None or any(one.startswith(defect) for one in defects), defects
    out = write_import(tmp_path / "out", imported)
    assert {one.file for one in errors_among(validate_dataset(out))} <= {"frames"}


def test_what_a_person_says_of_time_is_taken_before_what_rows_tell(tmp_path: Path) -> None:
    folder = rows_alone(tmp_path / "a")
    csv = folder / "annotations/ava_train_v2.2.csv"
    csv.write_text("film,1,0.1,0.1,0.5,0.5,1,0\nfilm,2,0.1,0.1,0.5,0.5,1,0\n")
    assert import_ava(folder, clock=Clock(offset=901)).dataset.rows["timestamp"].to_list() == [902, 903]
    csv.write_text("film,50,0.1,0.1,0.5,0.5,1,0\nfilm,100,0.1,0.1,0.5,0.5,1,0\n")
    assert import_ava(folder, clock=Clock(rate=25)).dataset.rows["timestamp"].to_list() == [902, 904]


def test_excluded_seconds_and_predicted_boxes_keep_their_row(released: Path, tmp_path: Path, world) -> None:
    """Of a dataset that counts seconds of the clip in every file."""
    copy = tmp_path / "copy"
    shutil.copytree(released / "annotations", copy / "annotations")
    shutil.copytree(released / "frame_lists", copy / "frame_lists")
    for path in (copy / "annotations").glob("ava_*.csv"):
        path.write_text(re.sub(r",09(\d\d)", lambda found: f",{int(found[1])}", path.read_text()))
    again, wanted = import_ava(copy, world.ontology).dataset, import_ava(released, world.ontology).dataset
    assert again.rows.equals(wanted.rows)
    assert again.disputed.equals(wanted.disputed)
    assert again.proposals["second"].equals(wanted.proposals["second"])
