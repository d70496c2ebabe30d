"""Deliveries of the annotation server to a running console, as fast as it takes them; none may be lost."""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any, Final

from ava_core.annotation.webhook import SIGNATURE_HEADER, signature
from ava_core.store import batches, open_store, tasks, webhook_events
from ava_core.store.tables import Job, Task
from benchmarks._bench import Bars, table
from benchmarks._running_console import RunningConsole, console

SECRET: Final = "of the webhook"
CONNECTIONS: Final = 10
JOBS: Final = 500
TWICE, FORGED = 0.10, 0.05
"""Shares of deliveries that are sent again, and whose signature is another's."""
REORDERED_WITHIN: Final = 20
"""Events that change places with each other."""
ACCEPTED_A_SECOND, MEDIAN_MS, GROWTH = 500.0, 20.0, 0.10
PAYLOAD_BYTES: Final = 2000
"""About what CVAT's `update:job` has."""
BEGAN: Final = datetime(2026, 11, 22, tzinfo=UTC)


@dataclass
class Sent:
    """What was sent, and how it was answered."""

    accepted: Counter[int] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    lasted: float = 0.0
    cpu: float = 0.0
    memory_mb: list[float] = field(default_factory=list)


def events(draw: random.Random) -> Iterator[tuple[int, bytes, bool]]:
    """Number, body, and whether it is genuine, of deliveries without end: jobs are begun and completed in turn."""
    near: list[tuple[int, bytes]] = []
    number = 0
    while True:
        while len(near) < REORDERED_WITHIN:
            number += 1
            near.append((number, body_of(number)))
        one = near[draw.randrange(len(near))]
        if draw.random() >= TWICE:  # else it stays, and is sent again
            near.remove(one)
        forged = draw.random() < FORGED
        yield (*one, not forged)


def body_of(number: int) -> bytes:
    """One event, as CVAT writes it."""
    job, completed = number // 2 % JOBS + 1, number % 2 == 1
    moment = (BEGAN + timedelta(seconds=number)).isoformat()
    state = "completed" if completed else "in progress"
    shown: dict[str, Any] = {
        "id": job, "stage": "annotation", "state": state, "updated_date": moment,
        "assignee": {"id": 2, "username": "mia"}, "labels": {"url": "x" * (PAYLOAD_BYTES - 500)},
    }  # fmt: skip
    changes = {"state": {"from": "new", "to": state}}
    event = {"event": "update:job", "webhook_id": 1, "number": number, "job": shown, "changes": changes}
    return json.dumps(event).encode()


async def send(site: RunningConsole, seconds: float) -> Sent:
    """Keep all connections busy for a time; each sends its next delivery once the last one is answered."""
    sent, wanted = Sent(), events(random.Random(15))
    end = time.perf_counter() + seconds

    async def one_connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.settings.console_port)
        while time.perf_counter() < end:
            number, body, genuine = next(wanted)
            sign = signature(SECRET if genuine else "another", body)
            head = (
                f"POST /webhook HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                f"{SIGNATURE_HEADER}: {sign}\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            began = time.perf_counter()
            writer.write(head.encode() + body)
            answer = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = int(answer.lower().partition("content-length:")[2].split()[0])
            await reader.readexactly(length)
            status = answer.split(maxsplit=2)[1]
            sent.answers[status if genuine else f"{status} to forged"] += 1
            if genuine and status == "200":
                sent.accepted[number] += 1
                sent.seconds.append(time.perf_counter() - began)
        writer.close()

    async def watch() -> None:
        while True:
            sent.memory_mb.append(site.process.memory_info().rss / 1e6)
            await asyncio.sleep(seconds / 50)

    before, began = cpu_seconds(site), time.perf_counter()
    watching = asyncio.create_task(watch())
    await asyncio.gather(*(one_connection() for _ in range(CONNECTIONS)))
    watching.cancel()
    sent.lasted, sent.cpu = time.perf_counter() - began, cpu_seconds(site) - before
    return sent


def cpu_seconds(site: RunningConsole) -> float:
    """Of the console's process until now."""
    times = site.process.cpu_times()
    return times.user + times.system


def lost(site: RunningConsole, sent: Sent) -> int:
    """Deliveries that were accepted and are not there, or not as often as they were sent."""
    with open_store(site.settings).session() as session:
        wanted = webhook_events.select(
            webhook_events.WebhookEvent.payload["number"].as_integer(), webhook_events.WebhookEvent.deliveries
        )
        kept = Counter(dict(row._tuple() for row in session.execute(wanted)))
    return sum((sent.accepted - kept).values())


def plant_jobs(site: RunningConsole) -> None:
    """Jobs that the events are about."""
    store = open_store(site.settings)
    batches.add(store, "b", "/in/b.zip", {})
    tasks.put_project(store, 1, "ava")
    jobs = [
        Job(job_id=n + 1, task_id=1, batch="b", clip_id="c", job_type="annotation", annotator="mia", frames=450)
        for n in range(JOBS)
    ]  # fmt: skip
    tasks.put_task(store, Task(task_id=1, project_id=1, name="c", batch="b", clip_id="c"), jobs)


def run(program: str, seconds: float) -> tuple[Sent, int]:
    """What was sent to a console on one core, and how many deliveries it lost."""
    with (
        tempfile.TemporaryDirectory(prefix="ava-load-") as folder,
        console(Path(folder) / "home", None, program, webhook_secret=SECRET) as site,
    ):
        plant_jobs(site)
        site.process.cpu_affinity([max(site.process.cpu_affinity())])
        asyncio.run(send(site, 2))  # libraries are loaded, the pool is open
        with open_store(site.settings).session() as session:
            session.execute(webhook_events.EVENTS.delete())
        sent = asyncio.run(send(site, seconds))
        return sent, lost(site, sent)


def measure(bars: Bars, seconds: float) -> None:
    """As the platform keeps them, beside each in a transaction of its own."""
    rows, found = [], {}
    for name, program, lasts in (
        ("together", "ava_ui", seconds),
        ("each by itself", "benchmarks._one_by_one", max(5.0, seconds / 4)),
    ):
        sent, missing = run(program, lasts)
        accepted = sum(sent.accepted.values())
        every = sum(sent.answers.values())
        rate, middle = accepted / sent.lasted, median(sent.seconds) * 1000
        cpu_ms = sent.cpu / every * 1000
        rows.append([name, sent.lasted, accepted, rate, middle, cpu_ms, every / sent.cpu, missing])
        found[name] = (sent, rate, middle, missing)
        bars.figure(f"deliveries, {name}", {
            "seconds": sent.lasted, "answers": dict(sent.answers), "accepted": accepted, "a second": rate,
            "median ms": middle, "CPU ms each": cpu_ms, "memory MB": sent.memory_mb, "lost": missing,
        })  # fmt: skip
    table(["kept", "s", "accepted", "a second", "median, ms", "CPU ms each", "a CPU-second", "lost"], rows)
    sent, rate, middle, missing = found["together"]
    fifth = max(1, len(sent.memory_mb) // 5)
    growth = median(sent.memory_mb[-fifth:]) / median(sent.memory_mb[fifth : 2 * fifth]) - 1
    print(f"answers: {dict(sent.answers)}")
    forged = {name: n for name, n in sent.answers.items() if name.endswith("forged")}
    bars.bar("deliveries accepted a second", rate, ACCEPTED_A_SECOND, holds=rate >= ACCEPTED_A_SECOND)
    bars.bar("median answer to a delivery, ms", middle, MEDIAN_MS, holds=middle <= MEDIAN_MS)
    bars.bar("deliveries lost", missing, 0, holds=missing == 0)
    bars.bar("memory growth over the deliveries", growth, GROWTH, holds=growth <= GROWTH)
    bars.bar(
        "forged deliveries accepted",
        sum(forged.values()) - forged.get("401 to forged", 0),
        0,
        holds=set(forged) == {"401 to forged"},
    )
