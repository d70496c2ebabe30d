"""Pictures of actions, which stand beside their descriptions."""

from __future__ import annotations

from typing import Final

from ava_core.store import examples
from ava_ui import addresses
from ava_ui.known.console import Console

EXAMPLES_SHOWN: Final = 3
"""Of an action, at most: the newest."""


def pictures_of_actions(
    console: Console, ontology: str, batch: str, clip_id: str, annotator: str = ""
) -> dict[int, list[dict[str, str]]]:
    """Each action's newest examples: the address of the `loop` and of the `still` picture.

    Without those of this clip, and of clips that the `annotator` has a job of: they would tell an answer.
    """
    found: dict[int, list[dict[str, str]]] = {}
    for one in reversed(examples.of_ontology(console.store, ontology, annotator)):
        own = found.setdefault(one.action_id, [])
        if (one.batch, one.clip_id) != (batch, clip_id) and len(own) < EXAMPLES_SHOWN:
            still = addresses.example(one.example_id, still=True)
            own.append({"loop": addresses.example(one.example_id), "still": still})
    return found
