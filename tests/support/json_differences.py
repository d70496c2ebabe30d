"""Comparing JSON bodies: keys and types throughout, values where they are the contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

EXACT = frozenset({
    "state", "stage", "status", "type", "mode", "dimension", "media_type", "role", "event", "read_only",
    "is_active", "frame", "outside", "occluded", "points", "rotation", "keyframe", "source", "value", "score",
    "start_frame", "stop_frame", "frame_count", "size", "segment_size", "overlap", "frame_filter",
    "consensus_replicas", "replicas_count", "consensus_enabled", "chunk_size", "data_chunk_size",
    "data_original_chunk_type", "data_compressed_chunk_type", "image_quality", "validation_mode", "mutable",
    "default_value", "input_type", "values", "name", "slug", "username", "first_name", "last_name", "detail",
    "status_code", "attempt", "redelivery", "events", "resolved", "position", "color", "expired", "accepted",
    "display_name",
})  # fmt: skip
"""Fields whose values must be the recorded ones, as long as the objects correspond."""


PAGE = "$.results"
"""Where a list's page has its entries."""
VARYING = frozenset({"before_update", "changes"})
"""Objects whose keys are the fields that changed; the webhooks' own test looks at these."""

Corresponding = Callable[[dict[str, Any], dict[str, Any]], bool]
"""Says whether a recorded and a live object are the same one."""


def differences(recorded: Any, live: Any, same: Corresponding | None, where: str = "$") -> list[str]:
    """How `live` differs from `recorded`: keys, JSON types, and the values of `EXACT` fields.

    `None` on either side matches anything. Values are compared in objects that are the `same`, never where `same`
    is `None`. Lists are compared entry by entry; on pages, which may be shorter or longer here, and where values do
    not matter, each live entry is held to the recorded one that it is most like. An empty list differs from one that
    is not empty.
    """
    if recorded is None or live is None:
        return []
    if kind_of(recorded) != kind_of(live):
        return [f"{where}: {kind_of(recorded)} recorded, {kind_of(live)} here"]
    if isinstance(recorded, dict):
        return _of_objects(recorded, live, same, where)
    if isinstance(recorded, list):
        return _of_lists(recorded, live, same, where)
    return []


def _of_objects(
    recorded: dict[str, Any], live: dict[str, Any], same: Corresponding | None, where: str
) -> list[str]:
    found = [f"{where}.{name}: missing here" for name in recorded.keys() - live.keys()]
    found += [f"{where}.{name}: only here" for name in live.keys() - recorded.keys()]
    if same is not None and not same(recorded, live):
        same = None
    for name in sorted((recorded.keys() & live.keys()) - VARYING):
        there, here = recorded[name], live[name]
        found += differences(there, here, same, f"{where}.{name}")
        if (
            same is not None
            and name in EXACT
            and _is_plain(there)
            and None not in (there, here)
            and there != here
        ):
            found.append(f"{where}.{name}: {there!r} recorded, {here!r} here")
    return found


def _of_lists(recorded: list[Any], live: list[Any], same: Corresponding | None, where: str) -> list[str]:
    must_match = same is not None and not where.endswith(PAGE)
    if bool(recorded) != bool(live) or (must_match and len(recorded) != len(live)):
        return [f"{where}: {len(recorded)} entries recorded, {len(live)} here"]
    if same is None or len(recorded) != len(live):
        return [line for n, here in enumerate(live) for line in _unlike_any(recorded, here, f"{where}[{n}]")]
    if all(isinstance(one, dict) and "spec_id" in one for one in recorded + live):
        recorded, live = (sorted(side, key=lambda one: one["spec_id"]) for side in (recorded, live))
    pairs = enumerate(zip(recorded, live, strict=True))
    return [line for n, (there, here) in pairs for line in differences(there, here, same, f"{where}[{n}]")]


def _unlike_any(recorded: list[Any], live: Any, where: str) -> list[str]:
    """How an entry differs from the recorded one that it is most like."""
    return min((differences(one, live, None, where) for one in recorded), key=len)


def _is_plain(value: Any) -> bool:
    """Whether a value can be compared: it holds no objects, and was not redacted."""
    return "<" not in str(value) and "{" not in str(value)


def kind_of(value: Any) -> str:
    """A JSON value's type, by its name in JSON."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return {str: "string", dict: "object", list: "array", type(None): "null"}[type(value)]
