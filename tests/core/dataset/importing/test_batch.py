"""An imported dataset as a batch: released with its splits, measured, and given to annotators."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest

from ava_core.annotation.retrieve import read_completed
from ava_core.annotation.staffing import hand_back, requeue, top_up
from ava_core.annotation.sync import look_at_jobs
from ava_core.base.errors import AssignmentError, ExportError, InputError
from ava_core.dataset.export.lineage import trace
from ava_core.dataset.export.options import ReleaseOptions
from ava_core.dataset.export.release import write_release
from ava_core.dataset.export.split_preview import preview_release
from ava_core.dataset.formats.ava.reader import read_rows
from ava_core.dataset.importing.ava import import_ava
from ava_core.dataset.importing.batch import ImportedBatch, import_batch
from ava_core.dataset.importing.imported import Imported
from ava_core.dataset.importing.older_csv import import_older_csv
from ava_core.decisions import reject
from ava_core.ontology import load_ontology
from ava_core.quality.agreement.measure import measure_agreement
from ava_core.store import batches, imported_work, tasks
from ava_core.video.intake.source_videos import take_in_sources
from tests.support.annotation_site import AnnotationSite
from tests.support.home import Home
from tests.support.world import World, write_seven_seconds

FRAMES, WIDTH, HEIGHT = 180, 64, 48

ROWS = {
    "train": [
        "hall,0902,0.1000,0.1000,0.5000,0.9000,12,0", "hall,0902,0.1000,0.1000,0.5000,0.9000,17,0",
        "hall,0902,0.6000,0.1000,0.9000,0.9000,11,1", "hall,0903,0.1200,0.1000,0.5200,0.9000,12,0",
        "hall,0904,0.1300,0.1000,0.5300,0.9000,80,0",
        "yard,0902,0.2000,0.2000,0.4000,0.8000,14,5", "yard,0904,0.3000,0.2000,0.5000,0.8000,14,5",
    ],
    "val": ["door,0904,0.2500,0.2500,0.7500,0.9500,12,3", "door,0904,0.2500,0.2500,0.7500,0.9500,59,3"],
}  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home", ontology="ava80")
    yield made
    made.close()


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A dataset of three videos, two of which have pictures."""
    folder = tmp_path / "older"
    (folder / "annotations").mkdir(parents=True)
    for split, rows in ROWS.items():
        (folder / f"annotations/ava_{split}_v2.2.csv").write_text("\n".join(rows) + "\n")
    (folder / "annotations/ava_train_excluded_timestamps_v2.2.csv").write_text("hall,0903\n")
    for shade, video in enumerate(("hall", "door")):
        (folder / "frames" / video).mkdir(parents=True)
        for frame in range(1, FRAMES + 1):
            picture = np.full((HEIGHT, WIDTH, 3), frame // 2 + 120 * shade, np.uint8)
            cv2.imwrite(str(folder / f"frames/{video}/{video}_{frame:06d}.jpg"), picture)
    return folder


def taken_over(home: Home, place: Path, name: str = "older") -> ImportedBatch:
    imported = import_ava(place, load_ontology("ava80"), size=(WIDTH, HEIGHT))
    return import_batch(home.settings, home.store, name, imported, place, "chief", ontology="ava80")


def rows_by_split(folder: Path) -> dict[str, set[tuple]]:
    """Rows without the person's number, which is a release's own."""
    table = read_rows(folder).drop("person_id")
    return {split: set(rows.drop("split").rows()) for (split,), rows in table.group_by("split")}


def test_every_row_is_released_in_its_split_and_says_where_it_is_from(home: Home, older: Path) -> None:
    made = taken_over(home, older)
    assert (made.clips, made.with_pictures) == (3, 2)
    options = ReleaseOptions(name="v1", flavours=[], actor="chief")
    preview = preview_release(options, home.settings, home.storage, home.store)
    assert dict(preview.sources.select("source_id", "split").rows()) == {
        "hall": "train", "yard": "train", "door": "val",
    }  # fmt: skip
    assert set(preview.sources["why"]) == {"imported"}
    folder = home.storage.local(write_release(options, home.settings, home.storage, home.store).folder)
    kept = import_ava(older, load_ontology("ava80"), size=(WIDTH, HEIGHT)).dataset
    wanted = kept.rows.with_columns(
        split=pl.col("video_id").replace_strict(dict(kept.split_of), return_dtype=pl.String)
    )
    assert rows_by_split(folder) == {
        split: set(rows.drop("split", "person_id").rows()) for (split,), rows in wanted.group_by("split")
    }
    assert "hall,0903" in (folder / "annotations/ava_train_excluded_timestamps_v2.2.csv").read_text()
    found = trace(folder, "val:1")
    assert (found["origin"], found["imported_from"]) == ("imported", str(older))
    assert found["original_name"] == "older: door"
    assert [rating["annotator"] for rating in found["ratings"]] == ["imported"]


def test_imports_and_own_batches_make_one_release(tmp_path: Path) -> None:
    world = World(tmp_path / "world", write_seven_seconds(tmp_path / "clip.mp4"))
    world.add_batch("north", ("cam", "gate"))
    csv = tmp_path / "rows.csv"
    csv.write_text("".join(f"hall,090{n},0.1,0.1,0.5,0.9,{action},0\n" for n in (2, 4) for action in (2, 5)))
    imported = import_ava(csv, world.ontology, size=(WIDTH, HEIGHT))
    import_batch(
        world.settings, world.store, "older", imported, csv, "chief", ontology=world.settings.ontology
    )
    released = world.release("v1", flavours=["parquet"])
    folder = world.storage.local(released.folder)
    origins = pl.read_parquet(folder / "lineage.parquet").group_by("batch", "origin").len().sort("batch")
    assert origins.rows() == [("north", "annotated", 20), ("older", "imported", 4)]
    assert world.release("v2").left_out == {
        "hall": "it was imported without pictures: layouts that hold none take it (`--flavour parquet`, or `none`)"
    }
    with pytest.raises(ExportError, match="imported without any"):
        world.release("v3", batches=["older"])
    world.close()


def test_annotators_of_an_import_are_measured_as_people_here_are(home: Home, tmp_path: Path) -> None:
    csv = tmp_path / "AVA_dataset.csv"
    lines = ["video_id,timestamp,x1,y1,x2,y2,action_id,person_id"]
    for name, action in (("maria", 12), ("tomas", 11)):
        lines += [
            f"1_clip_000_{name},{n},0.1,0.1,0.5,0.9,{11 if n < 6 else 12 if n < 10 else action},1"
            for n in range(2, 12)
        ]
    csv.write_text("\n".join(lines) + "\n")
    imported = import_older_csv(csv, home.ontology)
    made = import_batch(home.settings, home.store, "older", imported, csv, "chief")
    overall = made.at.table("agreement", "overall")
    alpha = overall.filter(pl.col("statistic") == "pooled_alpha")["value"][0]
    wanted = imported.agreement["overall"].filter(pl.col("statistic") == "pooled_alpha")["value"][0]
    assert 0 < alpha < 1
    assert alpha == wanted
    assert made.at.table("consensus_labels", "consensus_labels")["voters"].unique().to_list() == [2]


def test_a_clip_of_an_import_is_given_to_an_annotator_with_its_people_drawn_and_nothing_said(
    site: AnnotationSite, older: Path
) -> None:
    ontology = site.ontology
    label_ids = [action.id for action in ontology.actions]
    for csv in older.glob("annotations/ava_*_v2.2.csv"):
        rows = [line.split(",") for line in csv.read_text().split()]
        known = [[*row[:6], str(label_ids[0]), *row[7:]] if len(row) == 8 else row for row in rows]
        csv.write_text("\n".join(",".join(row) for row in known) + "\n")
    imported = import_ava(older, ontology, size=(WIDTH, HEIGHT))
    at = import_batch(site.settings, site.store, "older", imported, older, "chief").at
    assert top_up(at, "hall", "chief", "maria") == "maria"
    (job,) = [job for job in tasks.jobs_of(site.store, "older", "hall") if job.annotator == "maria"]
    with site.gateway() as gateway:
        drawn = gateway.annotations(job.job_id)["tracks"]
        said = {one["value"] for track in drawn for shape in track["shapes"] for one in shape["attributes"]}
        assert (len(drawn), said) == (2, {"unset"})
        gateway.set_job(job.job_id, state="completed")
        look_at_jobs(gateway, site.store)
    raw = read_completed(at, at.table("clips"))
    assert set(raw["completed_jobs"].filter(pl.col("clip_id") == "hall")["annotator"]) == {
        "imported",
        "maria",
    }
    measured = measure_agreement(raw["raw_boxes"], raw["raw_labels"], raw["completed_jobs"], ontology)
    (pair,) = measured["pairs"].to_dicts()
    assert (pair["annotator"], pair["annotator_b"], pair["shared_boxes"]) == ("imported", "maria", 3)


def test_what_cannot_be_a_batch_is_refused_and_leaves_nothing(home: Home, older: Path) -> None:
    sized = import_ava(older, home.ontology, size=(WIDTH, HEIGHT))

    def refused(name: str, imported: Imported, why: str) -> None:
        with pytest.raises(InputError, match=why):
            import_batch(home.settings, home.store, name, imported, older, "chief")

    refused("older", import_ava(older, home.ontology), "--size 1280x720")
    refused("no/name", sized, "no/name")
    assert batches.names(home.store) == []
    assert not home.storage.path("batches").exists()
    import_batch(home.settings, home.store, "older", sized, older, "chief")
    refused("older", sized, "exists already")
    refused("again", sized, "There is a clip door already, of batch older")
    assert batches.names(home.store) == ["older"]


def test_what_was_imported_is_never_made_anew_from_its_place(home: Home, older: Path) -> None:
    at = taken_over(home, older).at
    assert take_in_sources(at, older).equals(at.table("source_videos"))


def test_actions_that_exclude_each_other_are_cut_to_one_and_said(home: Home, older: Path) -> None:
    csv = older / "annotations/ava_train_v2.2.csv"
    csv.write_text(csv.read_text() + "hall,0902,0.1000,0.1000,0.5000,0.9000,11,0\n")
    made = taken_over(home, older)
    assert ("more than 1 action of group 'pose' of one person at one time", 1, "hall at 0902") in [
        (repair.defect, repair.rows, repair.place) for repair in made.repairs
    ]


def test_imported_work_is_not_handed_back(home: Home, older: Path) -> None:
    at = taken_over(home, older).at
    reject(home.store, "older", ["hall"], "chief", "the boxes drift")
    with pytest.raises(InputError, match="`ava assign top-up older hall`"):
        requeue(at, "hall", "chief")
    (job,) = tasks.jobs_of(home.store, "older", "hall")
    with pytest.raises(AssignmentError, match="was imported"):
        hand_back(home.settings, home.store, [job.job_id], "chief")
    assert imported_work.batches_of(home.store) == {"older"}
