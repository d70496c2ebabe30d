"""Whatever happens in whatever order: no row comes from the excluded, the unapproved, or where nobody is."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st

from ava_core import decisions
from ava_core.base.errors import DecisionError, ExportError
from ava_core.base.schemas import CLIPS, PROPOSALS, SOURCE_VIDEOS
from ava_core.dataset.export.agreeing import agreeing_inputs
from ava_core.dataset.export.options import ReleaseOptions
from ava_core.decisions import on_presence, standing
from ava_core.quality.consensus.batch import consensus_of_batch
from ava_core.store import readings
from tests.support.examples import examples
from tests.support.home import Home
from tests.support.written_work import ONTOLOGY, Track, written

BATCH = "b"
CREW = [(clip, name) for clip in ("c0", "c1") for name in ("anna", "ben")]
SECONDS = range(2, 5)
VERSIONS = 3
"""What a reading says is told by its label: the pose of version n is action n."""


class History:
    """A batch to which things happen one by one."""

    def __init__(self, home: Home) -> None:
        self.home, self.store = home, home.store
        home.register_batch(BATCH)
        jobs = home.add_jobs(BATCH, [{"clip_id": clip, "annotator": name} for clip, name in CREW], 450)
        self.job = {(row["clip_id"], row["annotator"]): row for row in jobs.iter_rows(named=True)}
        for asset, schema in (
            ("source_videos", SOURCE_VIDEOS),
            ("clips", CLIPS),
            ("dense_proposals", PROPOSALS),
        ):
            home.write_rows(BATCH, asset, schema, [])
        home.write_tables(BATCH, {("ava_csv", ""): pl.DataFrame({"video_id": []})})
        self.version = dict.fromkeys(CREW, 0)
        for who in CREW:
            self.read(who)
        self.retrieve()
        decisions.approve(self.store, BATCH, ["c0", "c1"], "lead")
        self.form()

    def read(self, who: tuple[str, str]) -> None:
        if self.version[who] < VERSIONS:
            self.version[who] += 1
            job, content = self.job[who], str(self.version[who])
            readings.append(
                self.store, job_id=job["job_id"], task_id=job["task_id"], annotator=who[1],
                server_updated_at=content, content_hash=content, shapes=[],
            )  # fmt: skip

    def retrieve(self, later: str = "reopen") -> None:
        """What the asset `raw_annotations` does."""
        said = {
            who: [Track(seconds=SECONDS, labels={"pose": [v], "object": []})]
            for who, v in self.version.items()
        }
        rows = [(*who, self.job[who]["job_id"], v) for who, v in self.version.items()]
        known = pl.DataFrame(rows, ["clip_id", "annotator", "job_id", "version"], orient="row")
        known = known.with_columns(pl.col("job_id").cast(pl.Int64), pl.col("version").cast(pl.Int32))
        work = written(said)
        tables = {
            "raw_boxes": work.raw_boxes,
            "raw_labels": work.raw_labels,
            "completed_jobs": work.completed,
        }
        for name, table in tables.items():
            own = table.drop("job_id", "version").join(
                known, on=["clip_id", "annotator"], maintain_order="left"
            )
            tables[name] = own.select(pl.col(c).cast(t) for c, t in table.schema.items())
        self.home.write_tables(BATCH, {("raw_annotations", name): table for name, table in tables.items()})
        if later != "cut short":
            decisions.review_reread(self.store, BATCH, later)  # type: ignore[arg-type]

    def form(self) -> None:
        """What the asset `consensus_labels` does."""
        at = self.home.at(BATCH)
        raw = {
            name: at.table("raw_annotations", name) for name in ("raw_boxes", "raw_labels", "completed_jobs")
        }
        tables = consensus_of_batch(raw, ONTOLOGY, standing(self.store, BATCH).state)
        self.home.write_tables(BATCH, {("consensus_labels", name): table for name, table in tables.items()})

    def release(self) -> None:
        """A release that is refused says nothing; of one that is made every row must stand on what holds."""
        with suppress(ExportError):
            found = agreeing_inputs(ReleaseOptions(), self.home.settings, self.home.storage, self.store)
            self.check(found.inputs[0][0])

    def check(self, tables: Any) -> None:
        now = standing(self.store, BATCH).state
        labels = tables.consensus_labels
        assert set(labels["clip_id"]) <= now.approved
        seen = {clip: {tuple(name.rsplit(":", 2)) for name in names} for clip, names in now.seen.items()}
        for clip, action in (
            labels.filter(pl.col("group") == "pose").select("clip_id", "action_id").iter_rows()
        ):
            allowed = {int(version) for who, _, version in seen[clip] if who not in now.excluded}
            settled = now.adjudications.filter(pl.col("clip_id") == clip)["action_ids"].explode().to_list()
            assert action in allowed or action in settled, (clip, action, allowed)
        formed = self.home.at(BATCH).table("consensus_labels", "provenance")
        for clip, names in (
            formed.filter(pl.col("clip_id").is_in(labels["clip_id"])).select("clip_id", "readings").rows()
        ):
            assert now.seen[clip].issuperset(names)
            assert now.excluded.isdisjoint(name.rsplit(":", 2)[0] for name in names)
        nobody = on_presence(now.adjudications).filter(~pl.col("present"))
        places = ["clip_id", "second", "person_id"]
        assert tables.consensus_boxes.join(nobody, on=places, how="semi").is_empty()
        assert labels.join(nobody, on=places, how="semi").is_empty()


WHO = st.sampled_from(CREW)
CLIP = st.sampled_from(["c0", "c1"])
STEPS = st.one_of(
    st.tuples(st.just("read"), WHO),
    st.tuples(st.just("retrieve"), st.sampled_from(["reopen", "list", "cut short"])),
    st.tuples(st.just("form")),
    st.tuples(st.sampled_from(["approve", "approve", "reject", "reopen"]), CLIP),
    st.tuples(st.sampled_from(["exclude", "include"]), st.sampled_from(["anna", "ben"])),
    st.tuples(st.just("presence"), CLIP, st.sampled_from(SECONDS), st.booleans()),
)


def happen(history: History, step: tuple[Any, ...]) -> None:
    store, (kind, *about) = history.store, step
    if kind in ("read", "retrieve", "form"):
        getattr(history, kind)(*about)
    elif kind in ("approve", "reject", "reopen"):
        getattr(decisions, kind)(store, BATCH, about, "lead", "so it is")
    elif kind in ("exclude", "include"):
        getattr(decisions, f"{kind}_annotator")(store, BATCH, about[0], "lead", "so it is")
    else:
        clip, second, present = about
        decisions.settle_presence(
            store, BATCH, clip_id=clip, second=second, person_id=1, present=present, actor="lead"
        )


@contextmanager
def histories() -> Iterator[History]:
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder), ontology="street")
        yield History(home)
        home.close()


READ_ANEW = ("read", CREW[0])


@example(steps=[READ_ANEW, ("retrieve", "cut short"), ("form",)])
@example(steps=[READ_ANEW, ("retrieve", "list"), READ_ANEW, ("retrieve", "cut short")])
@example(steps=[("exclude", "anna")])
@example(steps=[("presence", "c1", 3, False)])
@examples(30)
@given(steps=st.lists(STEPS, min_size=1, max_size=8))
def test_no_row_comes_from_what_does_not_hold(steps: list[tuple[Any, ...]]) -> None:
    with histories() as history:
        for step in steps:
            with suppress(DecisionError):
                happen(history, step)
            history.release()


def test_what_holds_is_released() -> None:
    """The property is no empty one: a history that ends in order gives rows of the newest version."""
    with histories() as history:
        for step in (("approve", "c0"), ("read", CREW[0]), ("read", CREW[1]), ("retrieve", "reopen")):
            happen(history, step)
        for step in (("approve", "c0"), ("presence", "c0", 2, False), ("form",)):
            happen(history, step)
        found = agreeing_inputs(ReleaseOptions(), history.home.settings, history.home.storage, history.store)
        history.check(found.inputs[0][0])
        labels = found.inputs[0][0].consensus_labels.filter(pl.col("clip_id") == "c0")
        assert labels.select("clip_id", "second", "action_id").rows() == [("c0", 3, 2), ("c0", 4, 2)]
