"""Sensors and runs leave an archived batch alone; what happened meanwhile is told once it is taken back."""

from __future__ import annotations

import pytest

from ava_core import decisions
from ava_core.base.errors import InputError
from ava_core.operations.archive import archive, take_back
from tests.support.dagster_site import DagsterSite


def with_decided_batch(site: DagsterSite) -> None:
    site.register_batch("north")
    site.add_annotators(["mia"])
    site.add_jobs("north", [{"clip_id": clip, "annotator": "mia"} for clip in "ab"], 30)


def test_a_batch_that_waits_in_the_inbox_gets_no_run(site: DagsterSite) -> None:
    site.register_batch("north")
    archive(site.at("north"), "adam")
    assert site.tick("inbox").run_requests == []
    take_back(site.at("north"), "adam")
    assert [request.partition_key for request in site.tick("inbox").run_requests] == ["north"]


def test_decisions_are_told_of_once_it_is_taken_back(site: DagsterSite) -> None:
    with_decided_batch(site)
    archive(site.at("north"), "adam")
    decisions.approve(site.store, "north", ["a"], "rita")
    quiet = site.tick("decisions")
    assert quiet.asset_events == []
    quiet = site.tick("decisions", quiet.cursor)
    assert quiet.asset_events == []
    take_back(site.at("north"), "adam")
    told = site.tick("decisions", quiet.cursor)
    assert [event.partition for event in told.asset_events] == ["north"]
    assert site.tick("decisions", told.cursor).asset_events == []


def test_a_run_of_it_stops_with_a_sentence(site: DagsterSite) -> None:
    site.register_batch("north")
    archive(site.at("north"), "adam")
    with pytest.raises(InputError, match=r"north is in the archive.*ava batch archive north --undo"):
        site.platform.batch("north")
