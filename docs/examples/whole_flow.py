"""From a zip of videos to a release by Python alone: no server, no console, no Dagster.

python docs/examples/whole_flow.py ZIP [--home FOLDER]

It shows where each step's tables lie, and where to put your own tool for labels: the platform asks for two tables.
"""

# %% A platform in a folder, and a batch in it
import argparse
from pathlib import Path

import polars as pl

from ava_core import decisions
from ava_core.base.schemas import COMPLETED_JOBS, CVAT_JOBS, RAW_BOXES, RAW_LABELS, conform
from ava_core.base.settings import load_settings
from ava_core.batch import BatchContext, open_batch
from ava_core.dataset import validate_dataset, write_release
from ava_core.dataset.export.batch import write_batch
from ava_core.dataset.export.inputs import load_batch
from ava_core.dataset.export.options import ReleaseOptions
from ava_core.quality import measure_agreement
from ava_core.quality.consensus.batch import consensus_of_batch
from ava_core.store import open_store, tasks
from ava_core.store.tables import Job, Task
from ava_core.video import cut_clips, make_proposals, take_in_sources, track_clips
from ava_core.video.intake.inbox import add_to_inbox

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PEOPLE = ("anna", "ben", "cleo")
WALK, STAND, RUN = 1, 2, 3
"""Ids of the group `moving` in examples/actions.yaml."""


def keep(at: BatchContext, asset: str, tables: dict[str, pl.DataFrame]) -> None:
    """Put tables where everything that follows looks for them."""
    for name, table in tables.items():
        at.storage.write_table(at.storage.table_path(at.batch, asset, name), table)


# %% Video: sources, clips, tracks, boxes at keyframes
def video(at: BatchContext, zipped: Path) -> None:
    sources = take_in_sources(at, zipped)
    clips = cut_clips(at, sources)
    tracks = track_clips(at, clips)
    proposals = make_proposals(at, clips, tracks)
    for name, table in [("source_videos", sources), ("clips", clips), ("tracks", tracks)]:
        keep(at, name, {"": table})
    keep(at, "dense_proposals", {"": proposals})
    print(
        f"{clips.height} clips, {proposals['track_id'].n_unique()} tracks, {proposals.height} boxes to label"
    )


# %% Labels: here three rules of thumb instead of people; yours come from a tool
def label(at: BatchContext) -> dict[str, pl.DataFrame]:
    """`RAW_BOXES`, `RAW_LABELS` and `COMPLETED_JOBS`, as reading back from the annotation server gives them."""
    proposals = at.table("dense_proposals").sort("clip_id", "track_id", "second")
    moved = (pl.col("x1") - pl.col("x1").shift(1)).abs().over("clip_id", "track_id").fill_null(0.0)
    pace = proposals.with_columns(pace=moved / (pl.col("y2") - pl.col("y1")))
    said = []
    for number, person in enumerate(PEOPLE):
        # Each has a limit of their own between standing and walking, so they disagree on slow people.
        still = pl.when(pl.col("pace") < 0.05 + 0.01 * number).then(STAND)
        moving = still.when(pl.col("pace") < 1.0).then(WALK).otherwise(RUN)
        said.append(pace.with_columns(annotator=pl.lit(person), moving=moving))
    work = pl.concat(said).with_columns(
        job_id=pl.struct("clip_id", "annotator").rank("dense").cast(pl.Int64),
        version=1,
        track_key=pl.format("t{}", "track_id"),
        seed_track_id="track_id",
        edited=pl.lit(value=False),
        flags=pl.lit([], dtype=pl.List(pl.String)),
    )
    answers = [
        work.with_columns(group=pl.lit("moving"), action_ids=pl.concat_list("moving")),
        work.with_columns(group=pl.lit("handling"), action_ids=pl.lit([], dtype=pl.List(pl.Int32))),
    ]
    return {
        "raw_boxes": conform(work, RAW_BOXES, "boxes"),
        "raw_labels": conform(pl.concat(answers, how="diagonal_relaxed"), RAW_LABELS, "labels"),
        "completed_jobs": conform(work.unique("job_id"), COMPLETED_JOBS, "jobs"),
    }


def hand_in(at: BatchContext, completed: pl.DataFrame) -> None:
    """Say whose work there is, as a task a clip and a job an annotator: decisions and releases are held against it."""
    frames = dict(at.table("clips").select("clip_id", "frames").rows())
    jobs = completed.select(
        "clip_id", "annotator", "job_id",
        batch=pl.lit(at.batch), project_id=1, task_id=pl.col("clip_id").rank("dense").cast(pl.Int64),
        job_type=pl.lit("consensus_replica"), frames=pl.col("clip_id").replace_strict(frames),
    )  # fmt: skip
    keep(at, "cvat_tasks", {"": conform(jobs, CVAT_JOBS, "jobs")})
    tasks.put_project(at.store, 1, "by Python")
    for (number, clip), own in jobs.group_by("task_id", "clip_id"):
        done = [Job(**job, state="completed") for job in own.drop("project_id").to_dicts()]
        task = Task(task_id=number, project_id=1, name=clip, batch=at.batch, clip_id=clip)
        tasks.put_task(at.store, task, done)


# %% Agreement, decisions, consensus
def judge(at: BatchContext, work: dict[str, pl.DataFrame]) -> None:
    agreement = measure_agreement(*work.values(), at.ontology)
    keep(at, "agreement", agreement)
    print(agreement["overall"].select("statistic", "value", "n"))
    clips = sorted(work["completed_jobs"]["clip_id"].unique())
    decisions.approve(at.store, at.batch, clips, "you", "looked at all of them")
    decided = decisions.decision_state(at.store, at.batch)
    keep(at, "consensus_labels", consensus_of_batch(work, at.ontology, decided))


# %% The batch's dataset, and a release of all batches
def release(at: BatchContext, name: str) -> Path:
    keep(at, "ava_csv", {"": write_batch(at, load_batch(at)).rows})
    options = ReleaseOptions(name=name, note="made by Python alone")
    return Path(write_release(options, at.settings, at.storage, at.store).folder.path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("zip", type=Path)
    parser.add_argument("--home", type=Path, default=Path("ava_by_python"))
    arguments = parser.parse_args()
    settings = load_settings(home=arguments.home, ontology=str(EXAMPLES / "actions.yaml"))
    batch = add_to_inbox(settings, open_store(settings), arguments.zip)
    at = open_batch(settings, batch)
    video(at, arguments.zip)
    work = label(at)
    keep(at, "raw_annotations", work)
    hand_in(at, work["completed_jobs"])
    judge(at, work)
    folder = release(at, "first")
    print(f"{folder}: {len(validate_dataset(folder))} findings")


if __name__ == "__main__":
    main()
