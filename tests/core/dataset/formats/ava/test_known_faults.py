"""What is said of faults that people have reported is what is true of them, and nothing of what is no fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from ava_core.dataset.formats.ava.checks import errors_among
from tests.support.known_faults import FAULTS, Fault, row_of, said_of

PAGE = Path(__file__).parents[5] / "docs" / "validation.md"


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.what for fault in FAULTS])
def test_what_is_said_is_what_is_true(released: Path, fault: Fault) -> None:
    errors = errors_among(said_of(released, fault))
    if not fault.rule:
        assert errors == []
        return
    told = [one for one in errors if fault.rule in one.rule]
    assert told, [str(one) for one in errors]
    assert told[0].readers
    assert told[0].cure
    assert row_of(released, fault) in PAGE.read_text()
