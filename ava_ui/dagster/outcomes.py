"""What became of a backfill, in words."""

from __future__ import annotations

from collections.abc import Sequence

from ava_core.base.text import plural
from ava_ui.dagster.client import Backfill, Run


def outcome(backfill: Backfill, runs: Sequence[Run] = ()) -> tuple[str, bool]:
    """A sentence, and whether somebody has to do something about it.

    `runs`: the backfill's runs, the newest first, which count where the backfill itself failed: it may have done so
    while they went on.
    """
    done = f"{backfill.done} of {plural(backfill.batches, 'batch')} done"
    if backfill.status in ("REQUESTED", "CANCELING", "FAILING"):
        failed = f", {backfill.failed} failed" if backfill.failed else ""
        state = {"REQUESTED": "under way", "CANCELING": "stopping", "FAILING": "failing"}
        return f"{done}{failed} · {state[backfill.status]}", bool(backfill.failed)
    if backfill.status == "CANCELED":
        return f"{done} · stopped by a user; the rest were not made", False
    if backfill.status == "FAILED":
        return _broken(backfill, runs), not _all_went_well(backfill, runs)
    if backfill.failed:
        return f"{done}, {backfill.failed} failed · open the failed runs to see why, then retry them", True
    return f"{done} · over", False


def _all_went_well(backfill: Backfill, runs: Sequence[Run]) -> bool:
    """Whether every batch has come through all assets, in however many runs; `runs` begin with the newest."""
    newest: dict[tuple[str, tuple[str, ...]], Run] = {}
    for run in runs:
        newest.setdefault((run.batch, run.assets), run)
    made: dict[str, set[str]] = {}
    for run in newest.values():
        if run.status != "SUCCESS":
            return False
        made.setdefault(run.batch, set()).update(run.assets)
    wanted = set(backfill.assets)
    return sum(wanted <= assets for assets in made.values()) >= max(1, backfill.batches)


def _broken(backfill: Backfill, runs: Sequence[Run]) -> str:
    """The backfill itself stopped, for a reason of Dagster's, whatever its runs did."""
    why = f" Dagster stopped it: {_first_line(backfill.problem)}" if backfill.problem else ""
    if _all_went_well(backfill, runs):
        return f"every batch was processed; you need not do anything.{why}"
    ended = sum(run.is_over for run in runs)
    good = sum(run.status == "SUCCESS" for run in runs)
    went = f"{good} of {plural(len(runs), 'run')} succeeded" if runs else "it started no run"
    going = f", {len(runs) - ended} still under way" if ended < len(runs) else ""
    return f"stopped early: {went}{going}. Process the remaining batches again.{why}"


def _first_line(problem: str) -> str:
    return problem.splitlines()[0][:300]
