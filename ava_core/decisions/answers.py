"""An expert's word on what a person does at a second, and on whether there is one."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ava_core.base.errors import DecisionError
from ava_core.decisions.deciding import Deciding, deciding
from ava_core.decisions.presence import PRESENCE, presence_ids
from ava_core.ontology import Ontology
from ava_core.store import Store
from ava_core.store.tables import Decision


def adjudicate(
    store: Store,
    batch: str,
    *,
    clip_id: str,
    second: int,
    until: int | None = None,
    person_id: int,
    group: str,
    action_ids: Collection[int],
    actor: str,
    comment: str = "",
    seen: int | None = None,
) -> list[Decision]:
    """Decide what a person does at a keyframe, or at every one `until` another second, whatever the annotators said.

    All seconds are decided on, or none. Raises `DecisionError` for group `presence`, which `settle_presence` decides.
    """
    if group == PRESENCE:
        raise DecisionError(
            f"The presence of person {person_id} of {clip_id} at second {second} is not an action.",
            "Settle the person's presence: yes or no.",
        )
    with deciding(store, batch, actor, comment, seen) as now:
        at = {"clip_id": clip_id, "person_id": person_id, "group": group}
        return _settled(now, at, _seconds(second, until), sorted(action_ids))


def settle_presence(
    store: Store,
    batch: str,
    *,
    clip_id: str,
    second: int,
    until: int | None = None,
    person_id: int,
    present: bool,
    actor: str,
    comment: str = "",
    seen: int | None = None,
) -> list[Decision]:
    """Decide whether a person is there at a keyframe at all, or at every one `until` another second.

    It holds however many annotators drew a box. Where nobody is, box and labels leave the consensus, whatever was
    decided on the labels.
    """
    with deciding(store, batch, actor, comment, seen) as now:
        at = {"clip_id": clip_id, "person_id": person_id, "group": PRESENCE}
        return _settled(now, at, _seconds(second, until), presence_ids(present))


def action_ids(ontology: Ontology, group: str, names: Collection[str]) -> list[int]:
    """Ids of a group's actions by name. Raises `DecisionError` for what the ontology does not hold."""
    groups = {one.name: {action.name: action.id for action in one.actions} for one in ontology.groups}
    if group not in groups:
        raise DecisionError(f"The ontology has no group {group!r}.", f"It has {', '.join(sorted(groups))}.")
    unknown = [name for name in names if name not in groups[group]]
    if unknown:
        raise DecisionError(
            f"Group {group} has no action {unknown[0]!r}.", f"It has {', '.join(groups[group])}."
        )
    return sorted(groups[group][name] for name in names)


def _settled(now: Deciding, at: dict[str, Any], seconds: range, action_ids: list[int]) -> list[Decision]:
    """Decide the same on a person's seconds."""
    now.statuses([at["clip_id"]])
    places = {
        "{clip_id}/{second}/{person_id}/{group}".format(second=second, **at): at | {"second": second}
        for second in seconds
    }
    now.refuse_moved("adjudicate", places)
    before = now.holds("adjudicate", places)
    return [
        now.add("adjudicate", subject, before.get(subject, {}), place | {"action_ids": action_ids})
        for subject, place in places.items()
    ]


def _seconds(second: int, until: int | None) -> range:
    return range(second, (second if until is None else until) + 1)
