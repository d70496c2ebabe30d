"""Which runner the settings and the work ask for."""

from __future__ import annotations

from ava_core.base.settings import Settings
from ava_core.base.work.cores import available
from ava_core.base.work.on_ray import RayRunner
from ava_core.base.work.processes import ProcessRunner
from ava_core.base.work.runner import InlineRunner, Runner


def make_runner(settings: Settings, units: int, *, worth: float, on_gpu: bool = False) -> Runner:
    """The runner for so many units.

    `worth`: how many workers the work is worth starting for, should the settings leave their number open; it is one
    where the units share a GPU, which is busy with one. A single worker is this process itself.
    """
    if settings.runner == "inline":
        return InlineRunner()
    if settings.runner == "ray":
        return RayRunner(settings.ray_address, on_gpu=on_gpu, workers=settings.workers)
    workers = settings.workers or (1 if on_gpu else min(len(available()), int(worth)))
    workers = min(workers, units)
    return ProcessRunner(workers) if workers > 1 else InlineRunner()
