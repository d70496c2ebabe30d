"""What a run did not prove, from the tests that it skipped: their names are sentences."""

from __future__ import annotations

from collections.abc import Iterable

NAMED = 5
"""Tests that are named for each reason; of others there is the number alone."""


def not_proved(skipped: Iterable[tuple[str, str]]) -> str:
    """One line for tests that were skipped, each as its node id and pytest's reason: what is open, and why."""
    why: dict[str, dict[str, None]] = {}
    for node, reason in skipped:
        why.setdefault(reason.removeprefix("Skipped: "), {})[_sentence(node)] = None
    parts = []
    for reason, sentences in why.items():
        named, more = list(sentences)[:NAMED], len(sentences) - NAMED
        parts.append(", ".join(named) + (f" and {more} more" if more > 0 else "") + f" ({reason})")
    return f"NOT PROVED: {'; '.join(parts)}"


def _sentence(node: str) -> str:
    name = node.rpartition("::")[2].partition("[")[0].partition("@")[0]
    return name.removeprefix("test_").replace("_", " ")
