"""Validation: each rule found where it is broken, and only there."""

from __future__ import annotations

import json
import os
import pickle
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from ava_core.base.errors import InputError
from ava_core.base.pickles import safe_load
from ava_core.dataset.formats.ava.checks import Finding, errors_among, validate_dataset
from ava_core.dataset.formats.ava.proposals import write_ava_pickle
from tests.support.examples import examples

CSV = "annotations/ava_train_v2.2.csv"
LIST = "frame_lists/train.csv"
VAL_CSV = "annotations/ava_val_v2.2.csv"
VAL_PREDICTED = "annotations/ava_val_predicted_boxes.csv"
EXCLUDED = "annotations/ava_train_excluded_timestamps_v2.2.csv"
PREDICTED = "annotations/ava_train_predicted_boxes.csv"
PROPOSALS = "annotations/ava_dense_proposals_train.pkl"
LABELS = "annotations/ava_action_list_v2.2.pbtxt"


@pytest.fixture
def dataset(released: Path, tmp_path: Path) -> Path:
    """A copy of a sound dataset that may be spoilt; not a release any more, so that files may change."""
    copy = tmp_path / "dataset"
    others = shutil.ignore_patterns("frames", "rawframes", "keyframes", "kinetics", "datumaro")
    shutil.copytree(released, copy, ignore=others)
    (copy / "frames").symlink_to(released / "frames")
    (copy / "release.json").unlink()
    assert errors_among(validate_dataset(copy)) == []
    return copy


def lines(dataset: Path, name: str) -> list[str]:
    return (dataset / name).read_text().splitlines()


def put(dataset: Path, name: str, content: list[str] | bytes) -> None:
    data = content if isinstance(content, bytes) else "".join(f"{line}\n" for line in content).encode()
    (dataset / name).write_bytes(data)


def cells(**changed: str) -> Callable[[Path], None]:
    """Change cells of the third row of the csv, and of all rows of that box where it is the box that changes."""
    names = ("video", "stamp", "x1", "y1", "x2", "y2", "action", "person")

    def spoil(dataset: Path) -> None:
        rows = [line.split(",") for line in lines(dataset, CSV)]
        for row in rows[3:6] if {"x1", "y1", "x2", "y2"} & set(changed) else rows[3:4]:
            for name, value in changed.items():
                row[names.index(name)] = value
        put(dataset, CSV, [",".join(row) for row in rows])

    return spoil


def rewritten(name: str, change: Callable[[list[str]], list[str]]) -> Callable[[Path], None]:
    return lambda dataset: put(dataset, name, change(lines(dataset, name)))


def raw(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    return lambda dataset: put(dataset, name, change((dataset / name).read_bytes()))


def removed(name: str) -> Callable[[Path], None]:
    return lambda dataset: (dataset / name).unlink()


def proposals(change: Callable[[dict], dict]) -> Callable[[Path], None]:
    return lambda dataset: write_ava_pickle(dataset / PROPOSALS, change(safe_load(dataset / PROPOSALS)))


def plain(content: object, protocol: int = 2) -> Callable[[Path], None]:
    return lambda dataset: (
        (dataset / PROPOSALS).write_bytes(pickle.dumps(content, protocol=protocol)) and None
    )


def without_a_picture(dataset: Path) -> None:
    """Take picture 100 of the video away; the fixture's pictures are others' too, so they are copied first."""
    frames = dataset / "frames"
    original = frames.resolve()
    frames.unlink()
    shutil.copytree(original, frames, copy_function=os.link)
    (frames / "south_lane_000/south_lane_000_000100.jpg").unlink()


def both(*spoils: Callable[[Path], None]) -> Callable[[Path], None]:
    return lambda dataset: [spoil(dataset) for spoil in spoils] and None


def scaled(row: str, width: int, height: int) -> str:
    cells = row.split(",")
    cells[2:6] = [
        f"{float(cell) * side:.1f}" for cell, side in zip(cells[2:6], (width, height) * 2, strict=True)
    ]
    return ",".join(cells)


def retimed(row: str, time: Callable[[int], int]) -> str:
    video, stamp, rest = row.split(",", 2)
    return f"{video},{time(int(stamp) - 900)},{rest}"


class Danger:
    def __reduce__(self) -> tuple[object, ...]:
        return (print, ("executed",))


BROKEN = [
    # the annotation csv
    ("a header", rewritten(CSV, lambda rows: ["video_id,timestamp,x1,y1,x2,y2,action_id,person_id", *rows]),
     CSV, 1, "has a header"),
    ("a byte-order mark", raw(CSV, lambda data: b"\xef\xbb\xbf" + data), CSV, 1, "byte-order mark"),
    ("lines of an old Macintosh", raw(CSV, lambda data: data.replace(b"\n", b"\r")), CSV, 0, "lines end in CR alone"),
    ("quotes", raw(CSV, lambda data: b'"' + data.replace(b",", b'",', 1)), CSV, 0, "cells are quoted"),
    ("tabs", raw(CSV, lambda data: data.replace(b",", b"\t")), CSV, 1, "separated by tabs"),
    ("no person ids", rewritten(CSV, lambda rows: [row.rpartition(",")[0] for row in rows]),
     CSV, 1, "without a person id"),
    ("boxes in pixels", rewritten(CSV, lambda rows: [scaled(row, 64, 36) for row in rows]),
     CSV, 1, "boxes are in pixels"),
    ("frame numbers", rewritten(CSV, lambda rows: [retimed(row, lambda t: 30 * t) for row in rows]),
     CSV, 1, "frame numbers, 30 a second"),
    ("seconds from 1", rewritten(CSV, lambda rows: [retimed(row, lambda t: t - 1) for row in rows]),
     CSV, 1, "seconds of the clip"),
    ("class 81", both(raw(LABELS, lambda data: data + b'item {\n  name: "x"\n  id: 81\n}\n'), cells(action="81")),
     CSV, 4, "above 80"),
    ("seven columns", rewritten(CSV, lambda rows: [rows[0].rpartition(",")[0], *rows[1:]]), CSV, 1, "8 columns"),
    ("nine columns", rewritten(CSV, lambda rows: [rows[0] + ",1", *rows[1:]]), CSV, 1, "8 columns"),
    ("an empty line", rewritten(CSV, lambda rows: [*rows[:2], "", *rows[2:]]), CSV, 3, "8 columns"),
    ("a word for a number", cells(x1="left"), CSV, 4, "not a number"),
    ("not a number", cells(x1="nan"), CSV, 4, r"outside \[0, 1\]"),
    ("pixels", cells(x2="640.000"), CSV, 4, r"outside \[0, 1\]"),
    ("a box turned over", cells(x1="0.9000", x2="0.1000"), CSV, 4, "no width or height"),
    ("an action of nobody", cells(action="77"), CSV, 4, "not in the label map"),
    ("a retired action", cells(action="3"), CSV, 4, "not in the label map"),
    ("unset", cells(action="-1"), CSV, 4, "not in the label map"),
    ("a person too many", cells(person="1000"), CSV, 4, "not an integer in 0…999"),
    ("a person in parts", cells(person="1.0"), CSV, 4, "not an integer in 0…999"),
    ("a space in the id", cells(video="south lane"), CSV, 4, "has a space or comma"),
    ("half a second", cells(stamp="902.5"), CSV, 4, "not a whole number"),
    ("a dot in the id", cells(video="south.lane"), CSV, 4, "has a dot"),
    ("a frame for a second", cells(stamp="0060"), CSV, 4, "before 0902"),
    ("no context at the start", cells(stamp="0901"), CSV, 4, "before 0902"),
    ("no context at the end", cells(stamp="0906"), CSV, 4, "two seconds before the video's end"),
    ("a row twice", rewritten(CSV, lambda rows: [*rows, rows[0]]), CSV, 15, "appears twice"),
    ("a box that wavers", rewritten(CSV, lambda rows: [rows[0].replace("0.1250", "0.1251"), *rows[1:]]),
     CSV, 2, "differ in the box"),
    ("one box for two", rewritten(CSV, lambda rows: [*rows, rows[0][:-1] + "2"]),
     CSV, 15, "two people have the same box at"),
    # the label map
    ("no label map", removed(LABELS), LABELS, 0, "label map is missing"),
    ("an empty label map", raw(LABELS, lambda _: b"nothing"), LABELS, 0, "cannot be read"),
    ("background as a class", raw(LABELS, lambda data: data + b'item {\n  name: "x"\n  id: 0\n}\n'),
     LABELS, 0, "below 1"),
    ("another indentation", raw(LABELS, lambda data: data.replace(b"\n  ", b"\n ")),
     LABELS, 0, "do not begin with two spaces"),
    # frame list and pictures
    ("no frame list", removed(LIST), LIST, 0, "frame list is missing"),
    ("no header", rewritten(LIST, lambda rows: rows[1:]), LIST, 1, "header is not"),
    ("four columns", rewritten(LIST, lambda rows: [rows[0], rows[1].rpartition(" ")[0], *rows[2:]]),
     LIST, 2, "5 columns"),
    ("a gap", rewritten(LIST, lambda rows: [*rows[:50], *rows[51:]]), LIST, 51, "without a gap"),
    ("a missing picture", without_a_picture,
     LIST, 101, "1 pictures of south_lane_000 are missing"),
    ("a video without rows", rewritten(LIST, lambda rows: [*rows, 'ghost 1 0 ghost/ghost_000001.jpg ""']),
     LIST, 0, "ghost is not in"),
    ("rows without frames", cells(video="ghost"), CSV, 0, "ghost is not in frame_lists"),
    # what is beside them
    ("no exclusions", removed(EXCLUDED), EXCLUDED, 0, "is missing"),
    ("an exclusion of half a second", raw(EXCLUDED, lambda _: b"south_lane_000,0902.5\n"), EXCLUDED, 1, "four digits"),
    ("no predicted boxes", removed(PREDICTED), PREDICTED, 0, "are missing"),
    ("a score in the seventh column", rewritten(PREDICTED, lambda rows: [rows[0].replace(",,", ","), *rows[1:]]),
     PREDICTED, 1, "x1,y1,x2,y2,,score"),
    ("a predicted box too early", rewritten(PREDICTED, lambda rows: [rows[0].replace("0902", "0900"), *rows[1:]]),
     PREDICTED, 1, "outside 0902…1798"),
    ("a predicted box of nobody", rewritten(PREDICTED, lambda rows: [*rows, rows[0].replace("south", "ghost")]),
     PREDICTED, 0, "not in the frame list"),
    ("no proposals", removed(PROPOSALS), PROPOSALS, 0, "proposals are missing"),
    ("numpy 2 alone", plain({"south_lane_000,0902": np.zeros((1, 5))}), PROPOSALS, 0, "names numpy._core"),
    ("lists", plain({"south_lane_000,0902": [[0.1, 0.1, 0.2, 0.2, 0.9]]}), PROPOSALS, 0, "not an array"),
    ("four columns of proposals", proposals(lambda boxes: {key: box[:, :4] for key, box in boxes.items()}),
     PROPOSALS, 0, "not float"),
    ("proposals in pixels", proposals(lambda boxes: {key: box * 640 for key, box in boxes.items()}),
     PROPOSALS, 0, r"outside \[0, 1\]"),
    ("keys without zeros", proposals(lambda boxes: {key.replace(",0", ","): box for key, box in boxes.items()}),
     PROPOSALS, 0, "the key is not"),
    ("a key without boxes", proposals(lambda boxes: {key: box[:0] for key, box in boxes.items()}),
     PROPOSALS, 0, "holds no box"),
    ("keys of other seconds", proposals(lambda boxes: {key.replace(",090", ",000"): box for key, box in boxes.items()}),
     PROPOSALS, 0, "no key matches a row"),
    ("nothing at a validated second",
     rewritten(VAL_PREDICTED, lambda rows: [row for row in rows if ",0904," not in row]),
     VAL_PREDICTED, 0, "has no box at a second divisible by 4"),
    ("scores below every threshold", raw(VAL_PREDICTED, lambda data: re.sub(rb"[^,\n]+\n", b"0.3\n", data)),
     VAL_PREDICTED, 0, "no box with a score of 0.9"),
    ("no row at a validated second", rewritten(VAL_CSV, lambda rows: [row for row in rows if ",0904," not in row]),
     VAL_CSV, 0, "no row at a second divisible by 4"),
    ("a list for a dictionary", plain([1, 2]), PROPOSALS, 0, "not a dictionary"),
    ("a pickle that runs something", plain({"a": Danger()}), PROPOSALS, 0, "refers to __builtin__.print"),
    ("no pickle", raw(PROPOSALS, lambda _: b"hello"), PROPOSALS, 0, "cannot be read"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("spoil", "file", "line", "rule"), [case[1:] for case in BROKEN], ids=[c[0] for c in BROKEN]
)
def test_a_broken_rule_is_found_in_its_place(
    dataset: Path,
    spoil: Callable[[Path], None],
    file: str,
    line: int,
    rule: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoil(dataset)
    findings = validate_dataset(dataset)
    assert any(
        f.file == file and f.line == line and re.search(rule, f.rule) for f in errors_among(findings)
    ), [str(finding) for finding in findings]
    assert "executed" not in capsys.readouterr().out


WARNED = [
    ("lines of Windows", raw(CSV, lambda data: data.replace(b"\n", b"\r\n")), "lines end in CR"),
    ("an open end", raw(CSV, lambda data: data[:-1]), "last line does not end"),
    ("a negative corner", cells(x1="-0.0001"), "slightly outside"),
    ("three digits", cells(stamp="902"), "not four digits"),
    ("an excluded second with rows", raw(EXCLUDED, lambda _: b"south_lane_000,0902\n"), "has rows in the csv"),
    ("a class that train lacks", rewritten(CSV, lambda rows: [row for row in rows if row.split(",")[6] != "2"]),
     "none in train"),
    ("twins", rewritten(CSV, lambda rows: [*rows, rows[0][:-1].replace("0.1250", "0.1248") + "2"]),
     "to two decimals"),
    ("a name of one's own", lambda d: (d / PROPOSALS).rename(d / "annotations/proposals_train.pkl"), "another name"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "rule"), [case[1:] for case in WARNED], ids=[case[0] for case in WARNED])
def test_a_trap_that_readers_survive_is_a_warning(
    dataset: Path, spoil: Callable[[Path], None], rule: str
) -> None:
    spoil(dataset)
    findings = [finding for finding in validate_dataset(dataset) if rule in finding.rule]
    assert findings
    assert errors_among(findings) == []


def test_googles_own_names_and_dialect_are_right(dataset: Path) -> None:
    found = re.findall(r'name: "(.*?)"\s*id: (\d+)', (dataset / LABELS).read_text())
    blocks = (
        f'label {{\n  name: "{name}"\n  label_id: {number}\n  label_type: PERSON_MOVEMENT\n}}\n'
        for name, number in found
    )
    put(dataset, LABELS, "".join(blocks).encode())
    for split in ("train", "val", "test"):
        own = dataset / f"annotations/ava_dense_proposals_{split}.pkl"
        own.rename(own.with_suffix(".FAIR.recall_93.9.pkl"))
        box = dataset / "annotations/person_box_67091280_iou90"
        box.mkdir(exist_ok=True)
        (dataset / f"annotations/ava_{split}_predicted_boxes.csv").rename(
            box / f"ava_{split}_predicted_boxes.csv"
        )
        csv = dataset / f"annotations/ava_{split}_v2.2.csv"
        csv.rename(csv.with_name(f"ava_{split}_v2.1.csv"))
    assert [str(one) for one in validate_dataset(dataset) if "none in train" not in one.rule] == []


def test_annotations_alone_lack_nothing_and_numbers_may_be_short(dataset: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "ava_train_v2.2.csv").write_text("film,0904,0,0.25,1,0.5,2,0\n")
    shutil.copy(dataset / LABELS, alone)
    assert validate_dataset(alone) == []
    assert validate_dataset(alone / "ava_train_v2.2.csv") == []


def test_a_folder_of_ones_own_names_is_found_by_what_files_hold(dataset: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    for name, to in ((CSV, "train.csv"), (VAL_CSV, "val.csv"), (LABELS, "action_list.pbtxt"),
                     (PROPOSALS, "dense_proposals_train.pkl")):  # fmt: skip
        shutil.copy(dataset / name, own / to)
    findings = validate_dataset(own)
    assert {one.file for one in findings if "another name" in one.rule} == {
        "train.csv", "val.csv", "action_list.pbtxt", "dense_proposals_train.pkl"
    }  # fmt: skip
    assert [one.rule for one in errors_among(findings)] == ["the proposals are missing"]


def copied(released: Path, tmp_path: Path) -> Path:
    """A release copied with its hard links."""
    copy = tmp_path / "copied"
    inodes: dict[int, Path] = {}

    def link_or_copy(source: str, target: str) -> None:
        first = inodes.setdefault(os.stat(source).st_ino, Path(target))
        if first == Path(target):
            shutil.copyfile(source, target)
        else:
            os.link(first, target)

    shutil.copytree(released, copy, copy_function=link_or_copy)
    return copy


VIDEO = "frames/south_lane_000/south_lane_000_"


def emptied(copy: Path) -> None:
    (copy / f"{VIDEO}000100.jpg").write_bytes(b"")


def halved(copy: Path) -> None:
    path = copy / f"{VIDEO}000100.jpg"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def swapped(copy: Path) -> None:
    one, other = copy / f"{VIDEO}000001.jpg", copy / f"{VIDEO}000200.jpg"
    content = one.read_bytes(), other.read_bytes()
    for path, data in zip((other, one), content, strict=True):
        path.unlink()
        path.write_bytes(data)


def lost(copy: Path) -> None:
    (copy / "rawframes/south_lane_000/img_00001.jpg").unlink()


@pytest.mark.parametrize(
    ("spoil", "rule", "reader"),
    [
        (emptied, "is empty since the release", "SlowFast"),
        (halved, "another length since the release", "mmaction2"),
        (swapped, "(is another one|another length) since the release", "SlowFast"),
        (lost, "is missing since the release", "mmaction2"),
    ],
)
def test_a_picture_of_a_release_that_was_touched_is_found(
    released: Path, tmp_path: Path, spoil: Callable[[Path], None], rule: str, reader: str
) -> None:
    copy = copied(released, tmp_path)
    assert [one for one in validate_dataset(copy) if "none in train" not in one.rule] == []
    spoil(copy)
    found = [one for one in errors_among(validate_dataset(copy)) if re.search(rule, one.rule)]
    assert any(reader in one.consequence for one in found), found


def test_pictures_of_any_dataset_are_opened(released: Path, tmp_path: Path) -> None:
    copy = copied(released, tmp_path)
    (copy / "release.json").unlink()
    (copy / "pictures.parquet").unlink()
    halved(copy)
    folder = copy / "rawframes/north_gate_000"
    for path in sorted(folder.iterdir()):
        path.rename(path.with_name(path.name.replace("img_", "img_0")))
    rules = [str(one) for one in errors_among(validate_dataset(copy))]
    assert any("1 of 210 pictures are empty or cut off" in rule and "SlowFast" in rule for rule in rules)
    assert any("img_000001.jpg, not img_00001.jpg" in rule and "filename_tmpl" in rule for rule in rules)


def test_a_release_copied_without_its_hard_links_is_said_to_be_larger(released: Path, tmp_path: Path) -> None:
    copy = tmp_path / "plain"
    shutil.copytree(released, copy)
    findings = validate_dataset(copy)
    assert errors_among(findings) == []
    assert any("are copies, not hard links" in one.rule for one in findings)


def test_kinetics_must_end_with_a_longest_clip(dataset: Path) -> None:
    csv = dataset / "kinetics/annotations/kinetics_train_v1.0.csv"
    csv.parent.mkdir(parents=True)
    row = "0002,0.1,0.1,0.2,0.2,1,1"
    csv.write_text(f"a_000000_000015,{row}\nb_000000_000005,{row}\n")
    assert any("shows wrong pictures" in str(one) for one in errors_among(validate_dataset(dataset)))


def test_every_error_names_a_reader_that_fails_and_a_cure(dataset: Path) -> None:
    """Of what is said of files that readers open; hashes of a release are the platform's own."""
    silent = []
    for name, spoil, *_ in BROKEN:
        copy = dataset.parent / "one"
        shutil.copytree(dataset, copy, symlinks=True)
        spoil(copy)
        silent += [
            f"{name}: {one}"
            for one in errors_among(validate_dataset(copy))
            if not (one.readers and (one.cure or "since the release" in one.rule))
        ]
        shutil.rmtree(copy)
    assert silent == []


def test_a_video_in_two_splits_is_found(dataset: Path) -> None:
    val = "annotations/ava_val_v2.2.csv"
    put(dataset, val, [*lines(dataset, val), *lines(dataset, CSV)])
    put(dataset, "frame_lists/val.csv", [*lines(dataset, "frame_lists/val.csv"), *lines(dataset, LIST)[1:]])
    assert any(
        f.file == val and f.rule == "south_lane_000 is in train too" for f in validate_dataset(dataset)
    )


def test_no_more_than_a_few_examples_of_a_rule_are_listed(dataset: Path) -> None:
    put(dataset, CSV, [line.replace("lane_000,0", "lane_000,") for line in lines(dataset, CSV)])
    own = [finding for finding in validate_dataset(dataset) if "four digits" in finding.rule]
    assert [finding.line for finding in own] == [1, 2, 3, 4, 5, 0]
    assert own[-1].rule.endswith("in 9 more lines")


def test_a_release_that_was_touched_is_found(released: Path, tmp_path: Path) -> None:
    copy = tmp_path / "touched"
    shutil.copytree(released, copy, symlinks=True, copy_function=os.link)
    (copy / CSV).unlink()
    put(copy, CSV, lines(released, CSV)[:-1])
    (copy / "CITATION.cff").unlink()
    rules = {(finding.file, finding.rule) for finding in errors_among(validate_dataset(copy))}
    assert rules == {
        (CSV, "the file was changed since the release was made"),
        ("CITATION.cff", "the file is missing since the release was made"),
    }
    (copy / "release.json").unlink()
    (copy / "release.json").write_text("[]")
    assert any(finding.file == "release.json" for finding in validate_dataset(copy))


def test_a_folder_without_annotations_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no annotations"):
        validate_dataset(tmp_path)


def test_a_finding_reads_as_a_sentence() -> None:
    finding = Finding("a.csv", 3, "a box has no width", "RoIAlign gives empty features")
    assert str(finding) == "a.csv:3: a box has no width. RoIAlign gives empty features."
    assert json.dumps(vars(finding))


TEXT = st.text(st.sampled_from('a1.,-e "\r\x00\n\x01é/٣'), max_size=60) | st.text(max_size=40)


@examples(20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([CSV, LIST, EXCLUDED, PREDICTED, LABELS, PROPOSALS]), TEXT | st.binary(max_size=60))
def test_whatever_a_file_holds_there_is_an_answer(dataset: Path, name: str, content: str | bytes) -> None:
    before = (dataset / name).read_bytes()
    data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    try:
        for spoilt in (data, before + data, data + before):
            (dataset / name).write_bytes(spoilt)
            for finding in validate_dataset(dataset):
                assert str(finding)
    finally:
        (dataset / name).write_bytes(before)
