"""Disturbs whole flows by a seeded plan of faults, and says in a table how each ended.

`python -m tests.chaos --seed 1 --faults 60`. Exit code 1 where a run ended neither in the csv of the undisturbed run,
byte for byte, nor in a sentence that says what a person must do.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from ava_core.demo.scenes import make_batch_zip
from ava_core.demo.truth import SceneTruth
from tests.chaos.faults import FAULTS, FAULTS_ON_POSTGRES, Fault, plan
from tests.chaos.flow import Flow, StuckError
from tests.chaos.platform import Platform
from tests.support.postgres import Postgres

SCENE_SECONDS = 8.0
FAULTS_A_RUN = 12
GAP_SECONDS = (0.5, 3.0)
"""Between two faults."""


@dataclass
class Outcome:
    """How one run ended."""

    run: int
    same: bool
    said: str
    seconds: float
    restarts: int
    stop_seconds: float
    faults: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """The same bytes, or a sentence with which a person can do something."""
        return self.same or "somebody has to" in self.said

    @property
    def line(self) -> str:
        how = "same bytes" if self.same else self.said
        return (
            f"{self.run:>3}  {len(self.faults):>6}  {self.seconds:>7.0f}  {self.restarts:>8}  "
            f"{self.stop_seconds:>4.1f}  {how}"
        )


def disturbed(
    run: int, platform: Platform, input_: tuple[Path, SceneTruth], faults: list[str], want: str
) -> Outcome:
    """One run under these faults, in their order, at seeded moments of the whole way."""
    draw, kinds = random.Random(f"{run} {faults}"), kinds_of(platform.postgres)
    flow, began = Flow(platform, *input_), time.monotonic()
    met: list[str] = []

    def disturb() -> None:
        for name in faults:
            time.sleep(draw.uniform(*GAP_SECONDS))
            if flow.step == "over":
                return
            print(f"     run {run}: {name} (to {flow.step})", file=sys.stderr, flush=True)
            kinds[name](platform, draw)
            met.append(name)

    try:
        flow.begin()
        with ThreadPoolExecutor(1) as pool:
            trouble = pool.submit(disturb)
            flow.run(random.Random(run))
            trouble.result()  # a fault that could not be made is none that was borne
        got = flow.digest()
        same, said = got == want, "" if got == want else f"OTHER BYTES: {got}, not {want}"
    except StuckError as error:
        same, said = False, f"STUCK in step {flow.step!r}: {error}"
    finally:
        stopped = platform.end()
    return Outcome(run, same, said, time.monotonic() - began, platform.restarts, stopped, met)


def undisturbed(platform: Platform, input_: tuple[Path, SceneTruth]) -> tuple[str, float]:
    """The digest that all others are compared with, and how long the way takes."""
    flow, began = Flow(platform, *input_), time.monotonic()
    try:
        flow.begin()
        flow.run()
        return flow.digest(), time.monotonic() - began
    finally:
        platform.end()


def kinds_of(postgres: Postgres | None) -> Mapping[str, Fault]:
    """What may happen to a platform."""
    return FAULTS_ON_POSTGRES if postgres is not None else FAULTS


def table(outcomes: list[Outcome], kinds: Mapping[str, Fault]) -> str:
    """A line a run, and how often each fault was met."""
    counts = {name: sum(one.faults.count(name) for one in outcomes) for name in kinds}
    lines = [
        "run  faults  seconds  restarts  stop  ended in",
        *(one.line for one in outcomes),
        "",
        "fault: met",
    ]
    return "\n".join([*lines, *(f"  {name}: {count}" for name, count in counts.items())])


def chaos(
    seed: int, faults: int, folder: Path, a_run: int = FAULTS_A_RUN, postgres: Postgres | None = None
) -> list[Outcome]:
    """All runs; homes of those that ended well are removed."""
    input_ = make_batch_zip(folder / "scenes", seed=3, seconds=SCENE_SECONDS)
    want, seconds = undisturbed(Platform(folder / "undisturbed", postgres), input_)
    print(f"undisturbed: {want} after {seconds:.0f} s", flush=True)
    wanted, outcomes, given = plan(seed, faults, kinds_of(postgres)), [], 0
    while given < faults:
        run = len(outcomes) + 1
        home = folder / f"run_{run}"
        platform = Platform(home, postgres)
        outcomes.append(disturbed(run, platform, input_, wanted[given : given + a_run], want))
        given += max(1, len(outcomes[-1].faults))
        print(outcomes[-1].line, flush=True)
        if outcomes[-1].is_good:
            shutil.rmtree(home, ignore_errors=True)
    return outcomes


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=int, default=60)
    parser.add_argument("--a-run", type=int, default=FAULTS_A_RUN, help="faults that one run meets at most")
    parser.add_argument("--folder", type=Path, help="where homes lie; default: a temporary one")
    parser.add_argument(
        "--postgres", action="store_true", help="with databases in a PostgreSQL that goes away"
    )
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="ava-chaos-"))
    with Postgres() if given.postgres else nullcontext() as postgres:
        outcomes = chaos(given.seed, given.faults, folder, given.a_run, postgres)
        print(table(outcomes, kinds_of(postgres)))
    bad = [one for one in outcomes if not one.is_good]
    if bad:
        sys.exit(f"{len(bad)} of {len(outcomes)} runs ended badly; their homes are in {folder}.")


if __name__ == "__main__":
    main()
