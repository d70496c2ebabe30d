"""What an installed package adds is offered where the platform's own is; a broken one takes no page down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.plugins import install
from tests.support.site import Site

ROOT = Path(__file__).resolve().parents[3]

CODE = f"""
from pathlib import Path

ONTOLOGY = Path({str(ROOT / "examples" / "actions.yaml")!r})
GONE = ONTOLOGY.with_name("gone.yaml")
"""
POINTS = {
    "ava.detectors": {"yard_eyes": "yard_parts:nothing"},
    "ava.layouts": {"yard_rows": "yard_parts:nothing"},
    "ava.ontologies": {"yard_acts": "yard_parts:ONTOLOGY", "lost_acts": "yard_parts:GONE"},
}


async def test_extensions_are_offered_where_one_chooses(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, tmp_path, "yard-parts", POINTS, CODE)
    adam = site.enter("adam")

    def offered(marker: str) -> list[str]:
        (select,) = adam.find(marker=marker).elements
        chosen: Any = select
        return list(chosen.options)

    await adam.open("/batches")
    await adam.should_see(marker="option-detector", retries=50)
    assert offered("option-detector") == ["motion", "rfdetr", "yard_eyes"]
    assert {"street", "yard_acts", "lost_acts"} <= set(offered("option-ontology"))

    await adam.open("/dataset")
    await adam.should_see(marker="release-flavours", retries=50)
    assert "yard_rows" in offered("release-flavours")

    await adam.open("/ontology?name=yard_acts")
    await adam.should_see("What people do in a loading yard.", retries=50)
