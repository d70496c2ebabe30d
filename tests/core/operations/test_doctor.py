"""What the doctor says, as a page or a tooltip puts it."""

from __future__ import annotations

import pytest

from ava_core.operations.doctor import Finding


@pytest.mark.parametrize(
    ("found", "cure", "line"),
    [
        ("it does not answer", "Start it.", "it does not answer. Start it."),
        ("It does not answer.", "Start it.", "It does not answer. Start it."),
        ("version 2", "", "version 2"),
    ],
)
def test_a_finding_is_told_in_sentences(found: str, cure: str, line: str) -> None:
    assert Finding("server", "failed", found, cure).line == line
