"""`ava validate`, `trace`, `import`, `release`: what they print, and how they end."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest

from ava_assets.cli import main
from ava_core.dataset.formats.flavours import FLAVOURS
from tests.support.plugins import install


class Said(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture
def ava(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `ava …` in this process."""

    def run(*arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["ava", *map(str, arguments)])
        capsys.readouterr()
        code: object = 0
        try:
            main()
        except SystemExit as end:
            code = end.code
        return Said(int(str(code or 0)), *capsys.readouterr())

    return run


def test_validate_ends_with_0_or_1_and_says_why(ava: Run, released: Path, tmp_path: Path) -> None:
    good = ava("validate", released)
    assert good.code == 0
    assert "1 classes have rows here and none in train" in good.out
    verdicts = dict(line.strip().split("  ", 1) for line in good.out.splitlines() if line.startswith("  "))
    lacking = {reader for reader, verdict in verdicts.items() if verdict.strip() != "loads"}
    assert len(verdicts) == 12
    assert lacking == {"AlphAction", "VideoMAE-Action-Detection"}, "they read videos of one second: `seconds`"
    bad = tmp_path / "bad"
    shutil.copytree(released / "annotations", bad / "annotations")
    said = ava("validate", bad, "--json")
    assert said.code == 1
    errors = [finding for finding in json.loads(said.out) if finding["severity"] == "error"]
    assert ["SlowFast", "pytorchvideo", "YOWOv2"] in [finding["readers"] for finding in errors]
    assert "frame_lists/train.csv: the frame list is missing." in ava("validate", bad).out


def test_a_warning_alone_is_no_failure(ava: Run, released: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(released, copy, ignore=shutil.ignore_patterns("release.json"))
    csv = copy / "annotations/ava_train_v2.2.csv"
    csv.write_bytes(csv.read_bytes().replace(b"\n", b"\r\n"))
    said = ava("validate", copy)
    assert said.code == 0
    assert "warning: lines end in CR LF" in said.out


def test_validate_writes_the_mended_dataset(ava: Run, tmp_path: Path) -> None:
    csv = tmp_path / "labels.csv"
    csv.write_text(
        "video_id\ttime\tx1\ty1\tx2\ty2\taction\nfilm\t60\t64\t36\t320\t180\t1\nfilm\t90\t0\t90\t320\t360\t1\n"
    )
    said = ava("validate", csv, "--fix", tmp_path / "out", "--ontology", "ava80", "--size", "640x360")
    assert said.code == 0, said.err
    for told in (
        "separated by tabs",
        "has a header",
        "without a person id",
        "boxes are in pixels",
        "frame numbers, 30",
    ):
        assert told in said.out
    rows = (tmp_path / "out/annotations/ava_train_v2.2.csv").read_text()
    assert rows == ("film,0902,0.1000,0.1000,0.5000,0.5000,1,0\nfilm,0903,0.0000,0.2500,0.5000,1.0000,1,0\n")
    assert "frame numbers for timestamps: taken at 30 a second" in said.out
    refused = ava("validate", csv, "--fix", tmp_path / "other", "--ontology", "ava80")
    assert refused.code == 1
    assert "say --size 1280x720" in refused.err.replace("\n", " ")


def test_a_csv_of_ava_is_imported_as_it_is(ava: Run, tmp_path: Path) -> None:
    csv = tmp_path / "train.csv"
    csv.write_text("film,0902,0.1,0.1,0.5,0.5,1,0\n")
    said = ava("import", csv, "--to", tmp_path / "out", "--ontology", "ava80")
    assert said.code == 0, said.err
    assert (tmp_path / "out/annotations/ava_train_v2.2.csv").read_text().startswith("film,0902,0.1000")


def test_evaluate_prints_the_metric_by_class(ava: Run, released: Path, tmp_path: Path) -> None:
    csv = tmp_path / "detections.csv"
    lines = (released / "annotations/ava_val_v2.2.csv").read_text().splitlines()
    csv.write_text("".join(f"{line.rpartition(',')[0]},0.9\n" for line in lines))
    said = ava("evaluate", released, csv)
    assert said.code == 0, said.err
    assert said.out.splitlines()[-1] == "mAP at IoU 0.5: 1.0000"
    assert json.loads(ava("evaluate", released, csv, "--json").out)["map"] == 1.0


def test_trace_prints_everything_behind_a_row(ava: Run, released: Path) -> None:
    said = ava("trace", released, "train:1")
    assert said.code == 0
    assert "street/south_lane.mp4" in said.out
    assert "ann said 2 (box edited; task " in said.out
    assert json.loads(ava("trace", released, "train:1", "--json").out)["line"] == 1
    gone = ava("trace", released, "train:999")
    assert gone.code == 1
    assert gone.err.startswith("error: golden has no row 'train:999'.")


def test_import_lists_what_it_repaired(ava: Run, tmp_path: Path) -> None:
    csv = tmp_path / "AVA_dataset.csv"
    row = "1_clip_000_ann,2,10,10,60,110,1,1\n"
    csv.write_text("video_id,timestamp,x1,y1,x2,y2,action_id,person_id\n" + 4 * row)
    said = ava("import", csv, "--to", tmp_path / "out", "--ontology", "street")
    assert said.code == 0, said.err
    assert "rows that appear several times: kept once (3 rows, line 2 first)" in said.out
    assert said.out.rstrip().endswith(f"dataset: {tmp_path / 'out'}")
    for arguments, reason in (
        ((csv, tmp_path), "cannot be imported together"),
        ((tmp_path / "gone.csv",), "does not exist"),
        ((csv, "--size", "wide"), "is not WIDTHxHEIGHT"),
    ):
        refused = ava("import", *arguments, "--to", tmp_path / "other")
        assert refused.code == 1
        assert reason in refused.err.replace("\n", " ")


def test_import_asks_what_cvats_files_do_not_say(ava: Run, tmp_path: Path) -> None:
    said = '<attribute name="walking_behavior">jogging</attribute>'
    box = f'<box frame="0" keyframe="1" outside="0" xtl="9" ytl="9" xbr="99" ybr="99">{said}</box>'
    meta = "<job><id>1</id><size>450</size><original_size><width>640</width><height>360</height></original_size></job>"
    for name in ("ann", "ben"):
        (tmp_path / f"{name}.xml").write_text(
            f"<annotations><version>1.1</version><meta>{meta}</meta>"
            f'<track id="0" label="walker">{box}</track><track id="1" label="person"><points frame="0"/></track>'
            "</annotations>"
        )
    files = [tmp_path / "ann.xml", tmp_path / "ben.xml"]
    command = ("import", *files, "--to", tmp_path / "out", "--ontology", "street", "--label", "walker")
    assert "name no task" in ava(*command).err.replace("\n", " ")
    assert "is unknown" in ava(*command, "--clip-from", "moon").err
    assert "is not FILE=NAME" in ava(*command, "--clip-from", "folder", "--by", "cat.xml=cat").err
    done = ava(*command, "--clip-from", "folder", "--by", f"{files[0]}=dora")
    assert done.code == 0, done.err
    assert "ann.xml, track 1, frame 0" in done.out
    assert "annotator named as the file or its folder (1 rows: " in done.out
    jobs = pl.read_parquet(tmp_path / "out/work/completed_jobs.parquet")
    assert jobs["annotator"].to_list() == ["ben", "dora"]


def test_sizes_name_the_layouts_that_they_leave_out(
    ava: Run, world, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AVA_HOME", str(world.home))
    monkeypatch.setenv("AVA_ONTOLOGY", str(world.home / "tiny.yaml"))
    world.add_batch("north")
    assert "Not estimated" not in ava("release", "make", "--sizes").out
    points = {"ava.layouts": {"yard_rows": "yard_rows_of:never_imported"}}
    install(monkeypatch, tmp_path / "packages", "yard-rows-of", points, "raise ValueError")
    said = ava("release", "make", "--sizes").out.splitlines()[-1]
    assert said == "Not estimated, as installed packages add them: yard_rows"


def test_releases_are_made_listed_and_compared(ava: Run, world, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVA_HOME", str(world.home))
    monkeypatch.setenv("AVA_ONTOLOGY", str(world.home / "tiny.yaml"))
    assert ava("release", "list").out.startswith("No releases yet.")
    assert ava("release", "make", "--sizes").out.startswith("No batch has a dataset yet")
    world.add_batch("north", ["gate", "yard"])
    lines = {line.split()[0]: line.split()[1:] for line in ava("release", "make", "--sizes").out.splitlines()}
    assert (lines["frames"][0], lines["frames"][2]) == ("420", "108000")
    assert world.left_behind() == []
    made = ava("release", "make", "--licence", "CC0-1.0", "--pin", "north_gate=test", "--flavour", "none")
    assert made.code == 0, made.err
    folder = world.releases / "v1"
    assert made.out.splitlines()[-1] == f"dataset: {folder}"
    assert {path.name for path in folder.iterdir()}.isdisjoint(FLAVOURS)
    assert not list(folder.rglob("*.jpg"))
    assert ava("validate", folder).code == 0, "what was not asked for is no error"
    assert json.loads((folder / "splits.json").read_text())["sources"]["north_gate"] == "test"
    world.add_batch("south", ["lane"])
    assert ava("release", "make", "--name", "spring").code == 0
    assert [line.split()[0] for line in ava("release", "list").out.splitlines()] == ["spring", "v1"]
    assert ava("release", "diff", "v1", "v1").out.strip() == "v1 and v1 do not differ."
    compared = ava("release", "diff", "v1", "spring").out
    assert "south_lane_000" in compared
    assert "Labels: 10 added" in compared
    assert "There is no release 'v9'" in ava("release", "diff", "v1", "v9").err
    assert ava("release", "make", "--name", "lanes", "--batch", "south", "--flavour", "none").code == 0
    assert list(json.loads((world.releases / "lanes/release.json").read_text())["batches"]) == ["south"]
    packed = ava("release", "pack", "lanes", world.home / "lanes.tar")
    assert packed.out.split() == [str(world.home / "lanes.tar"), str(world.home / "lanes.tar.sha256")]
    assert "There is no batch west" in ava("release", "make", "--batch", "west").err
    both = ava("release", "make", "--flavour", "none", "--flavour", "coco").err
    assert "--flavour none cannot be combined with coco" in both.replace("\n", " ")


def test_a_release_that_cannot_be_is_refused_in_a_sentence(
    ava: Run, world, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AVA_HOME", str(world.home))
    refused = ava("release", "make")
    assert refused.code == 1
    assert refused.err.strip().endswith(
        "No batch has an approved dataset yet. Approve clips, then wait for ava_csv."
    )
    assert ava("release", "make", "--ratios", "half").code == 1
    assert "is not SOURCE=SPLIT" in ava("release", "make", "--pin", "train").err


def test_what_would_be_published_is_printed_and_nothing_is_sent(ava: Run, released: Path) -> None:
    said = ava("release", "publish", released, "hub:ann/street", "--licence", "cc-by-4.0", "--dry-run")
    assert said.code == 0, said.err
    assert "annotations/ava_train_v2.2.csv" in said.out
    assert "files would go to hub:ann/street" in said.out
    assert "license: cc-by-4.0" in said.out
    assert "has no licence" in ava("release", "publish", released, "hub:ann/street").err
