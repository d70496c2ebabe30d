"""Pages and sensors over a platform with a long history in Dagster: real services, real runs in its storage."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Final
from uuid import uuid4

import dagster as dg
import httpx
from dagster._core.remote_origin import RemoteInstigatorOrigin
from dagster._core.storage.tags import PARTITION_NAME_TAG

from ava_assets.running.instance import open_instance
from ava_assets.running.services import free_port, of_platform, running
from ava_core.store import users
from ava_ui import addresses
from ava_ui.web.door import COOKIE
from benchmarks._bench import Bars, table
from benchmarks._scale_idle import PARTITIONS, plant
from tests.support.home import Home

RUNS: Final = 5_000
JOB: Final = "__ASSET_JOB"
LOOK_SECONDS: Final = 60.0
"""In which sensors tick while nobody else asks."""
VISITS: Final = 5
PAGE_S, TICK_S = 1.0, 2.0
PASSWORD: Final = "a-long-benchmark-password"
PAGES: Final = (
    addresses.OVERVIEW, addresses.BATCHES, addresses.BATCH.format(batch="batch000"), addresses.PROGRESS,
    addresses.QUALITY, addresses.METRICS, addresses.AUDIT_LOG, addresses.SYSTEM,
)  # fmt: skip


def plant_runs(home: Home) -> None:
    """Runs that went well, ten of each batch."""
    instance = open_instance(home.settings)
    for number in range(RUNS):
        run = dg.DagsterRun(
            job_name=JOB, run_id=str(uuid4()), status=dg.DagsterRunStatus.SUCCESS,
            tags={PARTITION_NAME_TAG: f"batch{number % PARTITIONS:03}"},
        )  # fmt: skip
        instance.run_storage.add_run(run)
    instance.dispose()


def pages(home: Home) -> dict[str, float]:
    """Seconds until the server's answer to each page, the median of some visits after a first one."""
    home.add_users({"vera": "admin"}, PASSWORD)
    token = users.sign_in(home.store, "vera", PASSWORD)
    found: dict[str, float] = {}
    with httpx.Client(base_url=f"http://127.0.0.1:{home.settings.console_port}", timeout=60) as http:
        http.cookies.set(COOKIE, token)
        for page in PAGES:
            took = []
            for _ in range(VISITS + 1):
                began = time.perf_counter()
                http.get(page).raise_for_status()
                took.append(time.perf_counter() - began)
            found[page] = median(took[1:])
    return found


def ticks(home: Home, since: float) -> dict[str, list[float]]:
    """Seconds of each tick of each sensor since then, as the daemon noted them."""
    instance = open_instance(home.settings)
    found: dict[str, list[float]] = {}
    for state in instance.all_instigator_state():
        origin: RemoteInstigatorOrigin = state.origin
        noted = instance.get_ticks(origin.get_id(), state.selector_id, after=since)
        own = [one.end_timestamp - one.timestamp for one in noted if one.end_timestamp]
        found.setdefault(state.instigator_name, []).extend(own)
    instance.dispose()
    return {name: own for name, own in found.items() if own}


def history(bars: Bars) -> None:
    """All services over such a home: measure, print, judge."""
    with tempfile.TemporaryDirectory(prefix="ava-history-", ignore_cleanup_errors=True) as folder:
        home = Home(
            Path(folder) / "home", console_port=free_port(), dagster_port=free_port(), cvat_port=free_port()
        )
        plant(home)
        plant_runs(home)
        with running(of_platform(home.settings)):
            since = time.time()
            time.sleep(LOOK_SECONDS)
            ticked = ticks(home, since)
            answered = pages(home)
    table(
        [f"{PARTITIONS} partitions, {RUNS} runs", "seconds"],
        [
            *([page, seconds] for page, seconds in answered.items()),
            *([f"tick of {name}, the longest of {len(own)}", max(own)] for name, own in ticked.items()),
        ],
    )
    bars.figure("pages, s", answered)
    bars.figure("ticks, s", ticked)
    slowest = max(answered.values())
    bars.bar("slowest page of many runs, s", slowest, PAGE_S, holds=slowest <= PAGE_S)
    longest = max((max(own) for own in ticked.values()), default=float("inf"))
    bars.bar("longest tick of many runs, s", longest, TICK_S, holds=longest <= TICK_S)
