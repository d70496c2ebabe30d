"""What was decided since a page was drawn, and what the page compares with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ava_core import decisions
from ava_core.base.settings import Settings
from ava_core.store import Store, open_store
from ava_core.store.tables import Decision
from ava_ui.elements.decided import Seen
from tests.support.street import BATCH


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    """Of the planted home, where nobody has decided anything."""
    opened = open_store(settings)
    yield opened
    opened.close()


def of_clips(decision: Decision) -> bool:
    return decision.action == "approve"


@pytest.mark.parametrize("batch", [BATCH, ""])
def test_what_was_decided_before_is_shown_and_what_comes_later_is_news(store: Store, batch: str) -> None:
    [before] = decisions.approve(store, BATCH, ["clip_0000"], "rita")
    seen = Seen(store, batch)
    seen.look()
    assert (seen.of(BATCH), seen.news) == (before.decision_id, [])
    decisions.exclude_annotator(store, BATCH, "good0", "lead", "clicks at random")
    [after] = decisions.approve(store, BATCH, ["clip_0001"], "lead")
    seen.look()
    seen.look()
    assert [one.decision_id for one in seen.about(of_clips)] == [after.decision_id]
    assert seen.of(BATCH) == before.decision_id, "the page still shows what it showed"


def test_ones_own_decision_is_no_news_and_can_be_followed_by_another(store: Store) -> None:
    seen = Seen(store, BATCH)
    seen.made(decisions.mark_gold(store, BATCH, "clip_0000", "good0", "rita", seen=seen.of(BATCH)))
    assert seen.news == []
    seen.made(decisions.unmark_gold(store, BATCH, "clip_0000", "rita", seen=seen.of(BATCH)))
    assert decisions.decision_state(store, BATCH).gold == {}


def test_ones_own_decision_hides_nobody_elses(store: Store) -> None:
    seen = Seen(store, BATCH)
    shown = seen.of(BATCH)
    decisions.approve(store, BATCH, ["clip_0000"], "lead")
    seen.made(decisions.mark_gold(store, BATCH, "clip_0000", "good0", "rita", seen=shown))
    assert [one.actor for one in seen.news] == ["lead"]
    assert seen.of(BATCH) == shown
