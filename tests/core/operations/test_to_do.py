"""The to-do list: what waits for somebody, in a sentence, with its count and where it is done."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from ava_core import decisions
from ava_core.operations.overview import Overview
from ava_core.operations.to_do import ToDo, first_steps, to_do
from ava_core.store import annotators, tasks
from tests.support.home import Home


def waiting(home: Home, failed_runs: tuple[str, ...] = ()) -> list[ToDo]:
    counts = Overview(home.storage, home.store).counts()
    return to_do(home.store, home.settings, counts, failed_runs)


def complete(home: Home, batch: str, clips: list[str]) -> None:
    """Two people have completed each of a batch's clips."""
    home.register_batch(batch)
    home.add_annotators(["mia", "tom"])
    home.add_jobs(batch, [{"clip_id": clip, "annotator": a} for clip in clips for a in ("mia", "tom")], 30)


def test_an_empty_platform_wants_a_batch_and_annotators(tmp_path: Path) -> None:
    found = waiting(Home(tmp_path))
    assert [(item.place, item.count) for item in found] == [("batches", 0), ("tasks", 0)]
    assert "No annotators yet" in found[1].sentence


def test_a_failed_run_comes_first_and_names_itself(tmp_path: Path) -> None:
    first = waiting(Home(tmp_path), ("r1", "r2"))[0]
    assert first == ToDo("2 runs failed", 2, "run", "r1")


def test_annotators_who_all_are_paused_are_no_annotators(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.add_annotators(["mia", "tom"])
    assert "tasks" not in {item.place for item in waiting(home)}
    for name in ("mia", "tom"):
        annotators.set_state(home.store, name, paused=True)
    (item,) = [item for item in waiting(home) if item.place == "tasks"]
    assert item == ToDo(
        "No active annotators: 2 annotators paused, inactive or still at practice", 2, "tasks"
    )


def test_completed_clips_wait_for_review_until_they_are_decided_on(tmp_path: Path) -> None:
    home = Home(tmp_path)
    complete(home, "north", ["c1", "c2", "c3"])
    assert waiting(home) == [ToDo("3 clips to review", 3, "quality", "north")]
    decisions.approve(home.store, "north", ["c1"], "rita")
    assert waiting(home) == [
        ToDo("2 clips to review", 2, "quality", "north"),
        ToDo("1 approved clip in no release", 1, "dataset", "north"),
    ]


def test_a_clip_that_somebody_still_works_on_does_not_wait(tmp_path: Path) -> None:
    home = Home(tmp_path)
    complete(home, "north", ["c1", "c2"])
    tasks.update_jobs(home.store, [{"job_id": 10, "state": "in progress"}])
    assert waiting(home) == [ToDo("1 clip to review", 1, "quality", "north")]


def test_clips_of_several_batches_lead_to_all_of_them(tmp_path: Path) -> None:
    home = Home(tmp_path)
    complete(home, "north", ["c1"])
    complete(home, "south", ["c2"])
    assert waiting(home) == [ToDo("2 clips to review", 2, "quality", "")]


def test_a_batch_waits_to_be_dealt_out_only_where_somebody_wants_to_see_the_plan(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.add_annotators(["mia"])
    for name, options in {"north": {"deal_out": "on request"}, "south": {"deal_out": "at once"}}.items():
        home.register_batch(name, options)
        tracks = pl.DataFrame({"clip_id": ["c1"], "track_id": [1]})
        home.write_tables(name, {("tracks", ""): tracks})
    assert waiting(home) == [ToDo("1 batch to assign", 1, "tasks", "north")]


def test_the_first_steps_are_ticked_as_they_are_done(tmp_path: Path) -> None:
    home = Home(tmp_path)

    def done() -> list[str]:
        steps = first_steps(home.store, Overview(home.storage, home.store).counts())
        return [step.place for step in steps if step.done]

    assert done() == []
    home.add_annotators(["mia"])
    home.register_batch("south")
    assert done() == ["tasks", "batches"]
    complete(home, "north", ["c1"])
    assert done() == ["tasks", "batches", "progress"]
    decisions.approve(home.store, "north", ["c1"], "rita")
    assert done() == ["tasks", "batches", "progress", "quality"]
