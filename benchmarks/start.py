"""How fast the core is imported, beside a bare interpreter and beside Dagster; what a run's process imports."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path

from benchmarks._bench import Bars, argument_parser, table

ROUNDS = 7
PROGRAMS = {
    "bare interpreter": "pass",
    "import ava_core": "import ava_core",
    "ava_core settings, ontology, tables, store": (
        "import ava_core.base.settings, ava_core.ontology, ava_core.base.schemas, ava_core.store"
    ),
    "import dagster": "import dagster",
}
RUN = "import dagster._grpc.server, ava_assets.definitions"
"""What the code server's child, in which a run's steps follow, has imported before the first of them."""
RUN_CPU_S = 2.5


def seconds_of(program: str) -> float:
    """Best of several starts, as the machine's other work only adds."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parent.parent)
        best = min(best, time.perf_counter() - began)
    return best


def cpu_of(program: str) -> float:
    """CPU seconds of a start, the least of several."""
    return min(_cpu_of_one(program) for _ in range(ROUNDS))


def _cpu_of_one(program: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], check=True, cwd=Path(__file__).parent.parent
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    options = argument_parser(__doc__).parse_args()
    seconds = {name: seconds_of(program) for name, program in PROGRAMS.items()}
    table(["start", "seconds"], [[name, value] for name, value in seconds.items()])
    bars = Bars("start")
    for name, value in seconds.items():
        bars.figure(name, value)
    bare = seconds["bare interpreter"]
    bars.bar(
        "import ava_core, s",
        seconds["import ava_core"] - bare,
        0.5,
        holds=seconds["import ava_core"] - bare < 0.5,
    )
    cpu = cpu_of(RUN)
    bars.bar("imports of a run's process, CPU-s", cpu, RUN_CPU_S, holds=cpu <= RUN_CPU_S)
    bars.finish(options.json)


if __name__ == "__main__":
    main()
