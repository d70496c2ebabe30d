"""Batches: a picture of each, and removing one that nobody has worked on after saying what goes."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from ava_core.store import audit_log, batches, made_of
from ava_ui.elements.uploader import Uploader
from tests.support.dagster_answers import REPOSITORY, answering
from tests.support.site import Site
from tests.support.street import BATCH
from tests.support.waiting import eventually

IDLE = {"Runs": {"runsOrError": {"__typename": "Runs", "results": []}}}


async def test_a_batch_is_removed_once_it_was_said_what_goes(site: Site) -> None:
    console, asked = site.console, list[dict[str, Any]]()
    batches.add(console.store, "wrong", str(console.settings.inbox_dir / "wrong.zip"), {})
    console.storage.write_bytes(console.storage.asset_dir("wrong", "clips") / "c.mp4", b"video")
    done = {"deleteDynamicPartitions": {"__typename": "DeleteDynamicPartitionsSuccess"}}
    console.dagster.transport = answering(IDLE | {"Workspace": REPOSITORY, "Delete": done}, asked).transport
    adam = site.enter("adam")
    await adam.open("/batches/wrong")
    await adam.should_see(marker="remove", retries=50)
    adam.find(marker="remove").click()
    await adam.should_see("1 file made from its videos will be deleted, 5 bytes.", retries=50)
    assert "wrong" in batches.names(console.store)
    adam.find(marker="confirm").click()
    await eventually(lambda: any(one["operation"] == "Delete" for one in asked))
    assert batches.names(console.store) == [BATCH]
    assert not console.storage.path("batches", "wrong").exists()


async def test_a_batch_with_peoples_work_stays(site: Site) -> None:
    adam = site.enter("adam")
    await adam.open(f"/batches/{BATCH}")
    await adam.should_see(marker="remove", retries=50)
    adam.find(marker="remove").click()
    await adam.should_see("street cannot be removed: it has 4 tasks. You can archive it instead.", retries=50)
    await adam.should_see("Archive batch street?")
    assert batches.names(site.console.store) == [BATCH]


async def test_a_batch_goes_into_the_archive_and_comes_back(site: Site) -> None:
    console = site.console
    console.dagster.transport = answering(IDLE, []).transport
    adam = site.enter("adam")
    await adam.open(f"/batches/{BATCH}")
    await adam.should_see(marker="archive", retries=50)
    adam.find(marker="archive").click()
    await adam.should_see("It is hidden from lists and the to-do list", retries=50)
    assert batches.archived(console.store) == set()
    adam.find(marker="confirm").click()
    await eventually(lambda: batches.archived(console.store) == {BATCH})
    assert audit_log.newest(console.store, 1)[0].actor == "adam"
    await adam.open("/batches")
    await adam.should_see("show archived (1)", retries=50)
    await adam.should_not_see(f"{BATCH} · 4 clips", retries=2)
    await adam.open("/batches?archived=yes")
    await adam.should_see(f"{BATCH} · 4 clips", retries=50)
    await adam.open(f"/batches/{BATCH}")
    await adam.should_see("Archived: hidden from lists", retries=50)
    await adam.should_not_see(marker="process", retries=2)
    adam.find(marker="archive").click()
    await eventually(lambda: batches.archived(console.store) == set())


async def test_a_batch_that_is_being_processed_is_not_archived(site: Site) -> None:
    run = {
        "runId": "r", "status": "STARTED", "tags": [{"key": "dagster/partition", "value": BATCH}], "jobName": "j",
        "assetSelection": [], "creationTime": 0, "startTime": None, "endTime": None,
    }  # fmt: skip
    busy = {"Runs": {"runsOrError": {"__typename": "Runs", "results": [run]}}}
    site.console.dagster.transport = answering(busy, []).transport
    adam = site.enter("adam")
    await adam.open(f"/batches/{BATCH}")
    await adam.should_see(marker="archive", retries=50)
    adam.find(marker="archive").click()
    await adam.should_see(marker="confirm", retries=50)
    adam.find(marker="confirm").click()
    await adam.should_see("street is being processed.", retries=50)
    assert batches.archived(site.console.store) == set()


async def test_only_its_own_pages_show_an_archived_batch(site: Site) -> None:
    batches.set_archived(site.console.store, BATCH, True)
    rita = site.enter("rita")
    for page, empty in (
        ("/quality", "No clip has been completed yet."),
        ("/progress", "No jobs yet."),
        ("/metrics", "Nothing to measure yet."),
        ("/tasks", "No batch has clips yet."),
    ):
        await rita.open(page)
        await rita.should_see(empty, retries=50)
    await rita.open(f"/quality?batch={BATCH}")
    await rita.should_see(marker="bulk", retries=50)
    await rita.open(f"/progress?batch={BATCH}")
    await rita.should_see("Jobs by annotator and state", retries=50)
    await rita.open(f"/quality/{BATCH}/clips/clip_0001")
    await rita.should_see("2 of 4 waiting", retries=50)


async def test_the_proposed_name_follows_the_chosen_file_until_somebody_types_one(site: Site) -> None:
    adam = site.enter("adam")
    await adam.open("/batches")
    await adam.should_see(marker="batch-name", retries=50)
    (uploader,) = adam.find(Uploader).elements
    (name,) = adam.find(marker="batch-name").elements

    def choose(*files: str) -> str:
        adam.find(Uploader).trigger("chosen", list(files))
        return str(name.value)

    assert isinstance(uploader, Uploader)
    assert isinstance(name, ui.input)
    assert [choose("day.zip"), choose("day.zip", "night.zip"), choose("night.zip")] == ["day", "day", "night"]
    assert [choose(), choose("street.zip")] == ["", f"{BATCH}_2"]
    name.value = "mine"
    assert [choose(), choose("day.zip")] == ["mine", "mine"]


async def test_only_admins_may_remove(site: Site) -> None:
    rita = site.enter("rita")
    await rita.open(f"/batches/{BATCH}")
    await rita.should_not_see(marker="remove", retries=2)


async def test_every_batch_has_a_picture(site: Site) -> None:
    vera = site.enter("vera")
    await vera.open("/batches")
    await vera.should_see("street · 4 clips", retries=50)
    pictures = [e.props.get("src", "") for e in vera.find(ui.element).elements if e.tag == "img"]
    assert pictures == ["/media/keyframe/street/clip_0000/3"]


async def test_the_page_of_a_batch_says_what_is_behind(site: Site) -> None:
    made_of.note(site.console.store, BATCH, "raw_annotations", "an older reading")
    adam = site.enter("adam")
    await adam.open(f"/batches/{BATCH}")
    await adam.should_see("Completed jobs have changed since the raw annotations were read.", retries=50)
