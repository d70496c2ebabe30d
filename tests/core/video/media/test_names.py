"""Ids made of names: whatever people call their batches and videos, no two are alike."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ava_core.base.names import NAME
from ava_core.video.media.names import distinct_ids, source_id

BATCHES = st.one_of(
    st.sampled_from(["cam", "cam_1", "cam_1_2", "cam.1", "cam__1"]), st.from_regex(NAME, fullmatch=True)
)
TITLES = st.one_of(st.from_regex(r"[_1 x]{1,6}", fullmatch=True), st.text(max_size=90))


@given(
    st.lists(st.tuples(BATCHES, st.lists(TITLES, max_size=4)), unique_by=lambda batch: batch[0].casefold())
)
def test_no_two_source_videos_of_any_batches_have_one_id(batches: list[tuple[str, list[str]]]) -> None:
    ids = []
    for batch, titles in batches:
        taken: set[str] = set()
        ids += [source_id(batch, title, taken) for title in titles]
    assert len({own.casefold() for own in ids}) == len(ids)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,90}", own) for own in ids)


@pytest.mark.parametrize(
    ("batch", "file", "expected"),
    [
        ("cam", "1_x.mp4", "cam_1_x"),
        ("cam_1", "x.mp4", "cam_1__x"),
        ("north-gate", "2026-03-14 08:00.mp4", "north-gate_2026-03-14_08_00"),
    ],
)
def test_ids_are_readable(batch: str, file: str, expected: str) -> None:
    assert source_id(batch, PurePosixPath(file).stem, set()) == expected


@given(st.lists(TITLES, unique=True))
def test_names_in_any_script_become_ids_one_to_one(names: list[str]) -> None:
    ids = distinct_ids(names)
    assert ids.keys() == set(names)
    assert len({own.casefold() for own in ids.values()}) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,80}", own) for own in ids.values())


def test_a_name_without_a_latin_letter_still_has_an_id_of_its_own() -> None:
    first, second = distinct_ids(["前门", "后院"]).values()
    assert first != second
    assert distinct_ids(["前门"])["前门"] == first, "whatever stands beside it"
