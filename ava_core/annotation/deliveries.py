"""What is taken from deliveries of the annotation server, and how those that come together are kept together.

A transaction costs as much for a hundred deliveries as for one. So while one is written, what comes meanwhile
gathers, and is written after it in one transaction; each caller is answered once its own delivery is committed.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy.exc import OperationalError

from ava_core.base.errors import StoreBusyError, StoreError
from ava_core.store import Store, tasks, webhook_events
from ava_core.store.tables import BEGUN_STATE, DONE_STAGE, DONE_STATE

AT_ONCE: Final = 200
"""Deliveries in one transaction: others wait for its lock, and more would hardly make each cheaper."""
MOST_WAITING: Final = 2000
"""Deliveries that wait to be written; a megabyte each at most. Further ones are to be sent again."""
LARGEST_ID: Final = 2**31 - 1
"""Of a job: what the database's column holds."""

Payload = dict[str, Any]


def keep_deliveries(store: Store, payloads: Sequence[Payload]) -> list[bool]:
    """Keep events, in their order and in one transaction; returns which were new.

    A project's and an organisation's webhook tell of the same event with another `webhook_id`: that is left out
    of what makes two deliveries one.
    """
    with store.session() as session:
        new = webhook_events.keep(session, [_row(payload) for payload in payloads])
        told = [payload for payload, is_new in zip(payloads, new, strict=True) if is_new]
        tasks.note_starts(session, [begun for payload in told if (begun := _began(payload))])
        tasks.note_completions(session, [done for payload in told if (done := _completed(payload))])
    return new


@dataclass
class Arrivals:
    """Deliveries that have come and are not written yet. `open_store`: the database, once it is wanted."""

    open_store: Callable[[], Store]
    _waiting: list[tuple[Payload, asyncio.Future[bool]]] = field(default_factory=list)
    _writing: asyncio.Task[None] | None = None

    async def keep(self, payload: Payload) -> bool:
        """Returns once the event is committed, and whether it was new. Raises what the database says."""
        if len(self._waiting) >= MOST_WAITING:
            raise StoreBusyError("Too many deliveries are waiting.", "Deliver it again.")
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((payload, written))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return await written

    async def _write(self) -> None:
        try:
            while self._waiting:
                together, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
                answers = await asyncio.to_thread(self._kept, [payload for payload, _ in together])
                for (_, written), answer in zip(together, answers, strict=True):
                    if written.done():  # its caller has gone; the event is kept all the same
                        continue
                    if isinstance(answer, bool):
                        written.set_result(answer)
                    else:
                        written.set_exception(answer)
        finally:
            self._writing = None

    def _kept(self, payloads: Sequence[Payload]) -> list[bool | Exception]:
        """What became of each. One that the database does not take costs the others nothing."""
        try:
            return [*keep_deliveries(self.open_store(), payloads)]
        except (StoreError, OperationalError) as error:
            return [error] * len(payloads)  # the database itself: the next try would wait as long
        except Exception as error:
            if len(payloads) == 1:
                return [error]
            return [answer for payload in payloads for answer in self._kept([payload])]


def _row(payload: Payload) -> dict[str, Any]:
    event = {name: value for name, value in payload.items() if name != "webhook_id"}
    return {
        "digest": hashlib.sha256(json.dumps(event, sort_keys=True).encode()).hexdigest(),
        "event": str(payload.get("event", ""))[:64],
        "job_id": _job_of(payload),
        "payload": payload,
    }


def _job_of(payload: Payload) -> int | None:
    """The job that an event is about: a job's own, or that of an issue."""
    job, issue = payload.get("job"), payload.get("issue")
    number = job.get("id") if isinstance(job, dict) else issue.get("job") if isinstance(issue, dict) else None
    return number if isinstance(number, int) and 0 <= number <= LARGEST_ID else None


def _began(payload: Payload) -> tuple[int, str, datetime] | None:
    """Job, annotator and moment, where an event says that an annotator works on a job."""
    job, number = payload.get("job"), _job_of(payload)
    if number is None or not isinstance(job, dict) or not isinstance(job.get("assignee"), dict):
        return None
    if (job.get("stage"), job.get("state")) != (DONE_STAGE, BEGUN_STATE):
        return None
    moment = _moment(job)
    return (number, str(job["assignee"].get("username")), moment) if moment else None


def _completed(payload: Payload) -> tuple[int, datetime] | None:
    """Job and moment, where an event says that a job became completed; a touch of one that was is no completion."""
    job, number, changes = payload.get("job"), _job_of(payload), payload.get("changes")
    if number is None or not isinstance(job, dict) or not isinstance(changes, dict) or "state" not in changes:
        return None
    moment = _moment(job) if (job.get("stage"), job.get("state")) == (DONE_STAGE, DONE_STATE) else None
    return (number, moment) if moment else None


def _moment(job: Payload) -> datetime | None:
    """When the job that an event shows was changed."""
    try:
        moment = datetime.fromisoformat(str(job.get("updated_date")))
    except ValueError:
        return None
    # CVAT says its time zone; a moment without one would be taken for this machine's.
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
