"""What was told and had no effect is told again, ever more rarely, and not for ever."""

from __future__ import annotations

from itertools import pairwise

from ava_assets.announcements import FIRST_WAIT_SECONDS, TIMES, Told, again, noted


def test_what_is_done_is_forgotten_and_what_is_not_is_told_again() -> None:
    told = noted({}, {"a", "b"}, {"a", "b"}, set(), 0.0)
    assert again(told, {"a", "b"}, FIRST_WAIT_SECONDS - 1) == set()
    assert again(told, {"a"}, FIRST_WAIT_SECONDS) == {"a"}
    assert noted(told, {"a"}, set(), {"a"}, 50.0) == {"a": [50.0, 2]}


def test_it_is_told_ever_more_rarely_and_not_for_ever() -> None:
    told: Told = {"a": [0.0, 1]}
    moments, now = [], 0.0
    while now < 24 * 3600:
        now += 1.0
        if again(told, {"a"}, now):
            told = noted(told, {"a"}, set(), {"a"}, now)
            moments.append(now)
    assert len(moments) == TIMES - 1
    waits = [b - a for a, b in pairwise([0.0, *moments])]
    assert all(later == 2 * before for before, later in pairwise(waits))
