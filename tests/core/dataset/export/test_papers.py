"""What is about a release: lineage, difference, card, citation, Croissant."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest
import yaml

from ava_core import decisions
from ava_core.base.errors import InputError
from ava_core.base.report.document import Heading, Numbers, Picture, Text, to_html, to_markdown
from ava_core.dataset.export.diff import diff_releases
from ava_core.dataset.export.lineage import trace, trace_at
from ava_core.dataset.formats.ava.reader import read_rows


def test_every_row_has_its_lineage(released: Path) -> None:
    lineage = pl.read_parquet(released / "lineage.parquet")
    rows = read_rows(released)
    key = ["split", "video_id", "timestamp", "person_id", "action_id"]
    assert lineage.select(key).sort(key).equals(rows.select(key).sort(key), null_equal=True)
    assert (
        lineage.select("votes", "rule", "original_name", "approved_by").null_count().sum_horizontal().item()
        == 0
    )


def test_a_row_is_traced_to_votes_job_source_and_frame(released: Path) -> None:
    line = (released / "annotations/ava_train_v2.2.csv").read_text().splitlines()[1]
    found = trace(released, "train:2")
    assert trace(released, line) == found
    assert found["action_id"] == int(line.split(",")[6]) == 4
    assert (found["original_name"], found["source_second"]) == ("street/south_lane.mp4", 32.0)
    assert (released / found["picture"]).is_file()
    assert found["picture"].endswith("_000061.jpg")
    assert (found["votes"], found["voters"], found["approved_by"]) == (2, 2, "chief")
    ann, ben = found["ratings"]
    assert (ann["annotator"], ann["action_ids"], ann["edited"], ann["counted"]) == ("ann", [4, 5], True, True)
    assert (ben["annotator"], ben["edited"]) == ("ben", False)
    assert ann["job_id"] // 10 == ann["task_id"]


def test_the_rows_at_a_timestamp_are_traced_together(released: Path) -> None:
    found = trace_at(released, "south_lane_000", 903)
    assert [(row["person_id"], row["action_id"]) for row in found] == [(1, 2), (1, 4), (1, 5), (2, 2)]
    assert trace_at(released, "south_lane_000", 903, 2) == found[3:]
    assert found[0] == trace(released, f"train:{found[0]['line']}")
    for place in (("south_lane_000", 950), ("nobody", 903), ("south_lane_000", 903, 9)):
        with pytest.raises(InputError, match="Timestamps count from 0900"):
            trace_at(released, *place)


def test_an_excluded_annotator_is_named_as_such(world) -> None:
    world.add_batch("north")
    decisions.exclude_annotator(world.store, "north", "ben", "chief", "random answers")
    world.form("north")
    ratings = trace(world.release().folder, "train:1")["ratings"]
    assert {rating["annotator"]: rating["counted"] for rating in ratings} == {"ann": True, "ben": False}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("train:99", "has no row"),
        ("dev:1", "does not identify a row"),
        ("hello", "does not identify a row"),
        ("a,b,c,d,e,f,g,h", "does not identify a row"),
    ],
)
def test_a_row_that_is_not_there_is_said_so(released: Path, row: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        trace(released, row)


def test_a_dataset_from_elsewhere_has_no_lineage(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no lineage\.parquet"):
        trace(tmp_path, "train:1")


def test_the_difference_of_two_releases(world) -> None:
    gate, yard = world.add_batch("north", ["gate", "yard"])
    first = world.release().folder
    assert diff_releases(first, first).is_empty

    decisions.reopen(world.store, "north", [yard], "chief", "wrong")
    (lane,) = world.add_batch("south", ["lane"], actions=[("pose", 2)])
    world.dispute("north", gate, 2)
    found = diff_releases(first, world.release().folder)

    changes = dict(found.clips.select("video_id", "change").rows())
    assert changes == {gate: "relabelled", yard: "removed", lane: "added"}
    by_class = {name: (before, after) for _, name, before, after in found.classes.rows()}
    assert by_class == {"stand": (8, 3), "walk": (4, 8), "carry": (8, 3)}
    lost = found.labels.filter(pl.col("video_id") == gate)
    assert lost.select("timestamp", "change").unique().rows() == [(902, "removed")]


def test_a_moved_box_and_a_moved_clip_are_told_apart(released: Path, tmp_path: Path) -> None:
    import shutil

    other = tmp_path / "other"
    shutil.copytree(released / "annotations", other / "annotations")
    train, val = (other / f"annotations/ava_{split}_v2.2.csv" for split in ("train", "val"))
    train.write_text(train.read_text().replace("0.1250", "0.1260"))
    test = other / "annotations/ava_test_v2.2.csv"
    val.write_text(val.read_text() + test.read_text())
    test.write_text("")
    found = diff_releases(released, other)
    assert dict(found.clips.select("video_id", "change").rows()) == {
        "south_lane_000": "relabelled",
        "north_gate_000": "moved",
    }
    assert set(found.labels["change"]) == {"box moved"}
    with pytest.raises(InputError, match="has no annotations"):
        diff_releases(released, tmp_path)


def test_the_card_says_what_is_in_it_and_what_is_missing(released: Path) -> None:
    card = (released / "dataset_card.md").read_text()
    for words in (
        "> **Made for tests.**",
        "3 videos of 21 s in all, cut from 3 source videos",
        "| 5 | phone | 4 | 0 | 0 |",
        "Seconds excluded because they are disputed or unusable: 1.",
        "Classes without a label in train: stand.",
        "CC-BY-4.0",
        "| pooled_alpha | 1.000 |",
        "| majority | 2 | 2 |",
    ):
        assert words in card, words
    plots = {path.name for path in (released / "plots").iterdir()}
    assert plots == {"classes.svg", "agreement.svg", "votes.svg"}
    for name in plots:
        assert ElementTree.parse(released / "plots" / name).getroot().tag.endswith("svg")


def test_the_card_in_html_needs_nothing_beside_it(released: Path) -> None:
    page = (released / "dataset_card.html").read_text()
    assert page.count("<svg") == 3
    assert "http://" not in page.replace("http://www.w3.org", "").replace("http://purl.org", "").replace(
        "http://creativecommons.org", ""
    )
    assert 'src="' not in page


def test_a_document_keeps_what_would_be_markup() -> None:
    blocks = [
        Heading("A < B"),
        Text("one", "two"),
        Numbers(("a|b",), [("x|y",), (None,)]),
        Picture("p", "c", "<svg/>"),
    ]
    assert "x\\|y" in to_markdown(blocks)
    page = to_html("t", blocks)
    assert "A &lt; B" in page
    assert "<li>two</li>" in page
    assert "–" in page


def test_the_citation_is_a_dataset_of_the_authors(released: Path) -> None:
    citation = yaml.safe_load((released / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert citation["type"] == "dataset"
    assert citation["authors"] == [{"family-names": "Doe", "given-names": "Jane"}]
    assert citation["license"] == "CC-BY-4.0"


def test_croissant_describes_the_labels_where_they_lie(released: Path) -> None:
    content = json.loads((released / "croissant.json").read_text())
    labels, frames = content["distribution"]
    assert (released / labels["contentUrl"]).is_file()
    assert (
        labels["sha256"] == json.loads((released / "release.json").read_text())["files"][labels["contentUrl"]]
    )
    assert any(released.glob(frames["includes"]))
    columns = [field["source"]["extract"]["column"] for field in content["recordSet"][0]["field"]]
    assert set(columns) <= set(pl.read_parquet_schema(released / "lineage.parquet"))
