"""Examples of actions: a loop and a still picture of a person, for everybody whom they tell no answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from ava_core.annotation.guidance import example_picture, examples_table, mark_example
from ava_core.base.errors import InputError
from ava_core.store import examples, tasks
from tests.support.home import Home
from tests.support.street import BATCH, copy_street

CLIP, WALKS = "clip_0001", 1
BOX = (40.0, 10.0, 60.0, 70.0)


@pytest.fixture
def home(street: Path, tmp_path: Path) -> Iterator[Home]:
    made = Home(copy_street(street, tmp_path / "home").home_dir, ontology="street")
    yield made
    made.close()


def test_an_example_is_a_loop_of_three_seconds_and_a_still_picture(home: Home) -> None:
    number = mark_example(home.at(BATCH), CLIP, 2, BOX, WALKS, "adam")
    [one] = examples.of_ontology(home.store, "street")
    assert (one.action_id, one.clip_id, one.second) == (WALKS, CLIP, 2)
    loop = np.frombuffer(example_picture(home.storage, number).read_bytes(), np.uint8)
    read, animation = cv2.imdecodeanimation(loop[None])
    assert read
    assert (sum(animation.durations), animation.frames[0].shape[:2]) == (3000, (160, 160))
    still = np.frombuffer(example_picture(home.storage, number, still=True).read_bytes(), np.uint8)
    assert cv2.imdecode(still, cv2.IMREAD_COLOR).shape == (160, 160, 3)
    [row] = examples_table(home.store, home.at(BATCH).ontology).rows(named=True)
    assert (row["group"], row["clip"], row["second"], row["by"]) == ("walking_behavior", CLIP, 2, "adam")
    assert example_picture(home.storage, number) == home.storage.path(row["loop"])
    examples.remove(home.store, number, "adam")
    assert examples.of_ontology(home.store, "street") == []


def test_what_cannot_be_an_example_is_refused(home: Home) -> None:
    at = home.at(BATCH)
    with pytest.raises(InputError, match="no action 999"):
        mark_example(at, CLIP, 2, BOX, 999, "adam")
    for clip, second in (("nowhere", 0), (CLIP, 60), (CLIP, -1)):
        with pytest.raises(InputError, match="no clip"):
            mark_example(at, clip, second, BOX, WALKS, "adam")


def test_who_has_a_job_of_the_clip_is_not_shown_it(home: Home) -> None:
    mark_example(home.at(BATCH), CLIP, 2, BOX, WALKS, "adam")
    worker = tasks.jobs_of(home.store, BATCH, CLIP)[0].annotator
    assert examples.of_ontology(home.store, "street", worker) == []
    assert len(examples.of_ontology(home.store, "street", "novice")) == 1
