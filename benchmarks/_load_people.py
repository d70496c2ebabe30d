"""People at work at the same time: sessions at the console, annotators who save, uploads that are cut off and go on."""

from __future__ import annotations

import asyncio
import hashlib
import random
import secrets
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

import httpx

from ava_core.store import open_store, users
from ava_core.video.intake.uploads import Quota, Uploads
from ava_ui.elements.uploader import PIECE
from ava_ui.main import PAGES
from ava_ui.web.door import COOKIE
from benchmarks._bench import Bars, table
from benchmarks._console_work import PASSWORD as CONSOLE_PASSWORD
from benchmarks._console_work import SMALL
from benchmarks._running_console import RunningConsole, console
from benchmarks.cvat import make_site, server
from tests.support.annotation_server import PASSWORD

SESSIONS, ANNOTATORS, UPLOADS = 30, 20, 4
LOOK_EVERY_S: Final = 6.0
"""Between two pages of one session."""
SAVE_EVERY_S: Final = 2.0
"""Between two saves; all annotators save at the same moment."""
PEOPLE: Final = 10
"""Tracks in a job."""
CUT_OFF: Final = 0.1
"""Share of pieces whose connection breaks half-way."""
P95_MS: Final = 300.0
ALONE_S: Final = 15.0
PATIENCE_S: Final = 600.0
"""A machine that is slow gives slow answers, not broken measurements."""


@dataclass
class Work:
    """Seconds of each answer by kind, and what went wrong."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)

    def took(self, kind: str, began: float) -> None:
        """Note an answer."""
        self.seconds.setdefault(kind, []).append(time.perf_counter() - began)


Going = Callable[[], bool]


@dataclass
class Place:
    """Everything that people work with."""

    site: RunningConsole
    cvat: str
    sessions: list[str]
    jobs: list[tuple[int, str]]
    """Job, and its annotator's token."""


async def look(place: Place, work: Work, going: Going) -> None:
    """All sessions look at pages, each at its own moments."""
    paths = [
        place.site.path(page.path) for page in PAGES if page.role == "viewer" and "job_id" not in page.path
    ]

    async def one(number: int, token: str) -> None:
        draw = random.Random(number)
        async with httpx.AsyncClient(
            base_url=place.site.url, cookies={COOKIE: token}, timeout=PATIENCE_S
        ) as client:
            await asyncio.sleep(draw.uniform(0, LOOK_EVERY_S))
            while going():
                began = time.perf_counter()
                (await client.get(draw.choice(paths))).raise_for_status()
                work.took("page", began)
                await asyncio.sleep(LOOK_EVERY_S)

    await asyncio.gather(*(one(number, token) for number, token in enumerate(place.sessions)))


async def save(place: Place, work: Work, going: Going) -> None:
    """All annotators save at once, again and again; in the end each job holds what was saved last."""
    async with httpx.AsyncClient(base_url=place.cvat, timeout=PATIENCE_S) as client:
        headers = [{"Authorization": f"Token {token}"} for _, token in place.jobs]
        drawn = []
        for (job, _), own in zip(place.jobs, headers, strict=True):
            given = (await client.get(f"/api/jobs/{job}/annotations", headers=own)).raise_for_status().json()
            drawn.append([_without_ids(given["tracks"][0]) for _ in range(PEOPLE)])

        async def one(number: int, mark: float) -> None:
            (job, _), tracks = place.jobs[number], drawn[number]
            for track in tracks:
                track["shapes"][0]["points"][0] = mark
            began = time.perf_counter()
            body = {"version": 0, "tags": [], "shapes": [], "tracks": tracks}
            answer = await client.put(f"/api/jobs/{job}/annotations", json=body, headers=headers[number])
            answer.raise_for_status()
            work.took("save", began)

        rounds = 0
        while going():
            rounds += 1
            wait = asyncio.create_task(asyncio.sleep(SAVE_EVERY_S))
            await asyncio.gather(*(one(number, rounds % 40 / 4) for number in range(len(place.jobs))))
            await wait
        lost = 0
        for (job, _), own in zip(place.jobs, headers, strict=True):
            kept = (await client.get(f"/api/jobs/{job}/annotations", headers=own)).json()["tracks"]
            right = [track["shapes"][0]["points"][0] == rounds % 40 / 4 for track in kept]
            lost += right != [True] * PEOPLE
        work.lost["jobs that hold another save than the last"] = lost


def _without_ids(track: dict[str, Any]) -> dict[str, Any]:
    shapes = [{k: v for k, v in shape.items() if k != "id"} for shape in track["shapes"]]
    return {k: v for k, v in track.items() if k != "id"} | {"shapes": shapes}


async def upload(place: Place, work: Work, total: int) -> None:
    """Several files go up at once; connections break, and each goes on from what is there."""
    mark_size = len(f"{secrets.token_hex(16)} {0:012}")
    noise = secrets.token_bytes(PIECE - mark_size)

    def piece(key: str, offset: int, size: int) -> bytes:
        # One copy and no more: each would keep everybody else of this process waiting, as no browser does.
        return (f"{key} {offset:012}".encode() + noise)[: size - offset]

    async def one(number: int, client: httpx.AsyncClient) -> None:
        draw, key, size = random.Random(number), secrets.token_hex(16), total // UPLOADS
        meant, sent = hashlib.sha256(), 0
        while sent < size:
            content = piece(key, sent, size)
            if draw.random() < CUT_OFF:
                await _break_off(place, key, sent, content)
                sent_now = (await client.get(f"/upload/{key}")).json()["received"]
                assert sent_now == sent, "half a piece is none"
            began = time.perf_counter()
            answer = await client.post(f"/upload/{key}?offset={sent}", content=content)
            work.took("piece", began)
            answer.raise_for_status()
            # In a thread: what a browser does with its file keeps nobody else's answer waiting.
            await asyncio.to_thread(meant.update, content)
            sent = answer.json()["received"]
        part = Uploads(place.site.settings.inbox_dir / ".uploads", "bench", Quota(0, 0)).own / f"{key}.part"
        there = await asyncio.to_thread(_sum_of, part)
        work.lost["uploads that are not what was sent"] = work.lost.get(
            "uploads that are not what was sent", 0
        ) + (there != meant.hexdigest())
        await client.delete(f"/upload/{key}")

    cookies = {COOKIE: place.site.token}
    async with httpx.AsyncClient(base_url=place.site.url, cookies=cookies, timeout=PATIENCE_S) as client:
        await asyncio.gather(*(one(number, client) for number in range(UPLOADS)))


async def _break_off(place: Place, key: str, offset: int, content: bytes) -> None:
    """Send half a piece, and go away."""
    _, writer = await asyncio.open_connection("127.0.0.1", place.site.settings.console_port)
    head = (
        f"POST /upload/{key}?offset={offset} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {COOKIE}={place.site.token}\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    writer.write(head.encode() + content[: len(content) // 2])
    await writer.drain()
    writer.close()


def _sum_of(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def alone(kind: str, place: Place, total: int) -> Work:
    """One kind of work with nobody beside it."""
    work, end = Work(), time.monotonic() + ALONE_S

    def going() -> bool:
        return time.monotonic() < end

    if kind == "piece":
        asyncio.run(upload(place, work, total))
    else:
        asyncio.run((look if kind == "page" else save)(place, work, going))
    return work


def together(place: Place, seconds: float, total: int) -> Work:
    """Everybody at once, for a time and until all is uploaded."""
    work, end, uploading = Work(), time.monotonic() + seconds, True

    def going() -> bool:
        return uploading or time.monotonic() < end

    async def everything() -> None:
        async def uploads() -> None:
            nonlocal uploading
            await upload(place, work, total)
            uploading = False

        await asyncio.gather(look(place, work, going), save(place, work, going), uploads())

    asyncio.run(everything())
    return work


def open_place(folder: Path, site: RunningConsole, cvat: str) -> Place:
    """Sessions of people, and a job for every annotator."""
    store = open_store(site.settings)
    sessions = []
    for number in range(SESSIONS):
        users.add(store, f"person{number}", CONSOLE_PASSWORD, "reviewer")
        sessions.append(users.sign_in(store, f"person{number}", CONSOLE_PASSWORD))
    names = [f"annotator{number:02}" for number in range(ANNOTATORS)]
    work = make_site(folder / "site", cvat, ANNOTATORS * 2, annotators_per_clip=1, annotators=",".join(names))
    work.server.add_annotators(*names)
    work.add_annotators(names)
    dealt = work.create()
    jobs = []
    with httpx.Client(base_url=cvat, timeout=PATIENCE_S) as client:
        for name in names:
            answer = client.post("/api/auth/login", json={"username": name, "password": PASSWORD})
            job = next(row["job_id"] for row in dealt.iter_rows(named=True) if row["annotator"] == name)
            jobs.append((job, answer.raise_for_status().json()["key"]))
    return Place(site, cvat, sessions, jobs)


def measure(bars: Bars, seconds: float, gigabytes: float) -> None:
    """Each kind of work alone, then all together."""
    total = int(gigabytes * 1e9)
    with tempfile.TemporaryDirectory(prefix="ava-load-") as name:
        folder = Path(name)
        with server(folder / "cvat") as cvat, console(folder / "home", SMALL) as site:
            place = open_place(folder, site, cvat)
            apart = {kind: alone(kind, place, total // 10) for kind in ("page", "save", "piece")}
            before, began = site.process.cpu_times(), time.perf_counter()
            work = together(place, seconds, total)
            lasted, after = time.perf_counter() - began, site.process.cpu_times()
    rows = []
    for kind, what in (("page", "a page"), ("save", "a save"), ("piece", f"a piece of {PIECE >> 20} MB")):
        own, times = apart[kind].seconds[kind], work.seconds[kind]
        p95 = _p95(times) * 1000
        rows.append([what, len(times), median(own) * 1000, _p95(own) * 1000, median(times) * 1000, p95])
        bars.bar(f"{what}, everybody at once, 95 %, ms", p95, P95_MS, holds=p95 <= P95_MS)
    table(["answers, ms", "number", "alone", "95 % alone", "together", "95 % together"], rows)
    cpu = after.user + after.system - before.user - before.system
    print(f"{lasted:.0f} s; the console took {cpu / lasted:.2f} of a core; {gigabytes:g} GB were uploaded")
    for what, number in work.lost.items():
        bars.bar(what, number, 0, holds=number == 0)
    bars.figure("people", {
        "seconds": lasted, "console, share of a core": cpu / lasted, "GB": gigabytes,
        "alone_s": {kind: own.seconds[kind] for kind, own in apart.items()}, "together_s": work.seconds,
    })  # fmt: skip


def _p95(times: list[float]) -> float:
    return quantiles(times, n=20)[-1]
