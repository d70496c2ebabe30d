"""Parts of one computation side by side on threads that stay."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from ava_core.base.work import threads
from ava_core.base.work.threads import side_by_side


@pytest.fixture(params=[1, 2], ids=["one core", "two cores"], autouse=True)
def cores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    count: int = request.param
    monkeypatch.setattr(threads, "available", lambda: list(range(count)))
    threads._pool.cache_clear()
    yield count
    threads._pool.cache_clear()


def test_results_come_in_the_order_of_the_calls() -> None:
    assert side_by_side(lambda n=n: n * n for n in range(9)) == [n * n for n in range(9)]


def test_calls_within_calls_do_not_wait_for_each_other() -> None:
    def within(n: int) -> list[int]:
        return side_by_side(lambda m=m: n * m for m in range(4))

    assert side_by_side(lambda n=n: within(n) for n in range(8)) == [
        [n * m for m in range(4)] for n in range(8)
    ]


def test_an_error_is_raised_once_all_are_over(cores: int) -> None:
    done: list[int] = []

    def fail() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        side_by_side([fail, lambda: done.append(1)])
    assert done == [1] * (cores > 1)


def test_threads_stay(cores: int) -> None:
    def mine() -> str:
        return threading.current_thread().name

    used = {name for _ in range(20) for name in side_by_side([mine, mine, mine])}
    assert len(used) <= max(2, cores)
