"""Deliveries that come together are kept together, and answered for one by one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import event

from ava_core.annotation import deliveries
from ava_core.annotation.deliveries import LARGEST_ID, Arrivals, keep_deliveries
from ava_core.base.errors import StoreBusyError
from ava_core.store import Store, webhook_events


def touch(number: int, **more: Any) -> dict[str, Any]:
    return {"event": "update:job", "job": {"id": number}} | more


def kept(store: Store) -> list[tuple[int | None, int]]:
    return [(one.job_id, one.deliveries) for one in webhook_events.after(store, 0)]


async def test_what_comes_while_one_is_written_is_one_transaction(store: Store) -> None:
    commits = 0

    def committed(_: Any) -> None:
        nonlocal commits
        commits += 1

    event.listen(store.engine, "commit", committed)
    arrivals = Arrivals(lambda: store)
    answers = await asyncio.gather(*(arrivals.keep(touch(number % 40)) for number in range(80)))
    assert answers == [True] * 40 + [False] * 40
    assert commits == 1
    assert kept(store) == [(number, 2) for number in range(40)], "in the order in which they came"


async def test_nobody_is_answered_before_the_commit(store: Store) -> None:
    arrivals = Arrivals(lambda: store)

    async def deliver(number: int) -> bool:
        await arrivals.keep(touch(number))
        return (number, 1) in kept(store)

    assert all(await asyncio.gather(*(deliver(number) for number in range(10))))


async def test_one_that_cannot_be_kept_costs_the_others_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def keep(store: Store, payloads: list[dict[str, Any]]) -> list[bool]:
        if any(payload["job"]["id"] == 2 for payload in payloads):
            raise ValueError("no such text")
        return keep_deliveries(store, payloads)

    monkeypatch.setattr(deliveries, "keep_deliveries", keep)
    arrivals = Arrivals(lambda: store)
    answers = await asyncio.gather(*(arrivals.keep(touch(n)) for n in range(4)), return_exceptions=True)
    assert [repr(answer) for answer in answers] == ["True", "True", "ValueError('no such text')", "True"]
    assert kept(store) == [(0, 1), (1, 1), (3, 1)]


async def test_a_caller_that_has_gone_takes_nothing_along(store: Store) -> None:
    arrivals = Arrivals(lambda: store)
    gone, stays = (asyncio.ensure_future(arrivals.keep(touch(number))) for number in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays
    assert kept(store) == [(0, 1), (1, 1)]
    assert await arrivals.keep(touch(2)), "and the next ones are written as ever"


async def test_too_many_at_once_are_to_come_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "MOST_WAITING", 3)
    arrivals = Arrivals(lambda: store)
    answers = await asyncio.gather(*(arrivals.keep(touch(n)) for n in range(5)), return_exceptions=True)
    assert answers[:3] == [True] * 3
    assert all(isinstance(answer, StoreBusyError) for answer in answers[3:])
    assert [number for number, _ in kept(store)] == [0, 1, 2]


def test_a_job_whose_number_no_column_holds_is_an_event_all_the_same(store: Store) -> None:
    assert keep_deliveries(store, [touch(LARGEST_ID), touch(LARGEST_ID + 1), touch(-1)]) == [True] * 3
    assert [number for number, _ in kept(store)] == [LARGEST_ID, None, None]
