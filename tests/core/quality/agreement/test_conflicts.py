"""Conflicts name whom they concern, and those between two people are found by exact names."""

from __future__ import annotations

import polars as pl
import pytest

from ava_core.quality.agreement.conflicts import alike_against, between
from ava_core.quality.agreement.measure import measure_agreement
from tests.support.written_work import LEFT, RIGHT, Track, written

ODD = "a.b+c (x)|[d]"
"""A name full of characters that mean something in patterns."""

NEAR = (150.0, 100.0, 230.0, 300.0)  # IoU .23 with LEFT


def posing(pose: int | None, objects: list[int] | None = None) -> Track:
    labels = {} if pose is None else {"pose": [pose]}
    return Track(seconds=[0], labels=labels | ({} if objects is None else {"object": objects}))


def conflicts(jobs: dict[str, list[Track]]) -> pl.DataFrame:
    return measure_agreement(*written({("c", n): t for n, t in jobs.items()}).tables)["conflicts"]


FOUR = {"tom": [posing(1)], "tommy": [posing(1)], ODD: [posing(2)], "zoe": [posing(None, [4])]}


def test_a_conflict_of_labels_concerns_who_rated_the_group() -> None:
    [row] = conflicts(FOUR).to_dicts()
    assert row["kind"] == "label:pose"
    assert row["annotators"] == [ODD, "tom", "tommy"]


def test_other_conflicts_concern_the_one_whose_work_it_is() -> None:
    table = conflicts({"mia": [Track(LEFT, seconds=[0])], "tom": [Track(NEAR, seconds=[0])], "zoe": []})
    found = table.filter(pl.col("kind") != "label:pose").select("kind", "detail", "annotators").rows()
    assert all(who == [detail.split(":")[0].split(" ")[0]] for _, detail, who in found)
    assert ("missed", "zoe has no box", ["zoe"]) in found


@pytest.fixture(params=["with the column", "of an older version"])
def table(request: pytest.FixtureRequest) -> pl.DataFrame:
    swapped = dict.fromkeys(range(5, 10), RIGHT)
    back = dict.fromkeys(range(5, 10), LEFT)
    jobs = {
        "tom": [Track(LEFT), Track(RIGHT, seed=2)],
        "tommy": [Track(LEFT, boxes=swapped), Track(RIGHT, seed=2, boxes=back)],
        ODD: [Track(LEFT, labels={"pose": [1], "object": [4, 5]})],
        "zoe": [Track(LEFT, boxes={3: NEAR}, labels={"pose": [1], "object": [4]}), Track(RIGHT, seed=2)],
    }  # fmt: skip
    found = conflicts(jobs)
    assert {"identity", "missed", "box", "label:pose", "label:object"} <= set(found["kind"])
    return found if request.param == "with the column" else found.drop("annotators")


def kinds(table: pl.DataFrame) -> set[str]:
    return set(table["kind"])


def test_between_two_who_gave_the_same_labels_there_is_no_conflict_of_labels(table: pl.DataFrame) -> None:
    assert kinds(between(table, "tom", "tommy")) == {"identity"}


def test_names_match_exactly(table: pl.DataFrame) -> None:
    assert between(table, "tom", "to").is_empty()
    assert "identity" not in kinds(between(table, "tom", "zoe"))
    assert between(table, "x", "y").is_empty()


def test_who_said_different_things_is_found_whichever_is_named_first(table: pl.DataFrame) -> None:
    one, other = between(table, ODD, "zoe"), between(table, "zoe", ODD)
    assert one.equals(other)
    assert kinds(one) == {"label:object", "missed", "box"}
    assert one.filter(pl.col("kind") == "missed")["detail"].unique().to_list() == [f"{ODD} has no box"]


def test_who_did_not_rate_does_not_differ() -> None:
    table = conflicts(FOUR)
    assert between(table, "zoe", "tom").is_empty()
    assert between(table, ODD, "tom").height == 1


def test_what_two_say_and_others_do_not() -> None:
    table = conflicts(FOUR)
    assert alike_against(table, "tom", "tommy")["kind"].to_list() == ["label:pose"]
    assert alike_against(table, "tom", ODD).is_empty()
    assert alike_against(table, "tom", "zoe").is_empty(), "zoe said nothing of it"
