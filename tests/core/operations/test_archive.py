"""The archive: lists, the to-do list and new tasks leave a batch out, all of it stays, and it comes back."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from ava_core import decisions
from ava_core.base.errors import InputError
from ava_core.dataset.export.inputs import ready_batches
from ava_core.operations.archive import archive, take_back, what_stays
from ava_core.operations.overview import Overview
from ava_core.operations.to_do import to_do
from ava_core.store import audit_log, batches, discrepancies, tasks
from ava_core.store.tables import Discrepancy
from tests.support.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Batch `north` with three clips: one approved, one to review, one that nobody has completed; and `south`."""
    home = Home(tmp_path)
    home.register_batch("north")
    home.register_batch("south")
    home.add_annotators(["mia"])
    home.add_jobs("north", [{"clip_id": clip, "annotator": "mia"} for clip in ("a", "b", "c")], 30)
    job = tasks.jobs_of(home.store, "north", "c")[0]
    tasks.update_jobs(home.store, [{"job_id": job.job_id, "state": "new"}])
    decisions.approve(home.store, "north", ["a"], "rita")
    return home


def listed(home: Home, *, archived: bool = False) -> list[str]:
    return list(Overview(home.storage, home.store).counts(archived=archived))


def waiting(home: Home) -> list[str]:
    counts = Overview(home.storage, home.store).counts()
    return [item.place for item in to_do(home.store, home.settings, counts)]


def test_what_stays_is_said_before_and_nothing_happens(home: Home) -> None:
    kept = what_stays(home.at("north"))
    assert (kept.decisions, kept.readings, kept.approved, kept.released, kept.open_jobs) == (1, 0, 1, 0, 1)
    said = " ".join(kept.sentences())
    assert (
        "Later releases include its 1 approved clip as before, unless you choose batches without it." in said
    )
    assert "1 open job on CVAT" in said
    assert listed(home) == ["north", "south"]


def test_lists_and_the_to_do_list_leave_it_out_unless_asked(home: Home) -> None:
    assert waiting(home) == ["quality", "dataset"]
    archive(home.at("north"), "adam")
    assert waiting(home) == []
    assert listed(home) == ["south"]
    assert listed(home, archived=True) == ["north", "south"]
    assert list(Overview(home.storage, home.store).counts("north")) == ["north"]
    assert batches.listed(home.store) == ["south"]
    assert [batches.listed(home.store, asked) for asked in ("north", "../north")] == [["north"], []]


def test_its_work_stays_and_it_goes_on_where_it_stopped(home: Home) -> None:
    before = decisions.decision_state(home.store, "north"), len(tasks.jobs_of(home.store, "north"))
    archive(home.at("north"), "adam")
    after = decisions.decision_state(home.store, "north"), len(tasks.jobs_of(home.store, "north"))
    assert (after[0].approved, after[1]) == (before[0].approved, before[1])
    take_back(home.at("north"), "adam")
    assert waiting(home) == ["quality", "dataset"]
    lines = [(line.actor, line.action, line.subject) for line in audit_log.newest(home.store, 2)]
    assert lines == [("adam", "take batch back", "north"), ("adam", "archive batch", "north")]


def test_later_releases_go_on_to_include_it(home: Home) -> None:
    for name in ("north", "south"):
        home.write_tables(name, {("ava_csv", ""): pl.DataFrame({"video_id": ["a"]})})
    archive(home.at("north"), "adam")
    assert ready_batches(home.storage, home.store) == ["north", "south"]
    assert ready_batches(home.storage, home.store, ["south"]) == ["south"]


def test_what_changed_on_the_server_is_told_of_it_alone(home: Home) -> None:
    found = Discrepancy(
        kind="task_missing", subject="1", batch="north", clip_id="a", said="gone", cure="again"
    )
    discrepancies.replace(home.store, [found])
    archive(home.at("north"), "adam")
    assert discrepancies.known(home.store) == []
    assert [one.subject for one in discrepancies.known(home.store, "north")] == ["1"]


def test_it_cannot_be_archived_or_taken_back_twice(home: Home) -> None:
    with pytest.raises(InputError, match="north is not archived"):
        take_back(home.at("north"), "adam")
    archive(home.at("north"), "adam")
    with pytest.raises(InputError, match="north is already archived"):
        archive(home.at("north"), "adam")
    with pytest.raises(InputError, match="There is no batch nope"):
        archive(home.at("nope"), "adam")


def test_its_name_is_still_taken(home: Home) -> None:
    archive(home.at("north"), "adam")
    with pytest.raises(InputError, match="north already exists"):
        batches.add(home.store, "north", "/in/north.zip", {})
