"""Speed and memory of agreement and consensus on a large batch, beside `krippendorff.alpha` once per class.

The batch has 1,000 clips × 3 annotators × 10 people × 15 keyframes × 80 classes: 450,000 boxes and 36 million
yes/no ratings. It is planted once for 50 clips and repeated under other names. The work is done by a process of its
own, so that its peak memory is its own.

    python -m benchmarks.agreement [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks._bench import Bars, argument_parser, table

PLANTED, REPEATED, PEOPLE, ROUNDS = 50, 20, 10, 5
TABLES = ("raw_boxes", "raw_labels", "completed")


def plant_batch(folder: Path) -> None:
    """Write the batch's tables as parquet."""
    from tests.support.planted_work import good_annotators, plant

    small = plant(good_annotators(3, 0), seed=0, clips=PLANTED, people=PEOPLE)
    for name in TABLES:
        copies = [
            getattr(small, name).with_columns(
                clip_id=pl.col("clip_id") + f"_{n:02d}", job_id=pl.col("job_id") + n * 1000
            )
            for n in range(REPEATED)
        ]
        pl.concat(copies).write_parquet(folder / f"{name}.parquet")


def measure(folder: Path) -> dict[str, float]:
    """Times in seconds and peak memory in MB, of the best of some rounds."""
    from ava_core.ontology import load_ontology
    from ava_core.quality.agreement.build import match_work
    from ava_core.quality.agreement.measure import measure_work
    from ava_core.quality.consensus.form import form_from_work

    raw_boxes, raw_labels, completed = (pl.read_parquet(folder / f"{name}.parquet") for name in TABLES)
    work = raw_boxes, raw_labels, completed, load_ontology("ava80")
    clips = completed["clip_id"].unique()
    rounds = []
    for _ in range(ROUNDS):
        times, cpu = [time.perf_counter()], time.process_time()
        matched = match_work(*work)
        times.append(time.perf_counter())
        measure_work(matched)
        times.append(time.perf_counter())
        form_from_work(matched, approved=clips)
        times.append(time.perf_counter())
        del matched  # the next round shall not lie beside it
        rounds.append((times[-1] - times[0], *np.diff(times), time.process_time() - cpu))
    best = min(rounds)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "boxes": raw_boxes.height, "answers": raw_labels.height, "together_s": best[0], "matching_s": best[1],
        "agreement_s": best[2], "consensus_s": best[3], "cpu_s": best[4], "peak_mb": peak,
        **beside_krippendorff(work),
    }  # fmt: skip


def beside_krippendorff(work: tuple) -> dict[str, float]:
    """Alpha of all classes from the same arrays: ours at once, `krippendorff` class by class."""
    import krippendorff

    from ava_core.quality.agreement import alpha
    from ava_core.quality.agreement.build import build_panel

    panel = build_panel(*work)
    matrices = [
        np.where(panel.rated[:, :, panel.group_of[c]], panel.votes[:, :, c], np.nan).T
        for c in range(len(panel.action_ids))
    ]
    mine, others = [], []
    for _ in range(ROUNDS):
        panel = replace(panel)  # nothing cached
        start = time.perf_counter()
        ours = alpha.alphas(alpha.label_sums(panel).total())[0]
        mine.append(time.perf_counter() - start)
        start = time.perf_counter()
        theirs = [krippendorff.alpha(matrix, level_of_measurement="nominal") for matrix in matrices]
        others.append(time.perf_counter() - start)
    return {
        "alphas_s": min(mine), "krippendorff_s": min(others), "ratio": min(others) / min(mine),
        "largest_difference": float(np.abs(ours - theirs).max()),
    }  # fmt: skip


def main() -> None:
    parser = argument_parser(__doc__ or "")
    parser.add_argument("--worker", type=Path, default=None, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(measure(options.worker)))
        return
    with tempfile.TemporaryDirectory() as folder:
        plant_batch(Path(folder))
        command = [sys.executable, "-m", "benchmarks.agreement", "--worker", folder]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    found["load"] = os.getloadavg()[0]
    bars = Bars("agreement")
    for name, value in found.items():
        bars.figure(name, value)
    table(["", "figure"], [[name, value] for name, value in found.items()])
    bars.bar(
        "matching + agreement + intervals + consensus, s",
        found["together_s"],
        3,
        holds=found["together_s"] <= 3,
    )
    bars.bar("peak memory, MB", found["peak_mb"], 1000, holds=found["peak_mb"] < 1000)
    bars.bar("alpha of 80 classes, times faster", found["ratio"], 25, holds=found["ratio"] >= 25)
    bars.bar(
        "largest difference from krippendorff", found["largest_difference"], 1e-9,
        holds=found["largest_difference"] <= 1e-9,
    )  # fmt: skip
    bars.finish(options.json)


if __name__ == "__main__":
    main()
