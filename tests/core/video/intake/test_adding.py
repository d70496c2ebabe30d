"""Adding a batch that is killed at any moment: file, name and options are there together, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ava_core.base.errors import InputError
from ava_core.base.settings import Settings
from ava_core.store import Store, batches
from ava_core.video.intake import inbox
from ava_core.video.intake.adding import Adding, StillAdding, adding
from ava_core.video.intake.inbox import add_to_inbox, look_into_inbox

OPTIONS = {"overlap": 0.2}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder of what might be a video."""
    folder = tmp_path / "from" / "street"
    folder.mkdir(parents=True)
    (folder / "a.mp4").write_bytes(b"not really a video")
    return folder


def killed_in(step: str, settings: Settings, store: Store, source: Path) -> None:
    """Add in a process of its own that is gone without a word when it comes to `step`, or right after it."""
    where = step.removesuffix(" after")
    pid = os.fork()
    if pid == 0:
        module, name = {"copy": (inbox, "_copy_atomically"), "row": (inbox.batches, "add")}[where]
        real = getattr(module, name)

        def die(*given: object, **named: object) -> None:
            if step.endswith("after"):
                real(*given, **named)
            os._exit(9)

        setattr(module, name, die)
        add_to_inbox(settings, store, source, options=OPTIONS)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9


@pytest.mark.parametrize("step", ["copy", "copy after", "row", "row after"])
@pytest.mark.parametrize("again", ["the next look", "adding it again"])
def test_a_killed_one_is_taken_up_with_its_options(
    settings: Settings, store: Store, source: Path, step: str, again: str
) -> None:
    killed_in(step, settings, store, source)
    if again == "the next look" or step == "row after":
        assert look_into_inbox(settings.inbox_dir, store, {}).registered == (
            [] if step == "row after" else ["street"]
        )
    else:
        assert add_to_inbox(settings, store, source, options=OPTIONS) == "street"
    assert batches.names(store) == ["street"]
    batch = batches.get(store, "street")
    assert batch.options == OPTIONS
    assert (Path(batch.source_path) / "a.mp4").read_bytes() == b"not really a video"
    assert [item.name for item in settings.inbox_dir.iterdir() if not item.name.endswith(".part")] == [
        "street"
    ]


def test_a_source_that_is_gone_is_said(settings: Settings, store: Store, source: Path) -> None:
    killed_in("copy", settings, store, source)
    (source / "a.mp4").unlink()
    source.rmdir()
    look = look_into_inbox(settings.inbox_dir, store, {})
    assert "Adding street was interrupted and cannot be finished" in look.sentence
    assert batches.names(store) == []


def test_what_is_being_added_is_no_news_to_the_inbox(settings: Settings, store: Store, source: Path) -> None:
    target = settings.inbox_dir / "street"
    with adding(Adding("street", str(source), str(target), OPTIONS)):
        target.mkdir()
        (target / "a.mp4").write_bytes(b"x")
        first = look_into_inbox(settings.inbox_dir, store, {})
        assert look_into_inbox(settings.inbox_dir, store, first.seen).registered == []
        with pytest.raises(StillAdding):
            add_to_inbox(settings, store, source, options=OPTIONS)


def test_one_that_is_refused_leaves_nothing(settings: Settings, store: Store, source: Path) -> None:
    (settings.inbox_dir / "street").mkdir(parents=True)
    with pytest.raises(InputError, match="already exists"):
        add_to_inbox(settings, store, source)
    assert [item.name for item in settings.inbox_dir.iterdir()] == ["street"]
