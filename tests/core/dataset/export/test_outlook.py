"""The outlook: what the next release would hold, what is missing and why; the splits it would have."""

from __future__ import annotations

import json
import os

import polars as pl
import pytest

from ava_core import decisions
from ava_core.base.errors import ExportError, InputError
from ava_core.base.schemas import AGREEMENT_BY_CLASS, CONSENSUS_BOXES, PROVENANCE, empty
from ava_core.dataset.export import outlook_tables
from ava_core.dataset.export.options import ReleaseOptions
from ava_core.dataset.export.outlook import OUTLOOK, outlook
from ava_core.dataset.export.outlook_tables import read_outlook
from ava_core.dataset.export.split_preview import SOURCES, preview_release
from ava_core.dataset.formats.ava.reader import read_rows
from ava_core.decisions import decision_states
from ava_core.store import batches
from ava_core.store.tables import Job


def look(world) -> dict[str, dict[str, object]]:
    found = outlook(*read_outlook(world.storage, world.store, decision_states(world.store)))
    assert found.schema == pl.Schema(OUTLOOK)
    return {row["batch"]: row for row in found.to_dicts()}


def write(world, batch: str, asset: str, table: str, frame: pl.DataFrame) -> None:
    world.storage.write_table(world.storage.table_path(batch, asset, table), frame)


def test_counts_of_a_batch_that_goes_in(world) -> None:
    first, second = world.add_batch("north", ["gate", "yard"])
    world.dispute("north", first, 5)
    write(world, "north", "consensus_labels", "provenance", empty(PROVENANCE))
    world.write_batch("north")
    row = look(world)["north"]
    assert row == {
        "batch": "north", "clips": 2, "approved": 2, "rejected": 0, "waiting": 0, "unannotated": 0,
        "in_consensus": 2, "labels": 20, "disputed": 1, "ready": True, "missing": [],
    }  # fmt: skip
    decisions.reopen(world.store, "north", [second], "chief")
    row = look(world)["north"]
    assert (row["approved"], row["waiting"], row["labels"]) == (1, 1, 10)
    assert row["missing"] == ["1 clip waits for a decision"]


def test_a_batch_without_clips_is_not_processed(world) -> None:
    batches.add(world.store, "new", "/inbox/new.zip", {})
    row = look(world)["new"]
    assert (row["clips"], row["ready"], row["missing"]) == (0, False, ["it has not been processed yet"])


def test_what_waits_what_is_rejected_and_what_nobody_completed(world) -> None:
    clips = world.add_batch("north", ["gate", "yard", "lane"], approve=False)
    decisions.reject(world.store, "north", clips[:1], "chief", "boxes are too wide")
    with world.store.session() as session:
        for job in session.query(Job).filter(Job.clip_id == clips[2]):
            job.state = "in progress"
    assert look(world)["north"]["missing"] == [
        "1 clip was not completed by anyone yet",
        "1 clip waits for a decision",
        "1 clip is rejected",
    ]


def test_a_consensus_to_be_formed_is_told_from_one_that_holds_nobody(world) -> None:
    first, _ = world.add_batch("north", ["gate", "yard"], dataset=False)
    write(world, "north", "consensus_labels", "consensus_boxes", empty(CONSENSUS_BOXES))
    formed = {"clip_id": first, "readings": [], "adjudications": 0, "ontology": "", "digest": ""}
    known = {name: formed.get(name) for name in PROVENANCE}
    write(world, "north", "consensus_labels", "provenance", pl.DataFrame([known], schema=dict(PROVENANCE)))
    row = look(world)["north"]
    assert row["missing"] == [
        "the consensus of 1 approved clip is still to be formed",
        "1 approved clip holds nobody",
    ]
    assert not row["ready"]


def test_a_dataset_that_is_missing_or_older_than_the_consensus_is_named(world) -> None:
    world.add_batch("north", dataset=False)
    assert look(world)["north"]["missing"] == ["its dataset (ava_csv) is still to be made"]
    world.write_batch("north")
    assert look(world)["north"]["missing"] == []
    boxes = world.storage.local(world.storage.table_path("north", "consensus_labels", "consensus_boxes"))
    later = boxes.stat().st_mtime + 60
    os.utime(boxes, (later, later))
    assert look(world)["north"]["missing"] == ["its dataset (ava_csv) is older than its consensus"]


@pytest.mark.parametrize(
    ("alpha", "said"),
    [
        (0.412, "class walk is below its minimum alpha (0.41 < 0.6)"),
        (None, "class walk has no alpha but needs 0.6"),
    ],
)
def test_a_class_below_its_floor_holds_the_dataset_back(world, alpha: float | None, said: str) -> None:
    world.add_batch("north", dataset=False)
    fine = {"name": "stand", "alpha": 0.9, "minimum_alpha": 0.6, "positives": 4}
    weak = fine | {"name": "walk", "alpha": alpha}
    unused = fine | {"name": "run", "alpha": None, "positives": 0}
    free = fine | {"name": "sit", "alpha": 0.1, "minimum_alpha": None}
    rows = [{name: one.get(name) for name in AGREEMENT_BY_CLASS} for one in (fine, weak, unused, free)]
    write(world, "north", "agreement", "per_class", pl.DataFrame(rows, schema=dict(AGREEMENT_BY_CLASS)))
    assert look(world)["north"]["missing"] == [
        said,
        "its dataset (ava_csv) is still to be made, held back by that",
    ]


def test_only_what_changed_is_read_again(world, monkeypatch: pytest.MonkeyPatch) -> None:
    world.add_batch("north")
    world.add_batch("south")
    look(world)
    read = []
    scan = pl.scan_parquet
    monkeypatch.setattr(
        outlook_tables.pl, "scan_parquet", lambda path, **how: read.append(path) or scan(path, **how)
    )
    look(world)
    assert read == []
    world.dispute("south", "south_cam_000", 3)
    assert look(world)["south"]["disputed"] == 1
    assert {"south" in str(path) for path in read} == {True}


def test_a_table_that_cannot_be_read_is_named(world) -> None:
    world.add_batch("north")
    write(world, "north", "consensus_labels", "disputed", pl.DataFrame({"clip": ["a"]}))
    with pytest.raises(
        InputError, match=r"disputed\.parquet of batch north cannot be read: .*Materialise consensus_labels"
    ):
        look(world)


def test_the_previewed_splits_are_those_of_the_release(world) -> None:
    world.add_batch("north", ["gate", "yard"])
    world.release("first")
    world.add_batch("south", ["lane", "dock", "mall"], actions=[("pose", 2), ("object", 5)])
    options = ReleaseOptions(pins={"south_dock": "test"}, least_rows=9, drop_rare=True)
    found = preview_release(options, world.settings, world.storage, world.store)
    assert found.sources.schema == pl.Schema(SOURCES)
    release = world.release(pins=options.pins, least_rows=9, drop_rare=True)
    made = json.loads((release.folder / "splits.json").read_text())["sources"]
    assert dict(found.sources.select("source_id", "split").rows()) == made
    assert dict(found.sources.select("source_id", "why").rows()) == {
        "north_gate": "released before", "north_yard": "released before", "south_dock": "pinned",
        "south_lane": "assigned", "south_mall": "assigned",
    }  # fmt: skip
    assert found.sources["rows"].sum() == read_rows(release.folder).height
    assert found.dropped == dict.fromkeys(("stand", "carry"), "8 labels, fewer than 9")


def test_a_preview_is_refused_as_the_release_would_be(world) -> None:
    def preview(**options: object) -> None:
        preview_release(ReleaseOptions(**options), world.settings, world.storage, world.store)

    with pytest.raises(ExportError, match="No batch has an approved dataset"):
        preview()
    world.add_batch("north")
    with pytest.raises(ExportError, match="has no approved clips"):
        preview(pins={"nobody": "train"})
    with pytest.raises(ExportError, match="cannot be used"):
        preview(ratios={"train": -1.0, "val": 0.0, "test": 0.0})
    assert world.left_behind() == []


def test_batches_are_chosen(world) -> None:
    clips = world.add_batch("north") + world.add_batch("south", ["lane"])
    world.add_batch("west", approve=False)
    assert sorted(read_rows(world.release("all").folder)["video_id"].unique()) == clips
    chosen = world.release("one", batches=["south"], actor="adam").folder
    about = json.loads((chosen / "release.json").read_text())
    assert list(about["batches"]) == ["south"]
    assert (about["options"]["batches"], about["options"]["actor"]) == (["south"], "adam")
    assert read_rows(chosen)["video_id"].unique().to_list() == clips[1:]
    with pytest.raises(ExportError, match="Batch west has no dataset yet"):
        world.release("none", batches=["west"])
    with pytest.raises(ExportError, match="There is no batch east"):
        world.release("none", batches=["north", "east"])
