"""What became of a backfill is said in words, also where its own state says less than its runs do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ava_ui.dagster.client import Backfill, Run
from ava_ui.dagster.outcomes import outcome

MOMENT = datetime(2026, 1, 5, tzinfo=UTC)


def backfill(status: str, *, done: int = 0, failed: int = 0, problem: str = "") -> Backfill:
    return Backfill("abc", status, ("clips",), 2, done, failed, MOMENT, problem)


def run(batch: str, status: str) -> Run:
    return Run(f"{batch}-{status}", status, batch, ("clips",), MOMENT, MOMENT, None, "abc")


@pytest.mark.parametrize(
    ("found", "said", "is_bad"),
    [
        (backfill("REQUESTED", done=1), "1 of 2 batches done · under way", False),
        (backfill("REQUESTED", done=1, failed=1), "1 of 2 batches done, 1 failed · under way", True),
        (backfill("COMPLETED_SUCCESS", done=2), "2 of 2 batches done · over", False),
        (
            backfill("COMPLETED_FAILED", done=1, failed=1),
            "1 of 2 batches done, 1 failed · open the failed runs",
            True,
        ),
        (backfill("CANCELED", done=1), "1 of 2 batches done · stopped by a user", False),
    ],
)
def test_each_state_has_its_words(found: Backfill, said: str, is_bad: bool) -> None:
    words, bad = outcome(found)
    assert words.startswith(said)
    assert bad is is_bad


def test_a_backfill_that_failed_with_all_its_runs_successful_needs_nothing() -> None:
    found = backfill("FAILED", problem="DagsterError: a code location was away\nand more")
    words, is_bad = outcome(found, [run("b", "SUCCESS"), run("b", "FAILURE"), run("a", "SUCCESS")])
    assert words == (
        "every batch was processed; you need not do anything. "
        "Dagster stopped it: DagsterError: a code location was away"
    )
    assert not is_bad


def test_a_backfill_that_failed_in_between_says_how_far_it_came() -> None:
    words, is_bad = outcome(backfill("FAILED"), [run("a", "SUCCESS"), run("b", "STARTED")])
    assert words.startswith("stopped early: 1 of 2 runs succeeded, 1 still under way.")
    assert is_bad
    one_asset_more = replace(backfill("FAILED"), assets=("clips", "tracks"))
    assert outcome(one_asset_more, [run("a", "SUCCESS"), run("b", "SUCCESS")])[1]
    assert outcome(backfill("FAILED"), [run("b", "FAILURE"), run("b", "SUCCESS"), run("a", "SUCCESS")])[1]
    assert outcome(backfill("FAILED"))[0].startswith("stopped early: it started no run.")
