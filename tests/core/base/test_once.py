"""What was read once is kept until it changes: one reads for all, and only so much is kept."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from upath import UPath

from ava_core.base.once import Made, Once

Numbers = Once[str, int, str]


class Maker:
    """Makes values, and notes what it was given."""

    def __init__(self) -> None:
        self.given: list[Made[int, str] | None] = []

    def __call__(self, before: Made[int, str] | None) -> str:
        self.given.append(before)
        return f"value {len(self.given)}"


def test_a_value_is_made_once_until_its_stamp_changes() -> None:
    once, make = Numbers(), Maker()
    assert [once.get("a", stamp, make) for stamp in (1, 1, 2, 2)] == ["value 1"] * 2 + ["value 2"] * 2


def test_who_makes_a_value_anew_gets_the_one_before() -> None:
    once, make = Numbers(), Maker()
    once.get("a", 1, make)
    once.get("a", 2, make)
    first, second = make.given
    assert first is None
    assert second is not None
    assert (second.stamp, second.value) == (1, "value 1")


def test_keys_have_nothing_to_do_with_each_other() -> None:
    once, make = Numbers(), Maker()
    assert [once.get(key, 1, make) for key in "aba"] == ["value 1", "value 2", "value 1"]


def test_what_could_not_be_made_is_tried_again() -> None:
    once, make = Numbers(), Maker()

    def breaking(before: Made[int, str] | None) -> str:
        raise OSError("the disk is away")

    with pytest.raises(OSError, match="the disk is away"):
        once.get("a", 1, breaking)
    assert len(once) == 0
    assert once.get("a", 1, make) == "value 1"
    with pytest.raises(OSError, match="the disk is away"):
        once.get("a", 2, breaking)
    assert once.get("a", 1, make) == "value 1", "what was known before stays"


def test_only_so_many_are_kept_and_the_ones_used_last_stay() -> None:
    once, make = Numbers(most=2), Maker()
    for key in ("a", "b", "a", "c"):
        once.get(key, 1, make)
    assert len(once) == 2
    assert once.get("a", 1, make) == "value 1"
    assert once.get("b", 1, make) == "value 4"


def test_values_may_weigh_differently_and_the_newest_always_stays() -> None:
    once = Once[str, int, bytes](most=10, weigh=len)
    for key, size in {"a": 4, "b": 4, "c": 4}.items():
        once.get(key, 1, lambda _, size=size: bytes(size))
    assert len(once) == 2
    assert len(once.get("d", 1, lambda _: bytes(100))) == 100
    assert len(once) == 1
    once.get("d", 2, lambda _: bytes(3))
    once.get("e", 1, lambda _: bytes(7))
    assert len(once) == 2, "a value that is made anew weighs what it weighs now"


def test_a_value_is_made_from_nothing_again_after_its_time() -> None:
    now = 0.0
    once, make = Numbers(seconds=30, clock=lambda: now), Maker()
    once.get("a", 1, make)
    now = 20.0
    once.get("a", 2, make)  # made of what was known: what that missed is as old as before
    now = 29.9
    assert once.get("a", 2, make) == "value 2"
    now = 30.0
    assert once.get("a", 2, make) == "value 3"
    assert make.given[-1] is None


def test_many_that_ask_at_once_wait_for_one_to_make_it() -> None:
    once, make, asking = Numbers(), Maker(), threading.Barrier(8)

    def ask(_: int) -> str:
        asking.wait(10)
        return once.get("a", 1, make)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {"value 1"}
    assert len(make.given) == 1


def test_a_key_that_takes_long_holds_no_other_up() -> None:
    once, make = Numbers(), Maker()
    begun, go_on = threading.Event(), threading.Event()

    def slow(before: Made[int, str] | None) -> str:
        begun.set()
        assert go_on.wait(10)
        return "slow"

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(once.get, "slow", 1, slow)
        assert begun.wait(10)
        assert once.get("fast", 1, make) == "value 1"
        go_on.set()
        assert waiting.result(10) == "slow"


def test_one_that_waited_for_a_failure_makes_it_and_it_is_kept() -> None:
    once, make = Numbers(), Maker()
    begun, go_on = threading.Event(), threading.Event()

    def failing(before: Made[int, str] | None) -> str:
        begun.set()
        assert go_on.wait(10)
        raise OSError("away")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(once.get, "a", 1, failing)
        assert begun.wait(10)
        second = pool.submit(once.get, "a", 1, make)
        go_on.set()
        assert isinstance(first.exception(10), OSError)
        assert second.result(10) == "value 1"
    assert once.get("a", 1, make) == "value 1"
    assert len(once) == 1


def test_a_file_is_read_again_where_it_was_written_again(tmp_path: Path) -> None:
    once, path = Once[UPath, float, str](), UPath(tmp_path / "words.txt")
    reads: list[UPath] = []

    def read(path: UPath) -> str:
        reads.append(path)
        return str(path.read_text("utf-8"))

    assert once.of_file(path, read) is None
    path.write_text("one", "utf-8")
    assert [once.of_file(path, read) for _ in range(2)] == ["one", "one"]
    path.write_text("two", "utf-8")
    os.utime(str(path), (1, 1))
    assert once.of_file(path, read) == "two"
    assert len(reads) == 2
    path.unlink()
    assert once.of_file(path, read) is None
