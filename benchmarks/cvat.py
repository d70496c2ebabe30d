"""Tasks made, jobs watched and work read back, each beside the slow way or beside the server's bare answers."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from ava_core.annotation import pool
from ava_core.annotation.gateway import CvatGateway
from ava_core.annotation.sync import look_at_jobs
from ava_core.store import Store, tasks
from ava_core.store.tables import Job, Task
from benchmarks._bench import Bars, argument_parser, table
from tests.support.annotation_server import PASSWORD, RunningServer, write_small_clip
from tests.support.annotation_site import AnnotationSite

LATENCY_SECONDS = 0.2
TASKS_MADE = 12
JOBS_READ = 1000
JOBS_WATCHED, JOBS_CHANGED = 5000, 50


def main() -> None:
    parser = argument_parser(__doc__ or "")
    parser.add_argument("--serve", nargs=3, metavar=("HOME", "PORT", "LATENCY"), help="used by itself")
    options = parser.parse_args()
    if options.serve:
        serve(Path(options.serve[0]), int(options.serve[1]), float(options.serve[2]))
        return
    bars = Bars("cvat")
    with tempfile.TemporaryDirectory() as folder:
        making(Path(folder), bars)
    with tempfile.TemporaryDirectory() as folder:
        watching_and_reading(Path(folder), bars)
    bars.finish(options.json)


def making(folder: Path, bars: Bars) -> None:
    """Tasks of three annotators each, with every answer 200 ms late: one clip at a time, and as the platform does."""
    seconds = {}
    with server(folder / "cvat", LATENCY_SECONDS) as url:
        for name, at_once in (("one at a time", 1), ("the platform", pool.AT_ONCE)):
            site = make_site(folder / name.replace(" ", "-"), url, TASKS_MADE, cvat_project=name)
            before, pool.AT_ONCE = pool.AT_ONCE, at_once
            began = time.perf_counter()
            site.create()
            seconds[name] = time.perf_counter() - began
            pool.AT_ONCE = before
    rows = [[name, took, TASKS_MADE / took] for name, took in seconds.items()]
    table([f"{TASKS_MADE} tasks, {LATENCY_SECONDS * 1000:.0f} ms latency", "seconds", "tasks/s"], rows)
    times = seconds["one at a time"] / seconds["the platform"]
    bars.figure("seconds to make tasks", seconds)
    bars.bar("task creation, times the rate of one at a time", times, 3.0, holds=times >= 3.0)


def watching_and_reading(folder: Path, bars: Bars) -> None:
    """A look at 5,000 jobs of which 50 changed; then 1,000 completed jobs read back."""
    home = folder / "cvat"
    with server(home) as url:
        site = make_site(folder / "site", url, 1, annotators_per_clip=1)
        site.create()
    many_jobs(home, site.store, JOBS_WATCHED)
    with server(home) as url:
        site.settings = site.settings.with_options({"cvat_url": url})
        with CvatGateway(site.settings) as gateway:
            cursor, _ = look_at_jobs(gateway, site.store)
    complete(home, JOBS_CHANGED)
    with server(home) as url:
        site.settings = site.settings.with_options({"cvat_url": url})
        began = time.perf_counter()
        with counting_requests() as requests, CvatGateway(site.settings) as gateway:
            _, changes = look_at_jobs(gateway, site.store, cursor)
        tick = time.perf_counter() - began
    assert len(changes) == JOBS_CHANGED, len(changes)
    table(
        ["one tick of the sensor", "jobs", "changed", "requests", "seconds"],
        [["polling with a cursor", JOBS_WATCHED, len(changes), requests[0], tick]],
    )
    bars.figure("sensor tick seconds", tick)
    most = 3 + JOBS_CHANGED
    bars.bar(
        f"requests of a tick, {JOBS_WATCHED} jobs, {JOBS_CHANGED} changed",
        requests[0],
        most,
        holds=requests[0] <= most,
    )

    complete(home, JOBS_READ - JOBS_CHANGED)
    with server(home) as url:
        site.settings = site.settings.with_options({"cvat_url": url})
        with CvatGateway(site.settings) as gateway:
            look_at_jobs(gateway, site.store)
        jobs = [job.job_id for job in tasks.completed_jobs(site.store, "b")]
        bare = bare_answers(url, jobs)
        began = time.perf_counter()
        tables = site.read()
        took = time.perf_counter() - began
        began = time.perf_counter()
        site.read()
        again = time.perf_counter() - began
    assert tables["completed_jobs"].height == len(jobs)
    rows = [
        ["bare answers of the server", bare],
        ["read, kept as versions, tables", took],
        ["nothing new", again],
    ]
    table([f"{len(jobs)} completed jobs", "seconds"], rows)
    bars.figure("jobs read per second", len(jobs) / took)
    bars.bar("reading back, times the server's bare answers", took / bare, 3.0, holds=took / bare <= 3.0)


def bare_answers(url: str, jobs: list[int]) -> float:
    """Seconds for the same answers with nothing done to them: annotations and state of each job."""
    with httpx.Client(base_url=url, timeout=60) as client:
        key = client.post("/api/auth/login", json={"username": "admin", "password": PASSWORD}).json()["key"]
        client.headers["Authorization"] = f"Token {key}"

        def fetch(job: int) -> None:
            client.get(f"/api/jobs/{job}/annotations").raise_for_status()
            client.get(f"/api/jobs/{job}").raise_for_status()

        began = time.perf_counter()
        with ThreadPoolExecutor(pool.AT_ONCE) as threads:
            list(threads.map(fetch, jobs))
        return time.perf_counter() - began


def many_jobs(home: Path, store: Store, count: int) -> None:
    """Copy the one task on the server's disk, and in the database, until there are `count` jobs."""
    from ava_core.annotation_server.state import State

    state = State(home)
    [task], [job] = state.all("task"), state.all("job")
    content = state.annotations(job["id"])
    [own] = tasks.jobs_of(store, "b")
    drawn = tasks.predrawn(store, [own.job_id])[own.job_id]
    rows: list[Any] = []
    for number in range(1, count):
        new_task = state.add(
            "task",
            **{k: v for k, v in task.items() if k not in OWN}
            | {"name": f"n{number}", "updated_date": LONG_AGO},
        )
        new_job = state.add(
            "job",
            **{k: v for k, v in job.items() if k not in OWN}
            | {"task_id": new_task["id"], "updated_date": LONG_AGO},
        )
        state.put_annotations(new_job["id"], content)
        rows.append(
            Task(
                task_id=new_task["id"],
                project_id=task["project_id"],
                name=f"n{number}",
                batch="b",
                clip_id="c0",
            )
        )
        rows.append(Job(
            job_id=new_job["id"], task_id=new_task["id"], batch="b", clip_id="c0", job_type="annotation",
            annotator=own.annotator, frames=own.frames, predrawn=drawn,
        ))  # fmt: skip
    with store.session() as session:
        session.add_all([row for row in rows if isinstance(row, Task)])
        session.flush()
        session.add_all([row for row in rows if isinstance(row, Job)])
    state.close()


OWN = frozenset({"id", "created_date", "updated_date"})
"""What a copy of a document does not take over."""
LONG_AGO = "2026-01-01T00:00:00.000000Z"


def complete(home: Path, count: int) -> None:
    """Complete the first `count` jobs that are open, as their annotators would."""
    from ava_core.annotation_server.state import State

    state = State(home)
    for job in [job for job in reversed(state.all("job")) if job["state"] == "new"][:count]:
        job["state"] = "completed"
        state.touch("job", job)
    state.close()


def make_site(home: Path, url: str, clips: int, **given: Any) -> AnnotationSite:
    """A platform with clips of a moving square, one track each, all of whose annotators annotate everything."""
    home.mkdir(parents=True)
    clip = write_small_clip(home / "clip.mp4")
    return AnnotationSite(
        RunningServer(url, home), home, clip, clips, **{"annotators_per_clip": 3, "overlap": 1.0} | given
    )


@contextmanager
def counting_requests() -> Iterator[list[int]]:
    """Counts the HTTP requests of this process during the block."""
    from urllib3.connectionpool import HTTPConnectionPool

    count, original = [0], HTTPConnectionPool.urlopen

    def counted(self: Any, *arguments: Any, **named: Any) -> Any:
        count[0] += 1
        return original(self, *arguments, **named)

    HTTPConnectionPool.urlopen = counted  # type: ignore[method-assign]
    try:
        yield count
    finally:
        HTTPConnectionPool.urlopen = original  # type: ignore[method-assign]


@contextmanager
def server(home: Path, latency: float = 0.0) -> Iterator[str]:
    """The embedded annotation server in a process of its own, each answer `latency` seconds late."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.cvat", "--serve", str(home), str(port), str(latency)]
    root = Path(__file__).resolve().parents[1]
    process = subprocess.Popen(command, cwd=root, env=os.environ | {"PYTHONPATH": str(root)})
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"{url}/api/server/about", timeout=5)
                break
            except httpx.HTTPError:
                assert process.poll() is None, "the server did not start"
                assert time.monotonic() < deadline, "the server does not answer"
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def serve(home: Path, port: int, latency: float) -> None:
    """Run the server in this process."""
    import uvicorn

    from ava_core.annotation_server import create_app

    app = create_app(home, admin_password=PASSWORD)

    async def late(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await asyncio.sleep(latency)
        await app(scope, receive, send)

    uvicorn.run(late, host="127.0.0.1", port=port, log_level="error", access_log=False)


if __name__ == "__main__":
    main()
