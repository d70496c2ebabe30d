"""Removing a batch: what goes is said before, what people did stays, and the inbox never brings it back."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from ava_core import decisions
from ava_core.base.errors import InputError
from ava_core.operations import removal
from ava_core.operations.removal import remove, what_goes
from ava_core.store import audit_log, batches
from ava_core.video.intake.inbox import look_into_inbox
from tests.support.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Batches `north` and `south`, each with a zip in the inbox and a file that was made of it."""
    home = Home(tmp_path)
    home.settings.inbox_dir.mkdir(parents=True)
    for name in ("north", "south"):
        home.register_batch(name)
        (home.settings.inbox_dir / f"{name}.zip").write_bytes(b"zip")
        home.storage.write_bytes(home.storage.asset_dir(name, "clips") / "files" / "c.mp4", b"video")
    return home


def work(home: Home) -> None:
    home.add_jobs("north", [{"clip_id": "c", "annotator": "mia"}], 30)


def there(home: Home, batch: str) -> tuple[bool, bool, bool]:
    """Whether its row, its input and its files are there."""
    source = home.settings.inbox_dir / f"{batch}.zip"
    return (
        batch in batches.names(home.store), source.exists(), home.storage.path("batches", batch).exists()
    )  # fmt: skip


def test_what_goes_is_said_before_and_nothing_is_gone(home: Home) -> None:
    going = what_goes(home.at("north"))
    assert (going.files, going.bytes, going.stays) == (1, 5, "")
    assert going.source.endswith("north.zip")
    assert there(home, "north") == (True, True, True)


def test_a_removed_batch_is_gone_and_its_neighbour_stays(home: Home) -> None:
    remove(home.at("north"), "adam")
    assert there(home, "north") == (False, False, False)
    assert there(home, "south") == (True, True, True)
    entry = audit_log.newest(home.store, 1)[0]
    assert (entry.actor, entry.action, entry.subject) == ("adam", "remove batch", "north")
    looks = look_into_inbox(home.settings.inbox_dir, home.store, {})
    assert look_into_inbox(home.settings.inbox_dir, home.store, looks.seen).registered == []


def test_a_batch_that_people_worked_on_stays(home: Home) -> None:
    work(home)
    decisions.approve(home.store, "north", ["c"], "rita")
    assert "1 task" in what_goes(home.at("north")).stays
    with pytest.raises(InputError, match=r"north stays: it has 1 task.*ava batch archive north"):
        remove(home.at("north"), "adam")
    assert there(home, "north") == (True, True, True)


def test_an_input_that_lies_elsewhere_is_left_alone(home: Home, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.zip"
    elsewhere.write_bytes(b"zip")
    batches.add(home.store, "west", str(elsewhere), {})
    assert remove(home.at("west"), "adam").source == ""
    assert elsewhere.exists()


def test_tasks_that_are_made_meanwhile_stop_it_and_all_is_as_before(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    work(home)
    monkeypatch.setattr(removal, "_stays", lambda at: "")
    with pytest.raises(IntegrityError):
        remove(home.at("north"), "adam")
    assert there(home, "north") == (True, True, True)


def test_an_unknown_batch_is_a_sentence(home: Home) -> None:
    with pytest.raises(InputError, match="There is no batch nope"):
        what_goes(home.at("nope"))
