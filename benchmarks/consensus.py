"""Consensus against planted truth, beside plain majority vote and a per-frame medoid merge.

Every scenario is drawn with the same seeds for all methods; `_consensus_peers` holds the two it is compared with.

    python -m benchmarks.consensus [--seeds 5] [--part labels demo …] [--only NAME …] [--json FILE]
"""

from __future__ import annotations

import numpy as np

from ava_core.quality.agreement.build import match_work
from ava_core.quality.agreement.measure import measure_agreement
from benchmarks._bench import Bars, argument_parser, table
from benchmarks._consensus_coverage import coverage
from benchmarks._consensus_demo import demo
from benchmarks._consensus_labels import COPIED, GAINS, formed, labels
from benchmarks._consensus_peers import medoid_merge
from benchmarks._consensus_topping_up import top_ups
from tests.support.planted_scenarios import scenario
from tests.support.planted_work import CONSTANT, RANDOM, good_annotators, plant

BOX_SEEDS = 3
GATE_RUNS = 20

BOX_BARS = {  # gains over the per-frame medoid merge: mean IoU, IDF1
    "3 good": (0.02, 0.02),
    "2 good + 1 rubber-stamper": (0.025, 0.0),
    "2 good + 1 wrecker": (0.01, 0.01),
}


def boxes(bars: Bars) -> None:
    """Every scenario of the box bars; nobody is excluded."""
    rows = []
    for name, limits in BOX_BARS.items():
        pairs = []
        for seed in range(BOX_SEEDS):
            planted = scenario(name, seed)
            mine, other = formed(planted, match_work(*planted.work))[0], medoid_merge(planted)
            pairs.append((mine.mean_iou, other.mean_iou, mine.idf1, other.idf1))
        mean = np.mean(pairs, axis=0)
        rows.append([name, *(float(value) for value in mean)])
        for what, bar, at in (("mean IoU", limits[0], 0), ("IDF1", limits[1], 2)):
            gain = float(mean[at] - mean[at + 1])
            bars.bar(f"{name}: {what} over per-frame medoid", gain, bar, holds=gain >= bar)
    print()
    table(["boxes", "IoU ours", "IoU medoid", "IDF1 ours", "IDF1 medoid"], rows)


def gate(bars: Bars) -> None:
    """Spammers at five clips, and good annotators of many batches."""
    flagged = spammers = wronged = 0
    for seed in range(GATE_RUNS):
        profiles = good_annotators(3, seed) | {"spam0": RANDOM, "spam1": CONSTANT}
        verdicts = measure_agreement(*plant(profiles, seed=seed, clips=5).work, repetitions=1)["gate"]
        status = dict(verdicts.select("annotator", "status").rows())
        spammers += 2
        flagged += sum(status[name] == "suspect" for name in ("spam0", "spam1"))
        wronged += sum(value == "suspect" for name, value in status.items() if name.startswith("good"))
    print(
        f"\ngate: {flagged} of {spammers} spammers flagged at 5 clips; {wronged} good annotators, {GATE_RUNS} runs"
    )
    bars.bar("spammers flagged at 5 clips, share", flagged / spammers, 1, holds=flagged == spammers)
    bars.bar(f"good annotators flagged in {GATE_RUNS} runs", wronged, 0, holds=wronged == 0)


PARTS = ("labels", "demo", "top-ups", "boxes", "gate", "coverage")


def main() -> None:
    parser = argument_parser(__doc__ or "")
    parser.add_argument("--seeds", type=int, default=5, help="batches of each scenario")
    parser.add_argument("--part", nargs="+", default=PARTS, choices=PARTS, help="all by default")
    parser.add_argument(
        "--only", nargs="+", default=[*GAINS, *COPIED], metavar="NAME", help="scenarios of labels"
    )
    options = parser.parse_args()
    bars = Bars("consensus")
    bars.figure("seeds", options.seeds)
    parts = {
        "labels": lambda: labels(bars, options.seeds, options.only),
        "demo": lambda: demo(bars, options.seeds),
        "top-ups": lambda: top_ups(bars, options.seeds),
        "boxes": lambda: boxes(bars),
        "gate": lambda: gate(bars),
        "coverage": lambda: coverage(bars),
    }
    for name in options.part:
        parts[name]()
    bars.finish(options.json)


if __name__ == "__main__":
    main()
