"""Batches: a picture of each, and removing one that nobody has worked on after saying what goes."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from ava_core.store import batches
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
    await adam.should_see("1 file made of its videos go, 5 bytes.", retries=50)
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
    await adam.should_see("street stays: it has 4 tasks", retries=50)
    assert batches.names(site.console.store) == [BATCH]


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
