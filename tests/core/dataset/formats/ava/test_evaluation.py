"""The AVA metric: equal to what ActivityNet's own program gave for the same files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ava_core.base.errors import InputError
from ava_core.dataset.formats.ava.evaluation import COLUMNS, evaluate, evaluate_release
from ava_core.dataset.formats.ava.reader import read_rows

ACTIVITYNET = {
    0: 0.4695008668706861, 1: 0.5319361220561524, 2: 0.4590514529441146,
    3: 0.4457251928015784, 4: 0.5006200888059267, 5: 0.43735146312593703,
}  # fmt: skip
"""mAP that `get_ava_performance.py` printed for `drawn(seed)`; the sixth has seconds with more than 50 labels."""


def drawn(seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Truth and detections of three videos: boxes that waver, some labels missed, some wrong."""
    rng = np.random.default_rng(seed)
    truth: list[tuple[object, ...]] = []
    found: list[tuple[object, ...]] = []
    for video in ("v0", "v1", "v2"):
        for second in range(902, 910):
            for _ in range(rng.integers(1, 30 if seed == 5 else 6)):
                corner, size = rng.random(2) * 0.6, rng.uniform(0.1, 0.35, 2)
                box = np.array([*corner, *(corner + size)])
                for action in rng.choice(range(1, 7), rng.integers(1, 4), replace=False):
                    truth.append((video, second, *(round(float(x), 3) for x in box), int(action)))
                    if rng.random() < 0.8:
                        moved = box + rng.normal(0, 0.03, 4)
                        said = int(action if rng.random() < 0.8 else rng.integers(1, 9))
                        found.append(
                            (video, second, *(round(float(x), 3) for x in moved), said, float(rng.random()))
                        )
    found.append(("v9", 902, 0.1, 0.1, 0.5, 0.5, 1, 0.99))
    return pl.DataFrame(truth, COLUMNS[:-1], orient="row"), pl.DataFrame(found, COLUMNS, orient="row")


@pytest.mark.parametrize("seed", list(ACTIVITYNET))
def test_the_mean_is_activitynets(seed: int) -> None:
    scored = evaluate(*drawn(seed), range(1, 9))
    assert scored.mean == pytest.approx(ACTIVITYNET[seed], abs=1e-12)
    assert scored.classes.filter(pl.col("truths") == 0)["ap"].null_count() == 2
    assert any("of seconds without a label" in warning for warning in scored.warnings)
    assert any("more than 50 labels" in warning for warning in scored.warnings) == (seed == 5)


def test_the_truth_scores_one_and_nothing_scores_nothing(released: Path, tmp_path: Path) -> None:
    csv = tmp_path / "detections.csv"
    rows = read_rows(released).filter(split="val").drop("split", "person_id").with_columns(score=pl.lit(0.9))
    rows.write_csv(csv, include_header=False)
    scored = evaluate_release(released, csv)
    assert scored.mean == 1.0
    assert scored.warnings == ()
    assert scored.classes.filter(name="walk")["ap"].to_list() == [1.0]
    csv.write_text("")
    assert evaluate_release(released, csv).mean == 0.0


def test_a_line_that_is_no_detection_is_named(released: Path, tmp_path: Path) -> None:
    csv = tmp_path / "detections.csv"
    csv.write_text("a,0902,0.1,0.1,0.5,0.5,1,0.9\na,0902,0.1,0.1,0.5,0.5,1\n")
    with pytest.raises(InputError, match=r"detections\.csv:2: the row is not video_id"):
        evaluate_release(released, csv)
    with pytest.raises(InputError, match="holds no label"):
        evaluate_release(released, csv, "dev")
