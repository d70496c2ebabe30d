"""Marking examples of actions, which annotators see beside an action's description."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl
from upath import UPath

from ava_core.base.errors import InputError
from ava_core.base.schemas import CLIP_FPS, Schema
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext
from ava_core.ontology import Ontology
from ava_core.store import Store, examples
from ava_core.store.tables import ActionExample
from ava_core.video.person_loop import person_loop

EXAMPLES: Final[Schema] = {
    "example": pl.Int64, "action": pl.String, "group": pl.String, "batch": pl.String, "clip": pl.String,
    "second": pl.Int64, "loop": pl.String, "by": pl.String, "when": pl.Datetime("us"),
}  # fmt: skip


def mark_example(
    at: BatchContext, clip_id: str, second: int, box: Sequence[float], action_id: int, actor: str
) -> int:
    """Make the person in a box, at a second of a clip, an example of an action; returns the example's id.

    `box`: x1, y1, x2, y2 in pixels of the clip. Its loop and its still picture are made now, so that they outlive the
    batch. Raises `InputError` for an action, a clip or a second that there is not.
    """
    if action_id not in {action.id for action in at.ontology.actions}:
        raise InputError(
            f"Ontology {at.ontology.name} has no action {action_id}.",
            "See the Ontology page for its actions.",
        )
    clips = at.table("clips")
    rows = clips.filter(clips["clip_id"] == clip_id).to_dicts()
    if not rows or not 0 <= second * CLIP_FPS < rows[0]["frames"]:
        raise InputError(f"Batch {at.batch} has no clip {clip_id} with a second {second}.", "Choose another.")
    with at.storage.fetched(at.storage.path(rows[0]["path"])) as clip:
        loop, still = person_loop(clip, box, second)
    x1, y1, x2, y2 = map(float, box)
    number = examples.put(
        at.store,
        ActionExample(
            ontology=at.ontology.name, action_id=action_id, batch=at.batch, clip_id=clip_id, second=second,
            x1=x1, y1=y1, x2=x2, y2=y2, marked_by=actor,
        ),
    )  # fmt: skip
    at.storage.write_bytes(example_picture(at.storage, number), loop)
    at.storage.write_bytes(example_picture(at.storage, number, still=True), still)
    return number


def examples_table(store: Store, ontology: Ontology) -> pl.DataFrame:
    """A row an example, by group and action: `EXAMPLES`; `loop` is its file below the storage's root."""
    groups = {action.id: (action.name, group.name) for group in ontology.groups for action in group.actions}
    rows = [
        (one.example_id, *groups.get(one.action_id, (str(one.action_id), "")), one.batch, one.clip_id, one.second,
         _file(one.example_id), one.marked_by, one.marked_at)
        for one in examples.of_ontology(store, ontology.name)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=EXAMPLES, orient="row").sort("group", "action", "example")


def example_picture(storage: Storage, example_id: int, *, still: bool = False) -> UPath:
    """Where an example's loop lies, a WebP, or its `still` picture, a JPEG."""
    return storage.path(*_file(example_id, still=still).split("/"))


def _file(example_id: int, *, still: bool = False) -> str:
    return f"examples/{example_id}.{'jpg' if still else 'webp'}"
