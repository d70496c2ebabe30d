"""How much of what annotators drew was answered: by job, by group, without those who have no vote."""

from __future__ import annotations

import polars as pl
import pytest

from ava_core.annotation.answered import by_job, count_answers, shares
from ava_core.base.schemas import ANSWERED, HELD_ANSWERS, RAW_BOXES, RAW_LABELS
from ava_core.ontology import load_ontology

STREET = load_ontology("street")
PHONE, WALK = "phone_usage", "walking_behavior"


@pytest.fixture(scope="module")
def answered() -> pl.DataFrame:
    """Mia answers one group everywhere and another one at half of the seconds, once that she cannot tell; tom draws
    and says nothing."""
    boxes, labels, unclear = [], [], []
    for job, (who, clip) in {1: ("mia", "c"), 2: ("tom", "c")}.items():
        for second in range(4):
            at = {
                "clip_id": clip,
                "annotator": who,
                "job_id": job,
                "version": 1,
                "track_key": "t1",
                "second": second,
            }
            boxes.append(at)
            if who == "mia":
                labels.append(at | {"group": WALK, "action_ids": [1]})
            if who == "mia" and second == 0:
                labels.append(at | {"group": PHONE, "action_ids": []})
            if who == "mia" and second == 1:
                unclear.append(at | {"group": PHONE})
    return count_answers(
        pl.DataFrame(boxes, schema=dict(RAW_BOXES)),
        pl.DataFrame(labels, schema=dict(RAW_LABELS)),
        pl.DataFrame(unclear, schema=dict(HELD_ANSWERS)),
        STREET,
    )


def test_every_job_and_group_is_counted(answered: pl.DataFrame) -> None:
    assert dict(answered.schema) == dict(ANSWERED)
    assert answered.height == 2 * len(STREET.groups)
    mia = answered.filter(pl.col("annotator") == "mia", pl.col("answered") > 0)
    assert mia.select("group", "living", "answered").rows() == [(PHONE, 4, 2), (WALK, 4, 4)]


def test_shares_are_of_the_chosen_clips_and_of_those_who_have_a_vote(answered: pl.DataFrame) -> None:
    def share(group: str, table: pl.DataFrame) -> float:
        return float(table.filter(pl.col("group") == group)["share"].item())

    assert share(WALK, shares(answered)) == 0.5
    assert share(WALK, shares(answered, without=["tom"])) == 1.0
    assert share(PHONE, shares(answered, ["c"], ["tom"])) == 0.5
    assert shares(answered, ["another"]).is_empty()
    assert shares(answered)["share"].is_sorted()


def test_the_share_of_a_job_is_of_all_groups(answered: pl.DataFrame) -> None:
    assert by_job(answered) == {1: 6 / (4 * len(STREET.groups)), 2: 0.0}
