"""Jobs as the pages show them: what changes is shown, and all of them are read as seldom as can be."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, update

from ava_core.store.tables import Job
from ava_ui.known import jobs
from tests.support.site import Site

LATER, EARLIER = "2999-01-01T00:00:00.000000Z", "1999-01-01T00:00:00.000000Z"


@pytest.fixture
def since(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was asked for in each read: `None` for everything."""
    asked: list[Any] = []
    read = jobs._read

    def noted(connection: Any, since: object = None) -> Any:
        asked.append(since)
        return read(connection, since)

    monkeypatch.setattr(jobs, "_read", noted)
    return asked


def change(site: Site, statement: Any) -> None:
    with site.console.store.session() as session:
        session.execute(statement)


def test_a_change_is_shown_without_reading_all_jobs_again(site: Site, since: list[Any]) -> None:
    before = site.console.jobs.table()
    job = before["job_id"][3]
    assert (since, before["job_id"].is_sorted()) == ([None], True)
    site.console.jobs.table()
    change(site, update(Job).where(Job.job_id == job).values(state="rejected", server_updated_at=LATER))
    after = site.console.jobs.table()
    assert (len(since), since[1]) == (2, before["changed"].max())
    assert after["job_id"].to_list() == before["job_id"].to_list()
    assert [row["job_id"] for row in after.to_dicts() if row["status"] == "rejected"] == [job]


@pytest.mark.parametrize("kind", ["gone", "never completed after all"])
def test_what_no_new_date_tells_is_found_by_the_counts(site: Site, since: list[Any], kind: str) -> None:
    before = site.console.jobs.table()
    job = before["job_id"][0]
    mine = Job.job_id == job
    if kind == "gone":
        change(site, delete(Job).where(mine))
    else:
        was = {"state": "new", "completed_at": None, "server_updated_at": EARLIER}
        change(site, update(Job).values(completed_at=Job.created_at))
        site.console.jobs.table()
        change(site, update(Job).where(mine).values(**was))
    after = site.console.jobs.table()
    found = {row["job_id"]: row["status"] for row in after.to_dicts()}
    assert since[-1] is None
    assert found.get(job) == (None if kind == "gone" else "new")


def test_all_jobs_are_read_again_after_a_while(site: Site, since: list[Any]) -> None:
    job = site.console.jobs.table()["job_id"][0]
    change(site, update(Job).where(Job.job_id == job).values(annotator="nora"))
    assert "nora" not in set(site.console.jobs.table()["annotator"])
    kept_no_time = jobs.Jobs(site.console.store, kept_seconds=0.0)
    for _ in range(2):
        assert "nora" in set(kept_no_time.table()["annotator"])
    assert since == [None, None, None]
