"""What was taken in is known by its content, and asked for by one question, however many batches there are."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import event

from ava_core.base.schemas import SOURCE_VIDEOS
from ava_core.base.storage import Storage
from ava_core.operations.removal import remove
from ava_core.store import made_of
from ava_core.video.intake.known import known_sources, note_sources
from tests.support.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def sources(batch: str, *contents: tuple[str, str]) -> pl.DataFrame:
    """Rows of a batch whose videos have these contents and statuses."""
    rows = [
        dict.fromkeys(SOURCE_VIDEOS) | {"source_id": f"{batch}_{number}", "sha256": content, "status": status}
        for number, (content, status) in enumerate(contents)
    ]
    return pl.DataFrame(rows, schema=dict(SOURCE_VIDEOS))


def take_in(home: Home, batch: str, *contents: tuple[str, str]) -> None:
    home.register_batch(batch)
    note_sources(home.at(batch), sources(batch, *contents))


def test_a_usable_video_of_another_batch_is_known(home: Home) -> None:
    take_in(home, "north", ("aa", "ok"), ("bb", "quarantined"), ("", "quarantined"))
    home.register_batch("south")
    known = known_sources(home.at("south"))
    assert [known(content) for content in ("aa", "bb", "", "cc")] == ["north_0 of batch north", "", "", ""]
    assert known_sources(home.at("north"))("aa") == "", "its own videos are no other batch's"


def test_taking_in_again_replaces_the_note_and_removing_a_batch_ends_it(home: Home) -> None:
    take_in(home, "north", ("aa", "ok"), ("bb", "ok"))
    home.register_batch("south")
    note_sources(home.at("north"), sources("north", ("cc", "ok")))
    known = known_sources(home.at("south"))
    assert [known(content) for content in ("aa", "cc")] == ["", "north_0 of batch north"]
    remove(home.at("north"), "chief")
    assert known("cc") == ""


def test_batches_of_an_earlier_version_are_read_once(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    for batch, content in (("north", "aa"), ("east", "bb")):
        home.register_batch(batch)
        home.write_tables(batch, {("source_videos", ""): sources(batch, (content, "ok"))})
        made_of.note(home.store, batch, "source_videos")
    home.register_batch("south")
    assert known_sources(home.at("south"))("bb") == "east_0 of batch east"
    monkeypatch.setattr(Storage, "read_table", lambda *_: pytest.fail("they are noted"))
    assert known_sources(home.at("south"))("aa") == "north_0 of batch north"


def test_what_it_costs_does_not_grow_with_the_batches(home: Home) -> None:
    for number in range(30):
        take_in(home, f"b{number}", (f"{number:02}", "ok"))
    asked: list[str] = []
    event.listen(home.store.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    known = known_sources(home.at("b0"))
    assert known("29") == "b29_0 of batch b29"
    assert len([one for one in asked if one.startswith("SELECT")]) == 2
