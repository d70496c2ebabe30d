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
    assert validate_dataset(copy) == []
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


class Danger:
    def __reduce__(self) -> tuple[object, ...]:
        return (print, ("executed",))


BROKEN = [
    # the annotation csv
    ("a header", rewritten(CSV, lambda rows: ["video_id,timestamp,x1,y1,x2,y2,action_id,person_id", *rows]),
     CSV, 1, "has a header"),
    ("a byte-order mark", raw(CSV, lambda data: b"\xef\xbb\xbf" + data), CSV, 1, "byte-order mark"),
    ("lines of Windows", raw(CSV, lambda data: data.replace(b"\n", b"\r\n")), CSV, 0, "lines end in CR"),
    ("quotes", raw(CSV, lambda data: b'"' + data.replace(b",", b'",', 1)), CSV, 0, "cells are quoted"),
    ("an open end", raw(CSV, lambda data: data[:-1]), CSV, 0, "last line does not end"),
    ("seven columns", rewritten(CSV, lambda rows: [rows[0].rpartition(",")[0], *rows[1:]]), CSV, 1, "8 columns"),
    ("nine columns", rewritten(CSV, lambda rows: [rows[0] + ",1", *rows[1:]]), CSV, 1, "8 columns"),
    ("an empty line", rewritten(CSV, lambda rows: [*rows[:2], "", *rows[2:]]), CSV, 3, "8 columns"),
    ("a word for a number", cells(x1="left"), CSV, 4, "no number"),
    ("not a number", cells(x1="nan"), CSV, 4, r"outside \[0, 1\]"),
    ("pixels", cells(x2="640.000"), CSV, 4, r"outside \[0, 1\]"),
    ("a negative corner", cells(x1="-0.0001"), CSV, 4, r"outside \[0, 1\]"),
    ("a box turned over", cells(x1="0.9000", x2="0.1000"), CSV, 4, "no width or height"),
    ("two decimals", cells(x1="0.12"), CSV, 4, "fewer than 3 decimals"),
    ("an action of nobody", cells(action="77"), CSV, 4, "not in the label map"),
    ("a retired action", cells(action="3"), CSV, 4, "not in the label map"),
    ("unset", cells(action="-1"), CSV, 4, "not in the label map"),
    ("a person too many", cells(person="1000"), CSV, 4, "no integer in 0…999"),
    ("a person in parts", cells(person="1.0"), CSV, 4, "no integer in 0…999"),
    ("a space in the id", cells(video="south lane"), CSV, 4, "has a space or comma"),
    ("three digits", cells(stamp="902"), CSV, 4, "not four digits"),
    ("a frame for a second", cells(stamp="0060"), CSV, 4, "before 0902"),
    ("no context at the start", cells(stamp="0901"), CSV, 4, "before 0902"),
    ("no context at the end", cells(stamp="0906"), CSV, 4, "two seconds before the video's end"),
    ("a row twice", rewritten(CSV, lambda rows: [*rows, rows[0]]), CSV, 15, "stands twice"),
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
    ("an exclusion of three digits", raw(EXCLUDED, lambda _: b"south_lane_000,902\n"), EXCLUDED, 1, "four digits"),
    ("an excluded second with rows", raw(EXCLUDED, lambda _: b"south_lane_000,0902\n"),
     EXCLUDED, 1, "has rows in the csv"),
    ("no predicted boxes", removed(PREDICTED), PREDICTED, 0, "are missing"),
    ("a score in the seventh column", rewritten(PREDICTED, lambda rows: [rows[0].replace(",,", ","), *rows[1:]]),
     PREDICTED, 1, "x1,y1,x2,y2,,score"),
    ("a predicted box too early", rewritten(PREDICTED, lambda rows: [rows[0].replace("0902", "0900"), *rows[1:]]),
     PREDICTED, 1, "outside 0902…1798"),
    ("a predicted box of nobody", rewritten(PREDICTED, lambda rows: [*rows, rows[0].replace("south", "ghost")]),
     PREDICTED, 0, "not in the frame list"),
    ("no proposals", removed(PROPOSALS), PROPOSALS, 0, "proposals are missing"),
    ("numpy 2 alone", plain({"south_lane_000,0902": np.zeros((1, 5))}), PROPOSALS, 0, "names numpy._core"),
    ("lists", plain({"south_lane_000,0902": [[0.1, 0.1, 0.2, 0.2, 0.9]]}), PROPOSALS, 0, "no array"),
    ("four columns of proposals", proposals(lambda boxes: {key: box[:, :4] for key, box in boxes.items()}),
     PROPOSALS, 0, "not float"),
    ("proposals in pixels", proposals(lambda boxes: {key: box * 640 for key, box in boxes.items()}),
     PROPOSALS, 0, r"outside \[0, 1\]"),
    ("keys without zeros", proposals(lambda boxes: {key.replace(",0", ","): box for key, box in boxes.items()}),
     PROPOSALS, 0, "the key is not"),
    ("a list for a dictionary", plain([1, 2]), PROPOSALS, 0, "no dictionary"),
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
    ("a dot in the id", lambda d: [raw(n, lambda t: t.replace(b"south_lane", b"south.lane"))(d) for n in (CSV, LIST)],
     "has a dot"),
    ("twins", rewritten(CSV, lambda rows: [*rows, rows[0][:-1].replace("0.1250", "0.1248") + "2"]),
     "to two decimals"),
    ("no box predicted", raw(PREDICTED, lambda _: b""), "has no box"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "rule"), [case[1:] for case in WARNED], ids=[case[0] for case in WARNED])
def test_a_trap_that_readers_survive_is_a_warning(
    dataset: Path, spoil: Callable[[Path], None], rule: str
) -> None:
    spoil(dataset)
    findings = [finding for finding in validate_dataset(dataset) if rule in finding.rule]
    assert findings
    assert errors_among(findings) == []


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
    rules = {(finding.file, finding.rule) for finding in validate_dataset(copy)}
    assert rules == {
        (CSV, "the file was changed since the release was made"),
        ("CITATION.cff", "the file is missing since the release was made"),
    }
    (copy / "release.json").unlink()
    (copy / "release.json").write_text("[]")
    assert any(finding.file == "release.json" for finding in validate_dataset(copy))


def test_a_folder_without_annotations_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no annotations"):
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
