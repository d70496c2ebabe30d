"""The older tool's csv: every defect that it is known for, repaired and listed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ava_core.base.errors import InputError
from ava_core.dataset.formats.ava.checks import errors_among, validate_dataset
from ava_core.dataset.formats.ava.reader import read_rows
from ava_core.dataset.importing.imported import write_import
from ava_core.dataset.importing.older_csv import import_older_csv
from ava_core.ontology import Ontology, load_ontology

HEADER = "video_id,timestamp,x1,y1,x2,y2,action_id,person_id"


@pytest.fixture
def ontology() -> Ontology:
    return load_ontology("street")


def older(path: Path, *rows: str, header: bool = True, times: int = 4) -> Path:
    lines = [HEADER] * header + [row for row in rows for _ in range(times)]
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def person(annotator: str, second: int, *actions: int, person_id: int = 1, left: int = 100) -> list[str]:
    box = f"{left},100,{left + 100},400"
    return [f"1_clip_000_{annotator},{second},{box},{action},{person_id}" for action in actions]


def test_every_known_defect_is_repaired_and_listed(tmp_path: Path, ontology: Ontology) -> None:
    rows = [
        row
        for annotator in ("ann", "ben", "cat")
        for second in (2, 3, 20 // 5)
        for row in person(annotator, second, 1, 7, -1)
    ]
    imported = import_older_csv(older(tmp_path / "AVA_dataset.csv", *rows), ontology)
    listed = {repair.defect: repair.rows for repair in imported.repairs}
    assert listed == {
        "a header": 1,
        "rows that appear several times": 27 * 3,
        "actions with id -1, which were never set": 9,
        "annotators in video ids": 18,
        "frame numbers for timestamps": 18,
    }
    written = imported.dataset.rows
    assert written["video_id"].unique().to_list() == ["1_clip_000"]
    assert written["timestamp"].unique().sort().to_list() == [902, 903, 904]
    assert written.row(0)[2:6] == pytest.approx((100 / 1280, 100 / 720, 200 / 1280, 400 / 720), abs=1e-4)
    assert sorted(written["action_id"].unique()) == [1, 7]
    assert imported.work["completed_jobs"]["annotator"].sort().to_list() == ["ann", "ben", "cat"]


def test_annotators_who_differ_are_measured_and_the_majority_holds(
    tmp_path: Path, ontology: Ontology
) -> None:
    rows = [
        row
        for annotator, action in (("ann", 1), ("ben", 1), ("cat", 2))
        for second in range(2, 12)
        for row in person(annotator, second, action if second == 5 else 1, 7)
    ]
    imported = import_older_csv(older(tmp_path / "a.csv", *rows), ontology)
    assert sorted(imported.dataset.rows["action_id"].unique()) == [1, 7]
    overall = {row["statistic"]: row["value"] for row in imported.agreement["overall"].to_dicts()}
    assert overall["pooled_alpha"] is not None
    assert overall["pooled_alpha"] < 1


def test_what_is_written_breaks_no_rule_but_has_no_pictures(tmp_path: Path, ontology: Ontology) -> None:
    rows = [row for second in range(2, 6) for row in person("ann", second, 1, 7)]
    folder = write_import(tmp_path / "out", import_older_csv(older(tmp_path / "a.csv", *rows), ontology))
    assert {finding.file for finding in errors_among(validate_dataset(folder))} == {"frames"}
    assert read_rows(folder).height == 8
    repairs = json.loads((folder / "import.json").read_text())["repairs"]
    assert repairs[0] == {"defect": "a header", "repair": "left out", "rows": 1, "line": 1, "place": ""}
    assert (
        "> **rows that appear several times: kept once (24 rows).**"
        in (folder / "dataset_card.md").read_text()
    )
    assert {path.stem for path in (folder / "work").iterdir()} == {
        "raw_boxes",
        "raw_labels",
        "completed_jobs",
    }
    with pytest.raises(InputError, match="already exists"):
        write_import(folder, import_older_csv(tmp_path / "a.csv", ontology))


def test_frame_numbers_of_clips_count_thirty_a_second(tmp_path: Path, ontology: Ontology) -> None:
    rows = [row for frame in (60, 75, 90) for row in person("ann", frame, 1)]
    path = older(tmp_path / "a.csv", *rows)
    with pytest.raises(InputError, match="--index-fps 30"):
        import_older_csv(path, ontology)
    imported = import_older_csv(path, ontology, index_fps=30)
    assert imported.dataset.rows["timestamp"].to_list() == [902, 903]
    assert ("frames between two keyframes", 1) in {(r.defect, r.rows) for r in imported.repairs}


def test_boxes_may_be_shares_or_reach_beyond_the_picture(tmp_path: Path, ontology: Ontology) -> None:
    shares = older(tmp_path / "a.csv", "v,2,0.1,0.2,0.3,0.4,1,1", header=False, times=1)
    imported = import_older_csv(shares, ontology)
    assert imported.dataset.rows.row(0)[2:6] == (0.1, 0.2, 0.3, 0.4)
    assert imported.work["completed_jobs"]["annotator"].to_list() == ["unknown"]
    beyond = older(tmp_path / "b.csv", "v,2,-9,10,200,900,1,1", "v,2,2000,10,2100,20,1,2", times=1)
    imported = import_older_csv(beyond, ontology)
    assert imported.dataset.rows.height == 1
    assert imported.dataset.rows.row(0)[2:6] == pytest.approx((0, 10 / 720, 200 / 1280, 1), abs=1e-4)
    listed = {repair.defect: repair.rows for repair in imported.repairs}
    assert (listed["boxes beyond the picture"], listed["boxes without width or height"]) == (2, 1)


def test_boxes_that_say_width_and_height_are_refused_and_numbers_that_are_none_left_out(
    tmp_path: Path, ontology: Ontology
) -> None:
    sizes = older(
        tmp_path / "a.csv", "v,2,700,100,80,200,1,1", "v,3,100,100,80,90,1,1", header=False, times=1
    )
    with pytest.raises(InputError, match="left, top, width, height"):
        import_older_csv(sizes, ontology)
    odd = older(
        tmp_path / "b.csv", "v,2,nan,100,80,200,1,1", "v,2,10,100,inf,200,1,2", "v,3,9,10,80,90,1,1", times=1
    )
    imported = import_older_csv(odd, ontology)
    assert imported.dataset.rows["timestamp"].to_list() == [903]
    assert ("boxes with a number that is infinite or none", 2) in {
        (r.defect, r.rows) for r in imported.repairs
    }


def test_clips_whose_names_differ_in_a_blank_stay_apart(tmp_path: Path, ontology: Ontology) -> None:
    path = older(
        tmp_path / "a.csv", "gate 1,2,9,10,80,90,1,1", "gate_1,2,9,10,80,90,2,1", "前,2,9,10,80,90,2,1"
    )
    assert import_older_csv(path, ontology).dataset.clips.height == 3


def test_persons_without_a_number_stay_apart(tmp_path: Path, ontology: Ontology) -> None:
    rows = [*person("ann", 2, 1, person_id=-1), *person("ann", 2, 1, person_id=-1, left=600)]
    imported = import_older_csv(older(tmp_path / "a.csv", *rows), ontology)
    assert imported.dataset.rows["person_id"].n_unique() == 2


def test_timestamps_that_count_from_900_stay(tmp_path: Path, ontology: Ontology) -> None:
    path = older(tmp_path / "a.csv", *person("ann", 905, 1))
    assert import_older_csv(path, ontology).dataset.rows["timestamp"].to_list() == [905]


def test_actions_of_another_ontology_are_left_out(tmp_path: Path, ontology: Ontology) -> None:
    imported = import_older_csv(older(tmp_path / "a.csv", *person("ann", 2, 1, 99)), ontology)
    assert ("actions that ontology street does not know", 1) in {(r.defect, r.rows) for r in imported.repairs}


def test_a_row_that_cannot_be_understood_is_refused_with_its_line(tmp_path: Path, ontology: Ontology) -> None:
    path = older(tmp_path / "a.csv", *person("ann", 2, 1), "1_clip_000_ann,two,1,2,3,4,1,1", times=1)
    with pytest.raises(InputError, match=r"a\.csv:3: the row is not"):
        import_older_csv(path, ontology)
