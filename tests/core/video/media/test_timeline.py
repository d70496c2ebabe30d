"""Times made of stamps: what the next ones confirm is joined on, what they do not is a bad stamp."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ava_core.video.media.timeline import LONGEST_STILL_S, joined

STEADY = [n / 30 for n in range(60)]


def times_of(stamps: list[float | None], usual: float = 1 / 30) -> list[float]:
    return [time for time, _ in joined(((stamp, None) for stamp in stamps), usual)]


def changed(changes: dict[int, float]) -> list[float | None]:
    return [changes.get(n, stamp) for n, stamp in enumerate(STEADY)]


@pytest.mark.parametrize("start", [0.0, 5.0, -1.5, 1.7e9])
def test_times_count_from_the_first(start: float) -> None:
    assert times_of([start + stamp for stamp in STEADY]) == pytest.approx(STEADY, abs=1e-5)


@pytest.mark.parametrize("off", [-3600.0, -1.0, 0.5, 20.0, 37_600.0])
def test_one_bad_stamp_gets_its_usual_place(off: float) -> None:
    assert times_of(changed({30: 1.0 + off})) == pytest.approx(STEADY, abs=1e-9)


def test_three_bad_stamps_in_a_row_are_found_out() -> None:
    assert times_of(changed({n: n / 30 + 20 for n in (30, 31, 32)})) == pytest.approx(STEADY, abs=0.034)


@pytest.mark.parametrize("leap", [-1e6, -3600.0, -1.0, -0.5, LONGEST_STILL_S + 1, 1e6])
def test_a_clock_that_was_set_is_joined_on(leap: float) -> None:
    stamps = [stamp + (leap if n >= 30 else 0) for n, stamp in enumerate(STEADY)]
    assert times_of(stamps) == pytest.approx(STEADY, abs=1e-5)


@pytest.mark.parametrize("gap", [0.5, 20.0, 600.0])
def test_a_gap_in_which_nothing_was_recorded_stays(gap: float) -> None:
    stamps = [stamp + (gap if n >= 30 else 0) for n, stamp in enumerate(STEADY)]
    assert times_of(stamps) == pytest.approx(stamps)


def test_without_stamps_times_are_the_usual_ones() -> None:
    assert times_of([None] * 60) == pytest.approx(STEADY)
    assert times_of([*[None] * 30, *STEADY[:30]]) == pytest.approx(STEADY)


def test_a_repeated_stamp_lies_before_the_next() -> None:
    assert times_of([0.0, 0.0, 0.2, 0.2, 0.4], usual=0.5) == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])


@given(st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9)), max_size=60))
def test_times_never_go_back(stamps: list[float | None]) -> None:
    times = times_of(stamps)
    assert len(times) == len(stamps)
    assert all(b >= a for a, b in pairwise(times))
