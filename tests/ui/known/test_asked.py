"""What was asked of Dagster is asked once, from however many tabs, and shows until Dagster shows it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from ava_ui.dagster.client import DagsterClient, DagsterError, Run
from ava_ui.known.asked import Asked, AskedError, Request

KEYS = ["clips of street"]


class Dagster:
    """One that answers when it is told to, and says what is over."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.over = False
        self.asked = 0

    async def is_over(self, made: str) -> bool:
        return self.over

    async def make(self) -> str:
        self.asked += 1
        await self.may_answer.wait()
        return f"run{self.asked}"

    async def refuse(self) -> str:
        raise DagsterError("Dagster refused: no such asset")


@pytest.fixture
def dagster() -> Dagster:
    return Dagster()


@pytest.fixture
def asked(dagster: Dagster) -> Asked:
    return Asked(cast(DagsterClient, dagster))


def by(name: str) -> Request:
    return Request("clips of street", ("street",), name)


def a_run(**known: Any) -> Run:
    moment = datetime(2026, 1, 5, tzinfo=UTC)
    return Run(**{"run_id": "x", "status": "STARTED", "batch": "night", "assets": (), "created_at": moment,
                  "started_at": None, "ended_at": None} | known)  # fmt: skip


async def once(asked: Asked, name: str, ask: Callable[[], Any]) -> str:
    return await asked.once(KEYS, by(name), ask)


async def test_of_two_tabs_one_asks_and_the_other_is_told_who_did(asked: Asked, dagster: Dagster) -> None:
    first = asyncio.create_task(once(asked, "adam", dagster.make))
    await asyncio.sleep(0)
    assert asked.is_waiting(KEYS[0])
    assert [one.words for one in asked.waiting([], "street")] == [
        "clips of street: adam requested it just now, waiting for Dagster"
    ]
    with pytest.raises(AskedError, match="adam asked for clips of street just now; it waits for Dagster"):
        await once(asked, "eva", dagster.make)
    dagster.may_answer.set()
    assert (await first, dagster.asked) == ("run1", 1)


async def test_it_is_not_asked_again_until_it_is_over(asked: Asked, dagster: Dagster) -> None:
    dagster.may_answer.set()
    await once(asked, "adam", dagster.make)
    with pytest.raises(AskedError, match="it is under way"):
        await asked.once([*KEYS, "clips of night"], by("eva"), dagster.make)
    dagster.over = True
    assert await once(asked, "eva", dagster.make) == "run2"


async def test_what_dagster_refused_can_be_asked_again(asked: Asked, dagster: Dagster) -> None:
    with pytest.raises(DagsterError):
        await once(asked, "adam", dagster.refuse)
    dagster.may_answer.set()
    assert await once(asked, "adam", dagster.make) == "run1"


@pytest.mark.parametrize("shown", [{"run_id": "run1"}, {"backfill": "run1"}])
async def test_it_waits_until_dagster_shows_a_run_of_it(
    asked: Asked, dagster: Dagster, shown: dict[str, str]
) -> None:
    dagster.may_answer.set()
    await once(asked, "adam", dagster.make)
    assert [one.by for one in asked.waiting([a_run()])] == ["adam"]
    assert asked.waiting([a_run()], "night") == []
    assert asked.waiting([a_run(**shown)]) == []
