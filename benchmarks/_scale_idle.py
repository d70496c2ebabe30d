"""What a platform costs on which nothing happens: CPU of all its services, with many batches that are finished."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import psutil

from ava_assets.partitions import video_batch
from ava_assets.running.instance import open_instance
from ava_assets.running.services import free_port, of_platform, running
from ava_core.operations.needs import TASKS, VIDEO_ASSETS
from ava_core.store import batches, made_of
from benchmarks._bench import Bars, table
from tests.support.home import Home

PARTITIONS: Final = 500
REST_SECONDS: Final = 60.0
"""Until what a start entails is over."""
SECONDS: Final = 120.0
SHARE_OF_A_CORE: Final = 0.03


def plant(home: Home) -> None:
    """Batches whose tasks are all made: nothing is to be done before somebody completes a job."""
    names = [f"batch{number:03}" for number in range(PARTITIONS)]
    for name in names:
        batches.add(home.store, name, f"/in/{name}.zip", {})
        for asset in (*VIDEO_ASSETS, TASKS):
            made_of.note(home.store, name, asset)
    instance = open_instance(home.settings)
    instance.add_dynamic_partitions(str(video_batch.name), names)
    instance.dispose()


def cpu_by_service(services: Mapping[str, psutil.Process]) -> dict[str, float]:
    """CPU seconds of each service until now, its children among them."""
    found = {}
    for name, process in services.items():
        every = [process, *process.children(recursive=True)]
        found[name] = sum(sum(one.cpu_times()[:2]) for one in every)
    return found


def idle(bars: Bars, seconds: float = SECONDS) -> None:
    """All services over a home, left alone."""
    with tempfile.TemporaryDirectory(prefix="ava-idle-") as folder:
        home = Home(
            Path(folder) / "home", console_port=free_port(), dagster_port=free_port(), cvat_port=free_port()
        )
        plant(home)
        with running(of_platform(home.settings)) as services:
            leaders = {service.name: psutil.Process(service.pid) for service in services}
            time.sleep(REST_SECONDS)
            before, began = cpu_by_service(leaders), time.perf_counter()
            time.sleep(seconds)
            after, lasted = cpu_by_service(leaders), time.perf_counter() - began
    shares = {name: (after[name] - before[name]) / lasted for name in leaders}
    total = sum(shares.values())
    table(
        [f"idle, {PARTITIONS} partitions, {lasted:.0f} s", "% of a core"],
        [[name, share * 100] for name, share in [*shares.items(), ("all", total)]],
    )
    bars.figure("idle, share of a core", shares)
    bars.bar("idle platform, share of a core", total, SHARE_OF_A_CORE, holds=total <= SHARE_OF_A_CORE)
