"""What the doctor says, as a page or a tooltip puts it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ava_core.base.settings import load_settings
from ava_core.operations.doctor import Finding, examine
from ava_core.store import discrepancies, open_store
from ava_core.store.tables import Discrepancy


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


def test_what_was_changed_on_the_server_is_said_with_its_cure(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, cvat_url="http://127.0.0.1:9")
    store = open_store(settings)

    def said() -> Finding:
        return next(finding for finding in examine(settings) if finding.subject == "work on it")

    assert said().status == "ok"
    names = ("anna", "ben")
    discrepancies.replace(
        store,
        [
            Discrepancy(kind="member_missing", subject=n, said=f"{n} is no member.", cure="Invite.")
            for n in names
        ],
    )
    assert said() == Finding(
        "work on it", "warning", "anna is no member.", "Invite. 2 such stand on the page Progress."
    )
    store.close()
