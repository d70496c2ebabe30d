"""The embedded annotation server answers as a real CVAT 2.73 did: its recorded exchanges, played again.

All recordings are one history and are played in one go; then each flow is looked at by itself. Compared are status,
media type, keys and JSON types throughout, the values of fields that carry meaning, and the text of refusals.
Where the real server failed over a request (status 500), the embedded one refuses it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.annotation_server import serving
from tests.support.json_differences import differences
from tests.support.openapi import OpenApi
from tests.support.recordings import (
    FLOWS,
    UNREPEATABLE,
    UNSUPPORTED,
    Delivery,
    Exchange,
    read_deliveries,
    read_recordings,
)
from tests.support.replay import PASSWORD, Outcome, Replay
from tests.support.webhook_receiver import Receiver, receiving

AT_LEAST_COMPARED = 560
"""Of the 706 recorded exchanges; the rest is in `UNSUPPORTED` and `UNREPEATABLE`."""


@dataclass(frozen=True)
class History:
    """What came of the replay: outcomes of supported and refused exchanges, and who received the webhooks."""

    compared: list[tuple[Outcome, list[str]]]
    refused: list[Outcome]
    receiver: Receiver


@pytest.fixture(scope="module")
def recordings() -> list[Exchange]:
    """The recorded exchanges in the order of time."""
    return read_recordings()


@pytest.fixture(scope="module")
def history(recordings: list[Exchange], tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    """The recordings, played against a fresh server."""
    compared, refused = [], []
    with ExitStack() as stack:
        receiver = stack.enter_context(receiving())
        server = stack.enter_context(serving(tmp_path_factory.mktemp("contract"), registration=True))
        replay = Replay(server.url, receiver.url)
        stack.callback(replay.close)
        for exchange in recordings:
            if (exchange.flow, exchange.number) in UNREPEATABLE:
                continue
            outcome = replay.play(exchange)
            if exchange.unsupported:
                refused.append(outcome)
                replay.bring_about(exchange, recordings)
            else:
                compared.append((outcome, deviations(replay, outcome)))
        yield History(compared, refused, receiver)


def deviations(replay: Replay, outcome: Outcome) -> list[str]:
    """In what an outcome differs from the recorded answer."""
    exchange = outcome.exchange
    if exchange.status == 500:
        return [] if 400 <= outcome.status < 500 else [f"a fault recorded, {outcome.status} here"]
    if outcome.status != exchange.status:
        return [f"status {exchange.status} recorded, {outcome.status} here: {outcome.answer}"]
    if outcome.content_type != exchange.content_type:
        return [f"{exchange.content_type} recorded, {outcome.content_type} here"]
    if not exchange.is_json:
        return []
    if exchange.status >= 400 and "<redacted>" not in str(exchange.answer):
        same_text = exchange.answer == outcome.answer
        return [] if same_text else [f"{exchange.answer!r} recorded, {outcome.answer!r} here"]
    return differences(exchange.answer, outcome.answer, None if exchange.by_shape else replay.is_same)


@pytest.mark.parametrize("flow", FLOWS)
def test_answers_as_recorded(flow: str, history: History) -> None:
    found = {
        str(outcome.exchange): lines
        for outcome, lines in history.compared
        if outcome.exchange.flow == flow and lines
    }
    assert not found, "\n".join(f"{name}: {line}" for name, lines in found.items() for line in lines)


def test_most_exchanges_are_compared(history: History, recordings: list[Exchange]) -> None:
    compared, refused = len(history.compared), len(history.refused)
    print(f"{len(recordings)} exchanges: {compared} compared, {refused} refused on purpose")
    assert compared >= AT_LEAST_COMPARED
    assert compared + refused + len(UNREPEATABLE) == len(recordings)


def test_what_is_not_supported_is_refused(history: History) -> None:
    for outcome in history.refused:
        unsupported = outcome.exchange.unsupported
        assert unsupported is not None
        assert outcome.status in unsupported.statuses, (
            f"{outcome.exchange} is supported now: {unsupported.reason}"
        )


def test_each_entry_of_what_is_not_supported_is_recorded(history: History) -> None:
    used = [outcome.exchange.unsupported for outcome in history.refused]
    assert [one for one in UNSUPPORTED if one not in used] == []


def test_answers_keep_to_the_schema(history: History, reference_data: Path) -> None:
    """Where the real server's own answer breaks its schema, ours may break it in the same way."""
    schema = OpenApi(reference_data / "cvat" / "schema.yml")
    checked = 0
    for outcome, _ in history.compared:
        exchange = outcome.exchange
        name = schema.schema_of(exchange.method, exchange.path, outcome.status)
        if name is None or outcome.answer is None:
            continue
        checked += 1
        broken = schema.violations(name, outcome.answer)
        if broken:
            broken -= schema.violations(name, exchange.answer)
        assert not broken, f"{exchange} breaks {name}: {broken}"
    assert checked >= AT_LEAST_COMPARED // 2


@pytest.fixture(scope="module")
def recorded_deliveries() -> list[Delivery]:
    """What the real server sent to its webhooks in the same history, but for its ground-truth job."""
    return [one for one in read_deliveries() if one.body.get("job", {}).get("type") != "ground_truth"]


def matter(path: str, body: dict[str, Any]) -> tuple[Any, ...]:
    """What a delivery is about: receiver, event, and the fields that changed."""
    return path, body["event"], frozenset(body.get("changes", {})), frozenset(body.get("before_update", {}))


def test_webhooks_deliver_as_recorded(history: History, recorded_deliveries: list[Delivery]) -> None:
    for recorded in recorded_deliveries:
        wanted = matter(recorded.path, recorded.body)
        live = history.receiver.wait_for(lambda one, m=wanted: matter(one.path, one.body) == m)
        assert differences(recorded.body, live.body, None) == [], wanted
        for name in recorded.body.get("changes", {}):
            assert live.body["changes"][name].keys() == {"from", "to"}
            assert live.body["changes"][name]["from"] == live.body["before_update"][name]


def test_webhooks_are_signed_as_recorded(history: History, recorded_deliveries: list[Delivery]) -> None:
    for recorded in recorded_deliveries:
        live = history.receiver.wait_for(lambda one, path=recorded.path: one.path == path)
        assert recorded.signed
        digest = hmac.new(PASSWORD.encode(), live.raw, hashlib.sha256).hexdigest()
        assert live.headers["X-Signature-256"] == f"sha256={digest}"
        assert live.headers["Content-Type"] == recorded.content_type
        assert live.headers["User-Agent"].startswith("CVAT/2.73.0 ")
