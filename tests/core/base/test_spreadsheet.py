"""A csv that is opened in a spreadsheet runs nothing."""

from __future__ import annotations

import polars as pl
import pytest

from ava_core.base.spreadsheet import spreadsheet_csv


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "=", "-"])
def test_text_that_begins_like_a_formula_is_guarded(text: str) -> None:
    found = pl.read_csv(spreadsheet_csv(pl.DataFrame({"a": [text], "b": ["x"]})), infer_schema=False)
    assert found["a"].to_list() == ["'" + text]


@pytest.mark.parametrize("text", ["ann", "a=1", "-2.5", "+1e-3", "-5%", "", " x", "'=1"])
def test_other_text_stays(text: str) -> None:
    frame = pl.DataFrame({"a": [text], "n": [-1.5]})
    assert spreadsheet_csv(frame) == frame.write_csv().encode()


def test_missing_and_empty_tables_stay() -> None:
    for frame in (
        pl.DataFrame({"a": [None]}, schema={"a": pl.String}),
        pl.DataFrame({"n": [-1]}),
        pl.DataFrame(),
    ):
        assert spreadsheet_csv(frame) == frame.write_csv().encode()
