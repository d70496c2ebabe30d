"""Releases: golden files, what is refused, what never changes."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from pathlib import Path

import polars as pl
import pytest

from ava_core import decisions
from ava_core.base.errors import AvaError, ExportError, InputError
from ava_core.base.pickles import safe_load
from ava_core.base.schemas import ANSWERED
from ava_core.dataset.formats.ava.checks import errors_among, validate_dataset
from ava_core.dataset.formats.ava.reader import read_rows
from ava_core.dataset.formats.flavours import FLAVOURS
from ava_core.video.outcome import set_aside_of

GOLDEN = Path(__file__).parent / "golden"
"""Files of the fixture `released` as readers last read them. Delete the folder to have it made anew, then read
the diff."""

KEPT = (
    "annotations",
    "kinetics/annotations",
    "datumaro/annotations",
    "coco",
    "AVA_dataset.csv",
    "CITATION.cff",
)


def test_a_release_is_written_as_it_was_when_readers_last_read_it(released: Path) -> None:
    files = {path.relative_to(released): path for path in released.rglob("*") if path.is_file()}
    made = {str(name): path for name, path in files.items() if str(name).startswith(KEPT)}
    made = {name: path for name, path in made.items() if path.suffix != ".pkl"}
    if not GOLDEN.exists():
        for name, path in made.items():
            (GOLDEN / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, GOLDEN / name)
        pytest.fail("The golden files were missing and have been made anew: read them, then run again.")
    assert sorted(made) == sorted(
        str(path.relative_to(GOLDEN)) for path in GOLDEN.rglob("*") if path.is_file()
    )
    for name, path in made.items():
        ours = path.read_text().replace(f"date-released: '{_day(released)}'", "date-released: DAY")
        theirs = (GOLDEN / name).read_text()
        assert ours == re.sub(r"date-released: .*", "date-released: DAY", theirs), name


def _day(release: Path) -> str:
    made_at: str = json.loads((release / "release.json").read_text())["made_at"]
    return made_at[:10]


def test_the_release_breaks_no_rule(released: Path) -> None:
    assert errors_among(validate_dataset(released)) == []


def test_frame_lists_name_every_frame_and_every_frame_is_there_in_all_places(released: Path) -> None:
    for split in ("train", "val", "test"):
        header, *lines = (released / f"frame_lists/{split}.csv").read_text().splitlines()
        assert header == "original_vido_id video_id frame_id path labels"
        assert len(lines) == 210
        assert all((released / "frames" / line.split(" ")[3]).is_file() for line in lines)
    first = next((released / "frames").iterdir())
    raw = released / "rawframes" / first.name / "img_00031.jpg"
    key = released / "keyframes" / first.name / "901.jpg"
    assert raw.samefile(first / f"{first.name}_000031.jpg")
    assert key.samefile(raw)


def test_pictures_have_no_bars(released: Path) -> None:
    import cv2

    picture = cv2.imread(str(next((released / "frames").rglob("*.jpg"))))
    assert picture.shape == (36, 64, 3)
    assert picture.min() > 30


def test_proposals_are_arrays_in_shares_of_the_picture(released: Path) -> None:
    boxes = safe_load(released / "annotations/ava_dense_proposals_train.pkl")
    (video,) = {key.split(",")[0] for key in boxes}
    assert sorted(boxes) == [f"{video},{stamp:04d}" for stamp in (902, 903, 904, 905)]
    assert boxes[f"{video},0903"].tolist() == [
        [0.1875, 0.0833, 0.3438, 0.8333, 0.95],
        [0.5, 0.0833, 0.6562, 0.8333, 0.9],
    ]


def test_a_disputed_second_is_excluded_and_has_no_rows(released: Path) -> None:
    excluded = [
        line
        for split in ("train", "val", "test")
        for line in (released / f"annotations/ava_{split}_excluded_timestamps_v2.2.csv")
        .read_text()
        .splitlines()
    ]
    assert excluded == ["north_gate_000,0905"]
    rows = read_rows(released)
    assert rows.filter(pl.col("video_id") == "north_gate_000")["timestamp"].max() == 904


def test_release_json_says_what_it_was_made_of(released: Path) -> None:
    about = json.loads((released / "release.json").read_text())
    assert about["ontology"]["name"] == "tiny"
    assert about["batches"]["north"]["sources"]["north_gate"] == hashlib.sha256(b"north_gate").hexdigest()
    assert len(about["batches"]["south"]["inputs"]) == 8
    csv = "annotations/ava_train_v2.2.csv"
    assert about["files"][csv] == hashlib.sha256((released / csv).read_bytes()).hexdigest()
    assert "password" not in json.dumps(about)


def test_flavours_are_chosen(world) -> None:
    world.add_batch("north")
    plain = world.release("plain", flavours=[]).folder
    assert {path.name for path in plain.iterdir()}.isdisjoint(FLAVOURS)
    coco = world.release("coco", flavours=["coco"]).folder
    assert {path.name for path in coco.iterdir()} & set(FLAVOURS) == {"coco"}
    with pytest.raises(ExportError, match="no flavour 'yolo'"):
        world.release("odd", flavours=["yolo"])
    assert world.left_behind() == ["coco", "plain"]


def test_names_count_up_and_are_never_taken_twice(world) -> None:
    world.add_batch("north")
    assert [world.release().name, world.release().name] == ["v1", "v2"]
    with pytest.raises(ExportError, match="never change"):
        world.release("v1")
    with pytest.raises(ExportError, match="is not a valid release name"):
        world.release("../out")


def test_nothing_approved_is_refused(world) -> None:
    world.add_batch("north", approve=False)
    with pytest.raises(ExportError, match="No batch has an approved dataset"):
        world.release()
    assert world.left_behind() == []


def test_what_was_approved_and_taken_back_never_leaves(world) -> None:
    first, second = world.add_batch("north", ["gate", "yard"])
    decisions.reopen(world.store, "north", [first], "chief", "look again")
    assert read_rows(world.release().folder)["video_id"].unique().to_list() == [second]


def pictures_of(world, clip: str) -> Path:
    """The folder of a clip's pictures in the dataset of batch north."""
    folder = world.storage.local(world.storage.asset_dir("north", "ava_csv")) / "dataset/frames" / clip
    assert folder.is_dir()
    return folder


def no_picture(folder: Path) -> None:
    shutil.rmtree(folder)


def no_keyframe(folder: Path) -> None:
    (folder / f"{folder.name}_000031.jpg").unlink()


def empty_keyframe(folder: Path) -> None:
    picture = folder / f"{folder.name}_000031.jpg"
    # The picture may be linked from elsewhere: only this name of it loses its content.
    picture.unlink()
    picture.touch()


def misnamed_keyframe(folder: Path) -> None:
    (folder / f"{folder.name}_000031.jpg").rename(folder / "copy.jpg")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (no_picture, "it has 0 pictures where its table says 210 frames"),
        (no_keyframe, "it has 209 pictures where its table says 210 frames"),
        (empty_keyframe, "its picture north_yard_000_000031.jpg is empty"),
        (misnamed_keyframe, "its picture north_yard_000_000031.jpg is missing"),
    ],
)
def test_a_clip_that_lacks_pictures_is_left_out_and_named_and_the_release_goes_on(
    world, spoil, reason: str
) -> None:
    kept, lost = world.add_batch("north", ["gate", "yard"])
    spoil(pictures_of(world, lost))
    release = world.release("v1", pins={"north_yard": "test"})
    assert release.left_out == {lost: reason}
    folder = world.storage.local(release.folder)
    assert json.loads((folder / "release.json").read_text())["left_out"] == {lost: reason}
    assert f"Excluded: clip {lost}, {reason}." in (folder / "dataset_card.md").read_text()
    assert read_rows(folder)["video_id"].unique().to_list() == [kept]
    assert list(json.loads((folder / "splits.json").read_text())["sources"]) == ["north_gate"]
    assert [path.name for path in (folder / "frames").iterdir()] == [kept]
    assert errors_among(validate_dataset(folder)) == []


def test_a_release_in_which_no_clip_has_pictures_is_refused_with_the_first_reasons(world) -> None:
    for clip in world.add_batch("north", ["a", "b", "c", "d"]):
        no_keyframe(pictures_of(world, clip))
    reasons = "; ".join(f"north_{name}_000: it has 209 pictures [^;]*" for name in "abc")
    with pytest.raises(ExportError, match=f"No clip has all of its pictures. {reasons}; and 1 more"):
        world.release()
    assert world.left_behind() == []


def test_a_writer_that_fails_half_way_leaves_nothing(world, monkeypatch: pytest.MonkeyPatch) -> None:
    world.add_batch("north")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("ava_core.dataset.export.release.write_citation", fail)
    with pytest.raises(OSError, match="disk full"):
        world.release()
    assert world.left_behind() == []


def test_two_sources_with_one_name_are_refused(world) -> None:
    world.add_batch("north", ["east_gate"])
    world.add_batch("north_east", ["gate"], index=1)
    with pytest.raises(ExportError, match="both have a source video north_east_gate"):
        world.release()


def test_an_id_that_readers_would_split_is_refused(world) -> None:
    world.add_batch("north", ["front, gate"], dataset=False)
    with pytest.raises(ExportError, match="cannot be a video id"):
        world.write_batch("north")


def test_ontologies_that_contradict_each_other_are_refused(world) -> None:
    world.add_batch("north")
    other = world.home / "other.yaml"
    other.write_text((world.home / "tiny.yaml").read_text().replace("name: walk", "name: run"))
    world.add_batch("south", options={"ontology": str(other)}, contents={"south_cam": "something else"})
    with pytest.raises(ExportError, match="Batch south uses ontology tiny 1"):
        world.release()


def test_an_ontology_that_only_grew_is_fine(world) -> None:
    world.add_batch("north")
    grown = world.home / "grown.yaml"
    text = (world.home / "tiny.yaml").read_text().replace("version: 1", "version: 2")
    grown.write_text(text + "      - {id: 6, name: wave}\n")
    world.add_batch("south", options={"ontology": str(grown)})
    labels = (world.release().folder / "annotations/ava_action_list_v2.2.pbtxt").read_text()
    assert 'name: "wave"\n  id: 6' in labels


def test_rare_classes_are_named_or_left_out_without_renumbering(world) -> None:
    world.add_batch("north", ["gate", "yard"])
    named = world.release("named", least_rows=5).folder
    assert "Classes below 5 labels: walk (4)." in (named / "dataset_card.md").read_text()
    dropped = world.release("dropped", least_rows=5, drop_rare=True).folder
    assert sorted(read_rows(dropped)["action_id"].unique()) == [1, 4]
    label_map = "annotations/ava_action_list_v2.2.pbtxt"
    assert (dropped / label_map).read_text() == (named / label_map).read_text()
    with pytest.raises(AvaError, match="lower the floor"):
        world.release("empty", least_rows=1000, drop_rare=True)


def test_seconds_of_doubtful_labels_are_excluded_on_request_and_the_card_says_how_sure_all_are(world) -> None:
    world.add_batch("north")
    place = world.storage.table_path("north", "consensus_labels", "consensus_labels")
    chance = pl.when(pl.col("second") == 5).then(0.6).otherwise(0.95)
    world.storage.write_table(place, world.storage.read_table(place).with_columns(posterior=chance))
    plain, sure = world.release("plain").folder, world.release("sure", least_chance=0.7).folder
    seconds = [read_rows(folder)["timestamp"].unique() - 900 for folder in (plain, sure)]
    assert set(seconds[0]) - set(seconds[1]) == {5}
    assert "0905" in (sure / "annotations/ava_train_excluded_timestamps_v2.2.csv").read_text()
    chances = pl.read_parquet(plain / "lineage.parquet")["posterior"]
    said = f"Of {chances.len()} labels with a chance {(1 - chances).sum():.0f} are expected to be wrong"
    assert said in (plain / "dataset_card.md").read_text()


def test_a_class_on_which_nobody_agrees_blocks_the_release_or_is_left_out(world) -> None:
    (clip,) = world.add_batch("north")
    ontology = world.home / "tiny.yaml"
    ontology.write_text(ontology.read_text().replace("name: carry", "name: carry, minimum_alpha: 0.4"))
    world.release("agreed")
    labels = world.storage.table_path("north", "raw_annotations", "raw_labels")
    said = world.storage.read_table(labels)
    other = (pl.col("group") == "object") & (pl.col("annotator") == "ben") & (pl.col("second") % 2 == 0)
    none = pl.lit([], dtype=pl.List(pl.Int32))
    world.storage.write_table(
        labels, said.with_columns(action_ids=pl.when(other).then(none).otherwise("action_ids"))
    )
    with pytest.raises(ExportError, match=r"disagree on carry: alpha .*, below 0\.4"):
        world.release("weak")
    kept = world.release("kept", drop_weak=True).folder
    assert 4 not in read_rows(kept)["action_id"]
    assert "Excluded: carry, alpha" in (kept / "dataset_card.md").read_text()
    assert clip in read_rows(kept)["video_id"]


def test_a_batch_that_was_hardly_answered_holds_the_release_back(world) -> None:
    (clip,) = world.add_batch("north")
    job = {"clip_id": clip, "annotator": "ann", "job_id": 1, "living": 100}
    path = world.storage.table_path("north", "raw_annotations", "answered")
    groups = [job | {"group": "pose", "answered": 96}, job | {"group": "object", "answered": 12}]
    world.storage.write_table(path, pl.DataFrame(groups, schema=dict(ANSWERED)))
    with pytest.raises(ExportError, match="Batch north: annotators answered 'object' for 12% of the time"):
        world.release("silent")
    assert world.left_behind() == []
    elsewhere = pl.DataFrame([row | {"clip_id": "not approved"} for row in groups], schema=dict(ANSWERED))
    world.storage.write_table(path, elsewhere)
    world.release("spoken")


def test_a_source_keeps_its_split_when_batches_are_added(world) -> None:
    world.add_batch("north", ["gate", "yard"])
    before = json.loads((world.release().folder / "splits.json").read_text())["sources"]
    world.add_batch("south", ["lane", "dock", "mall"])
    after = json.loads((world.release().folder / "splits.json").read_text())["sources"]
    assert before.items() <= after.items()
    assert set(after.values()) == {"train", "val", "test"}


def test_the_same_video_under_another_name_stays_in_its_split(world) -> None:
    world.add_batch("north", ["gate", "yard"])
    before = json.loads((world.release().folder / "splits.json").read_text())["sources"]
    world.add_batch("south", ["copy"], contents={"south_copy": "north_yard"})
    after = json.loads((world.release().folder / "splits.json").read_text())["sources"]
    assert after["south_copy"] == before["north_yard"]
    with pytest.raises(ExportError, match="never changes its split"):
        world.release(pins={"north_yard": "test"})


def test_pins_that_tear_one_content_apart_are_refused(world) -> None:
    world.add_batch("north", ["gate"])
    world.add_batch("south", ["copy"], contents={"south_copy": "north_gate"})
    with pytest.raises(ExportError, match="have the same content"):
        world.release(pins={"north_gate": "train", "south_copy": "val"})
    with pytest.raises(ExportError, match="has no approved clips"):
        world.release(pins={"nobody": "train"})


def test_the_batch_dataset_is_replaced_whole_or_not_at_all(world, monkeypatch: pytest.MonkeyPatch) -> None:
    world.add_batch("north")
    folder = world.storage.local(world.storage.asset_dir("north", "ava_csv")) / "dataset"
    before = (folder / "AVA_dataset.csv").read_bytes()
    monkeypatch.setattr("ava_core.dataset.export.batch.write_card", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        world.write_batch("north")
    assert (folder / "AVA_dataset.csv").read_bytes() == before
    assert sorted(path.name for path in folder.parent.iterdir()) == [
        ".pictures",
        ".sums",
        "ava_csv.parquet",
        "dataset",
        "pictures.parquet",
        "set_aside.parquet",
    ]


def test_a_clip_that_was_lost_is_left_out_of_the_batch_with_its_reason(world) -> None:
    lost, kept = world.add_batch("north", ["a", "b"], dataset=False)
    world.storage.path("batches", "north", "clips", "files", f"{lost}.mp4").unlink()
    folder = world.write_batch("north")
    assert read_rows(folder)["video_id"].unique().to_list() == [kept]
    assert set_aside_of(world.at("north"), "ava_csv").rows() == [(lost, f"{lost}.mp4 is missing")]
    assert list(world.release().left_out) == [lost]


def test_pictures_on_another_file_system_are_copied(world, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise OSError("cross-device link")

    (clip,) = world.add_batch("north", dataset=False)
    monkeypatch.setattr("os.link", no_links)
    folder = world.write_batch("north")
    assert len(list((folder / "frames" / clip).iterdir())) == 210
    shutil.rmtree(folder)


def flip(path: Path) -> None:
    """Change one byte in the middle, and nothing else: neither size nor time."""
    stat, content = path.stat(), bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_a_changed_byte_in_a_picture_is_found_and_the_next_dataset_makes_it_anew(world) -> None:
    kept, lost = world.add_batch("north", ["gate", "yard"])
    flip(pictures_of(world, lost) / f"{lost}_000031.jpg")
    reason = f"its picture {lost}_000031.jpg is damaged: its content has changed since it was written"
    assert world.release().left_out == {lost: reason}
    world.write_batch("north")
    assert read_rows(world.release().folder)["video_id"].unique().sort().to_list() == [kept, lost]


def test_a_changed_byte_in_a_clip_sets_it_aside(world) -> None:
    lost, _ = world.add_batch("north", ["a", "b"], dataset=False)
    flip(world.storage.local(world.storage.path("batches", "north", "clips", "files", f"{lost}.mp4")))
    world.write_batch("north")
    assert set_aside_of(world.at("north"), "ava_csv").rows() == [
        (lost, f"{lost}.mp4 is damaged: it is not the file that was cut")
    ]
    assert list(world.release().left_out) == [lost]


@pytest.mark.parametrize(
    ("asset", "table"),
    [
        ("consensus_labels", "consensus_boxes"), ("consensus_labels", "basis"),
        ("raw_annotations", "raw_labels"), ("clips", ""), ("ava_csv", "pictures"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("how", ["flipped", "cut", "empty"])
def test_a_damaged_table_is_found_before_it_is_released(world, asset: str, table: str, how: str) -> None:
    world.add_batch("north")
    path = world.storage.local(world.storage.table_path("north", asset, table))
    if how == "flipped":
        flip(path)
    else:
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2] if how == "cut" else b"")
    with pytest.raises(
        InputError, match=rf"{path.name} is damaged: .*Materialise {asset} of this batch again"
    ):
        world.release()
    assert world.left_behind() == []
