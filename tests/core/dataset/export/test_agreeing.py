"""A release says what the log says: it waits for batches that are behind, refuses them, or leaves them out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from ava_core import decisions
from ava_core.base.errors import ExportError
from ava_core.dataset.export.agreeing import agreeing_inputs
from ava_core.dataset.export.options import ReleaseOptions
from ava_core.dataset.formats.ava.reader import read_rows
from ava_core.store import readings
from ava_core.store.tables import Job

PLACE = {"second": 3, "person_id": 2}


def read_anew(world, clip: str, version: str = "second") -> None:
    """Another content of the first job of a clip is read."""
    with world.store.session() as session:
        job = session.query(Job).filter(Job.clip_id == clip).order_by(Job.job_id).first()
    readings.append(
        world.store, job_id=job.job_id, task_id=job.task_id, annotator=job.annotator,
        server_updated_at=version, content_hash=version, shapes=[],
    )  # fmt: skip


def exclude(world, clip: str) -> None:
    decisions.exclude_annotator(world.store, "north", "ben", "chief", "random answers")


def nobody_there(world, clip: str) -> None:
    decisions.settle_presence(world.store, "north", clip_id=clip, **PLACE, present=False, actor="chief")


def settle(world, clip: str) -> None:
    decisions.adjudicate(
        world.store, "north", clip_id=clip, **PLACE, group="pose", action_ids=[1], actor="chief"
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (exclude, "ben was excluded after it"),
        (nobody_there, "an answer of north_gate_000 was settled after it"),
        (settle, "an answer of north_gate_000 was settled after it"),
        (read_anew, r"north_gate_000 was read again after it \(ann:10:1\)"),
    ],
)
def test_a_batch_whose_consensus_is_behind_is_refused_and_named(world, change: Callable, said: str) -> None:
    (clip,) = world.add_batch("north", ["gate"])
    world.form("north")
    if change is read_anew:
        # Planted work was never read: what is read now is the first version that the log knows.
        table = world.storage.table_path("north", "consensus_labels", "provenance")
        world.storage.write_table(table, world.storage.read_table(table).with_columns(readings=[]))
    change(world, clip)
    with pytest.raises(ExportError, match=f"The consensus of batch north is out of date: {said}"):
        world.release()
    assert world.left_behind() == []


def test_a_clip_that_was_approved_after_the_consensus_is_named(world) -> None:
    first, second = world.add_batch("north", ["gate", "yard"], approve=False)
    decisions.approve(world.store, "north", [first], "chief")
    world.form("north")
    world.write_batch("north")
    assert read_rows(world.release().folder)["video_id"].unique().to_list() == [first]
    read_anew(world, second)
    decisions.approve(world.store, "north", [second], "chief")
    with pytest.raises(ExportError, match=f"out of date: {second} was approved after it"):
        world.release()


def test_a_consensus_that_does_not_say_what_it_was_formed_from_is_behind(world) -> None:
    world.add_batch("north")
    world.storage.table_path("north", "consensus_labels", "basis").unlink()
    with pytest.raises(ExportError, match="it is being formed, or was formed before this version"):
        world.release()


def test_batches_that_are_behind_can_be_left_out_and_are_named(world) -> None:
    (kept,) = world.add_batch("north")
    world.add_batch("south", ["lane"])
    decisions.exclude_annotator(world.store, "south", "ben", "chief", "random answers")
    folder = world.release("v1", leave_behind=True).folder
    assert read_rows(folder)["video_id"].unique().to_list() == [kept]
    said = "ben was excluded after it"
    assert json.loads((folder / "release.json").read_text())["behind"] == {"south": said}
    assert (
        f"Excluded: batch south, whose consensus was out of date: {said}."
        in (folder / "dataset_card.md").read_text()
    )


def test_a_release_waits_until_the_consensus_has_caught_up(world) -> None:
    world.add_batch("north")
    exclude(world, "")
    waited: list[float] = []

    def pause(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            world.form("north")

    def look(wait: float):
        return agreeing_inputs(
            replace(ReleaseOptions(), wait=wait), world.settings, world.storage, world.store,
            pause=pause, clock=lambda: sum(waited),
        )  # fmt: skip

    with pytest.raises(ExportError, match="behind"):
        look(1.0)
    [(tables, work)] = look(60.0).inputs
    assert (tables.batch, work.excluded) == ("north", {"ben"})
    assert len(waited) == 3


def test_what_changes_nothing_in_approved_clips_is_not_waited_for(world) -> None:
    first, second = world.add_batch("north", ["gate", "yard"])
    decisions.reopen(world.store, "north", [second], "chief")
    settle(world, second)
    decisions.mark_gold(world.store, "north", first, "ann", "chief")
    assert read_rows(world.release().folder)["video_id"].unique().to_list() == [first]
