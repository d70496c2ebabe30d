"""Dealing work out and following it: plans, connection, hand-backs, runs with their progress, tables' addresses."""

from __future__ import annotations

import json
from typing import Any

import httpx
import polars as pl
import pytest
from nicegui import ui

from ava_core.base.schemas import ANSWERED, JOB_FINDINGS
from ava_core.base.settings import Settings
from ava_core.store import Store, annotators, batches, discrepancies, readings, tasks
from ava_core.store.tables import Discrepancy
from ava_ui.dagster.client import UNKNOWN_CURE, DagsterClient, DagsterError
from ava_ui.elements.data_table import DataTable
from ava_ui.known.runs import LiveRuns
from ava_ui.pages.annotation import discrepancies as panel
from tests.support.dagster_answers import REPOSITORY, RUN, answering
from tests.support.site import Site
from tests.support.street import BATCH, CLIPS_PLANTED
from tests.support.waiting import eventually


def line(message: str) -> dict[str, Any]:
    """A line of a run's log."""
    return {
        "__typename": "LogMessageEvent",
        "timestamp": "1000",
        "level": "INFO",
        "message": message,
        "stepKey": "cut",
    }


def a_dagster_that_runs(*messages: str) -> DagsterClient:
    """One run of `street` under way that has said `messages`, and a failed one of another batch."""
    under_way = RUN | {"runId": "2", "status": "STARTED", "endTime": None}
    failed = RUN | {"tags": [{"key": "dagster/partition", "value": "night"}]}
    event = {
        "__typename": "ExecutionStepFailureEvent", "stepKey": "clips",
        "error": {"message": "x", "cause": {"message": "no frames"}},
    }  # fmt: skip

    def handle(request: httpx.Request) -> httpx.Response:
        content = json.loads(request.content)
        asked = content["variables"]
        page = {"__typename": "EventConnection", "cursor": "9", "hasMore": False}
        if "query Runs" in content["query"]:
            wanted = [under_way] if asked["filter"].get("statuses") else [under_way, failed]
            return httpx.Response(
                200, json={"data": {"runsOrError": {"__typename": "Runs", "results": wanted}}}
            )
        if "query Failure" in content["query"]:
            return httpx.Response(200, json={"data": {"logsForRun": page | {"events": [event]}}})
        events = [] if asked["cursor"] else [line(message) for message in messages]
        return httpx.Response(200, json={"data": {"logsForRun": page | {"events": events}}})

    return DagsterClient("http://dagster", httpx.MockTransport(handle))


async def test_a_run_says_how_far_it_is() -> None:
    live = LiveRuns(
        a_dagster_that_runs("cut: 3/12 video seconds, 1.0 video seconds/s, 0:09 left", "something else")
    )
    await live.look()
    assert live.now("street") == "cut: 3/12 video seconds, 1.0 video seconds/s, 0:09 left"
    assert live.share("2") == 0.25
    assert [(run.batch, why) for run, why in live.failed] == [("night", f"clips: no frames {UNKNOWN_CURE}")]
    await live.look()
    assert live.share("2") == 0.25, "what was said stays until more is said"
    assert live.now("night") == f"failed: clips: no frames {UNKNOWN_CURE}"
    assert live.now("south") == ""


async def test_a_dagster_that_goes_away_leaves_what_was_known() -> None:
    live = LiveRuns(a_dagster_that_runs("cut: 3/12 clips"))
    await live.look()
    live.dagster.url = "http://127.0.0.1:9"
    live.dagster._http, live.dagster.transport = None, None
    await live.look()
    assert isinstance(live.problem, DagsterError)
    assert live.now("street") == "cut: 3/12 clips"


async def test_the_overview_shows_progress_and_reasons(site: Site) -> None:
    site.console.runs.dagster = a_dagster_that_runs("cut: 3/12 clips, 0:09 left")
    await site.console.runs.look()
    vera = site.enter("vera")
    await vera.open("/")
    await vera.should_see("clips: no frames", retries=50)
    await vera.should_see(marker="run-progress", retries=50)
    await vera.should_not_see(marker="retry", retries=1)


async def test_the_plan_follows_who_is_chosen(site: Site) -> None:
    annotators.put(site.console.store, "nora")
    adam = site.enter("adam")
    await adam.open(f"/tasks?batch={BATCH}")
    await adam.should_see(marker="plan-people", retries=50)

    def dealt_to() -> set[str]:
        rows = [row for table in adam.find(ui.table).elements for row in table.rows if "clips" in row]
        return {row["annotator"] for row in rows if "annotator" in row}

    await eventually(lambda: dealt_to() == {"good0", "good1", "good2", "nora"})
    (people,) = adam.find(marker="plan-people").elements
    people.set_value(["good0", "good1", "good2"])  # type: ignore[attr-defined]
    await eventually(lambda: dealt_to() == {"good0", "good1", "good2"})
    people.set_value([])  # type: ignore[attr-defined]
    await adam.should_see("Choose annotators for this batch.", retries=50)


async def test_tasks_are_made_for_the_chosen_people(site: Site) -> None:
    console = site.console
    clips = console.tables.table(BATCH, "clips")
    assert clips is not None
    batches.add(console.store, "night", "/night.zip", {"detector": "motion"})
    renamed = clips.with_columns(batch=pl.lit("night"), clip_id=pl.lit("night_") + pl.col("clip_id"))
    console.storage.write_table(console.storage.table_path("night", "clips"), renamed)
    annotators.put(console.store, "nora")
    asked: list[dict[str, Any]] = []
    answers = {
        "Workspace": REPOSITORY,
        "Add": {"addDynamicPartition": {"__typename": "DuplicateDynamicPartitionError"}},
        "Backfill": {"launchPartitionBackfill": {"__typename": "LaunchBackfillSuccess", "backfillId": "abc"}},
    }
    console.dagster.transport = answering(answers, asked).transport
    adam = site.enter("adam")
    await adam.open("/tasks?batch=night")
    await adam.should_see(marker="plan-people", retries=50)
    (people,) = adam.find(marker="plan-people").elements
    people.set_value(["nora", "good1", "good2"])  # type: ignore[attr-defined]
    adam.find(marker="create-tasks").click()
    await adam.should_see(f"Create {CLIPS_PLANTED} tasks for night?", retries=50)
    adam.find(marker="confirm").click()
    await eventually(lambda: any(one["operation"] == "Backfill" for one in asked))
    options = batches.get(console.store, "night").options
    assert options["annotators"] == "good1,good2,nora"
    assert options["detector"] == "motion", "what the batch had of its own stays"


async def test_a_host_that_cannot_be_reached_is_said(site: Site) -> None:
    adam = site.enter("adam")
    await adam.open("/tasks")
    await adam.should_see(marker="try-host", retries=50)
    adam.find(marker="try-cvat_url").clear().type("http://127.0.0.1:9")
    adam.find(marker="try-host").click()
    await adam.should_see("http://127.0.0.1:9", retries=200)


async def test_jobs_that_cannot_be_handed_on_stay_and_the_reason_is_said(site: Site) -> None:
    annotators.put(site.console.store, "nora")
    adam = site.enter("adam")
    await adam.open("/progress")
    await adam.should_see(marker="hand-on", retries=50)
    adam.find(marker="hand-on").click()
    await adam.should_see("No annotator is chosen.", retries=50)
    (who,) = adam.find(marker="hand-to").elements
    who.set_value("good1")  # type: ignore[attr-defined]
    adam.find(marker="hand-on").click()
    await adam.should_see("No job is selected.", retries=50)
    (table,) = adam.find(ui.table).elements
    table.selected = table.rows[:1]
    adam.find(marker="hand-on").click()
    await adam.should_see("Reassign 1 job to good1?", retries=50)
    adam.find(marker="confirm").click()
    await adam.should_see("Not changed: 1 of 1 job.", retries=50)
    assert {job.annotator for job in tasks.jobs_of(site.console.store, BATCH)} == {"good0", "good1", "good2"}


async def test_what_was_changed_on_the_server_stands_there_with_a_button_that_settles_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = site.console.store
    one = Discrepancy(
        kind="member_missing", subject="good1", said="good1 is no member.", cure="Invite again."
    )
    discrepancies.replace(store, [one])
    settled = []

    def mend(settings: Settings, store: Store, *what: str) -> str:
        settled.append(what)
        discrepancies.replace(store, [])
        return "good1 is a member again."

    monkeypatch.setattr(panel, "mend", mend)
    vera = site.enter("vera")
    await vera.open("/progress")
    await vera.should_see("good1 is no member.", retries=50)
    await vera.should_not_see(marker="mend-member_missing", retries=1)
    adam = site.enter("adam")
    for address in ("/progress", "/tasks"):
        await adam.open(address)
        await adam.should_see("good1 is no member.", retries=50)
        await adam.should_see(marker="compare", retries=50)
    adam.find(marker="mend-member_missing").click()
    await adam.should_see("good1 is a member again.", retries=50)
    await adam.should_not_see("good1 is no member.", retries=5)
    assert settled == [("member_missing", "good1", "adam")]


async def test_progress_shows_answers_and_jobs_that_are_not_read_as_they_are(site: Site) -> None:
    console = site.console
    [job, *_] = tasks.completed_jobs(console.store, BATCH)
    own = {"clip_id": job.clip_id, "annotator": job.annotator, "job_id": job.job_id}
    answered = pl.DataFrame([own | {"group": "g", "living": 8, "answered": 6}], schema=dict(ANSWERED))
    finding = own | {"kind": "held_back", "version": 2, "detail": "It has 0 answers.", "cure": "Reopen."}
    found = pl.DataFrame([finding], schema=dict(JOB_FINDINGS))
    for name, table in (("answered", answered), ("job_findings", found)):
        console.storage.write_table(console.storage.table_path(BATCH, "raw_annotations", name), table)
    vera = site.enter("vera")
    await vera.open("/progress")
    await vera.should_see("Jobs with reading problems", retries=50)
    jobs, findings = vera.find(ui.table).elements
    tables = sorted((jobs, findings), key=lambda table: len(table.rows))  # type: ignore[attr-defined]
    assert tables[0].rows[0]["href job_id"] == f"/readings/{BATCH}/{job.job_id}"  # type: ignore[attr-defined]
    shares = {row["job_id"]: row["answered"] for row in tables[1].rows}  # type: ignore[attr-defined]
    assert shares.pop(job.job_id) == 75
    assert set(shares.values()) == {"–"}, "nothing was read of the others"


async def test_an_admin_takes_an_earlier_version_up(site: Site) -> None:
    store = site.console.store
    [job, *_] = tasks.completed_jobs(store, BATCH)
    for content in ("a", "b"):
        given = {
            "job_id": job.job_id,
            "task_id": job.task_id,
            "annotator": job.annotator,
            "server_updated_at": "t",
        }
        readings.append_all(store, [given | {"content_hash": content, "shapes": []}])
    adam = site.enter("adam")
    await adam.open(f"/readings/{BATCH}/{job.job_id}")
    await adam.should_see(marker="take-up", retries=50)
    (choice,) = adam.find(marker="version").elements
    choice.set_value(1)  # type: ignore[attr-defined]
    adam.find(marker="take-up").click()
    await adam.should_see(f"Use version 1 of job {job.job_id}?", retries=50)
    adam.find(marker="confirm").click()
    await eventually(lambda: readings.latest(store, [job.job_id])[job.job_id].version == 1)


@pytest.mark.parametrize(
    ("address", "shown", "rows"),
    [
        ("/many?t.filter=row+12", 11, 11),
        ("/many?t.kind=odd&t.rows=10", 500, 10),
        ("/many?t.kind=nonsense", 1000, 25),
        ("/many?t.page=2&t.sort=n&t.order=down", 1000, 25),
        ("/many?t.page=x&t.rows=-1", 1000, 25),
        ("/many?t.page=999", 1000, 25),
    ],
)
async def test_a_table_shows_what_its_address_says(site: Site, address: str, shown: int, rows: int) -> None:
    made: list[DataTable] = []

    @ui.page("/many")
    def many() -> None:
        kinds = ["even", "odd"] * 500
        frame = pl.DataFrame({"name": [f"row {n}" for n in range(1000)], "n": range(1000), "kind": kinds})
        made.append(DataTable(frame, file="t", facets=["kind"]))

    vera = site.enter("vera")
    await vera.open(address)
    table = made[0].table
    assert (table.pagination["rowsNumber"], len(table.rows)) == (shown, rows)
    if "sort" in address:
        assert table.rows[0]["n"] == 974


@pytest.mark.parametrize(
    ("filter_", "rows"),
    [("A.B", ["a.b (1+1)", "A.B"]), ("(1+1)", ["a.b (1+1)"]), ("tom; MIA", ["axb"]), ("0.5", ["A.B"]), ("\\", [])],
)  # fmt: skip
async def test_a_filter_is_plain_text_in_any_column(site: Site, filter_: str, rows: list[str]) -> None:
    made: list[DataTable] = []

    @ui.page("/plain")
    def plain() -> None:
        names, people = ["a.b (1+1)", "axb", "A.B"], [["mia"], ["tom", "mia"], None]
        made.append(DataTable(pl.DataFrame({"name": names, "people": people, "share": [None, 1.5, 0.5]})))

    vera = site.enter("vera")
    await vera.open("/plain")
    made[0].filter = filter_
    assert made[0].filtered["name"].to_list() == rows
