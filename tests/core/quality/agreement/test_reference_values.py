"""Published worked examples come out to the sixth digit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ava_core.quality.agreement import alpha
from ava_core.quality.agreement.coefficients import brennan_prediger, conger_kappa, fleiss_kappa, gwet_ac1
from ava_core.quality.agreement.dawid_skene import Patterns, dawid_skene
from ava_core.quality.agreement.overlap import box_iou
from ava_core.quality.agreement.pairs import PairSums, kappa, masi, pair_sums
from tests.support.written_work import rated

PUBLISHED = Path(__file__).resolve().parents[3] / "data" / "published_agreement.json"


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    """The examples by name: see `tests/data/README.md`."""
    content: dict[str, Any] = json.loads(PUBLISHED.read_text())
    return content


def nominal_alpha(matrix: list[list[Any]]) -> float:
    return float(alpha.pooled(alpha.label_sums(rated(matrix).panel).total())[0])


def cohens_kappa(one: list[Any], other: list[Any]) -> float:
    sums = pair_sums(rated([one, other]).panel)
    return float(kappa(PairSums(sums.clip, sums.a, sums.b, sums.table))[0])


def two_by_two(cells: list[int]) -> tuple[list[str], list[str]]:
    """Answers of two raters from [both yes, A yes B no, A no B yes, both no]."""
    pairs = [pair for pair, count in zip(("yy", "yn", "ny", "nn"), cells, strict=True) for _ in range(count)]
    return [a for a, _ in pairs], [b for _, b in pairs]


def counts_of(units_by_raters: list[list[Any]]) -> np.ndarray:
    values = sorted({value for unit in units_by_raters for value in unit if value is not None})
    return np.array([[unit.count(value) for value in values] for unit in units_by_raters], dtype=float)


@pytest.mark.parametrize("example", ["A_binary", "B_nominal", "C_missing"])
def test_krippendorff_2011(published: dict[str, Any], example: str) -> None:
    case = published["krippendorff_2011"][example]
    assert nominal_alpha(case["data"]) == pytest.approx(case["full"]["nominal"], abs=1e-6)


def test_krippendorff_wikipedia(published: dict[str, Any]) -> None:
    case = published["wikipedia_alpha"]
    assert nominal_alpha(case["data"]) == pytest.approx(case["full"]["nominal"], abs=1e-6)


def test_krippendorff_analytic(published: dict[str, Any]) -> None:
    for case in published["analytic"]["alpha"]:
        assert nominal_alpha(case["data"]) == pytest.approx(case["nominal"], abs=1e-9)


def test_fleiss(published: dict[str, Any]) -> None:
    for name in ("fleiss_1971", "fleiss_wikipedia"):
        counts = np.array(published[name]["counts_subject_by_category"], dtype=float)
        assert fleiss_kappa(counts) == pytest.approx(published[name]["full"]["kappa"], abs=1e-6)


def test_fleiss_per_category_is_fleiss_of_the_category_against_the_rest(published: dict[str, Any]) -> None:
    case = published["fleiss_1971"]
    counts = np.array(case["counts_subject_by_category"], dtype=float)
    each = [fleiss_kappa(np.stack([own, counts.sum(axis=1) - own], axis=1)) for own in counts.T]
    assert each == pytest.approx(case["full"]["kappa_per_category"], abs=1e-6)


def test_cohen(published: dict[str, Any]) -> None:
    case = published["cohen_two_by_two"]
    for cells, full in zip(case["cases"], case["full"], strict=True):
        assert cohens_kappa(*two_by_two(cells["cells"])) == pytest.approx(full, abs=1e-6)
    case = published["sklearn_docs"]
    assert cohens_kappa(case["y1"], case["y2"]) == pytest.approx(case["kappa"], abs=1e-6)


def test_kappa_paradox(published: dict[str, Any]) -> None:
    for case in published["kappa_paradox_feinstein_cicchetti_1990"]["cases"]:
        one, other = two_by_two(case["cells"])
        assert cohens_kappa(one, other) == pytest.approx(case["full_kappa"], abs=1e-6)
        assert gwet_ac1(counts_of(list(map(list, zip(one, other, strict=True))))) == pytest.approx(
            case["ac1"], abs=1e-6
        )
    case = published["gwet_2008_paradox"]
    one, other = two_by_two(case["cells"])
    assert cohens_kappa(one, other) == pytest.approx(case["full"]["kappa"], abs=1e-6)
    assert gwet_ac1(counts_of(list(map(list, zip(one, other, strict=True))))) == pytest.approx(
        case["full"]["ac1"], abs=1e-6
    )


def test_irrcac_two_raters(published: dict[str, Any]) -> None:
    case = published["irrCAC_cont3x3abstractors"]
    units = [
        [a, b] for a, row in enumerate(case["table"]) for b, count in enumerate(row) for _ in range(count)
    ]
    one, other = ([unit[side] for unit in units] for side in (0, 1))
    counts, printed = counts_of(units), case["full"]  # five digits are printed
    assert cohens_kappa(one, other) == pytest.approx(printed["cohen"], abs=6e-6)
    assert fleiss_kappa(counts) == pytest.approx(printed["scott"], abs=6e-6)
    assert gwet_ac1(counts) == pytest.approx(printed["gwet"], abs=6e-6)
    assert brennan_prediger(counts) == pytest.approx(printed["bp"], abs=6e-6)
    assert nominal_alpha([one, other]) == pytest.approx(printed["krippendorff"], abs=6e-6)


def test_irrcac_four_raters(published: dict[str, Any]) -> None:
    case = published["irrCAC_raw4raters"]
    units, printed = case["data_units_by_raters"], {name: both[0] for name, both in case["values"].items()}
    counts = counts_of(units)
    raters = list(map(list, zip(*units, strict=True)))
    by_rater = np.array([[row.count(value) for value in range(1, 6)] for row in raters], dtype=float)
    assert gwet_ac1(counts) == pytest.approx(printed["gwet_ac1"], abs=6e-6)
    assert fleiss_kappa(counts) == pytest.approx(printed["fleiss_kappa"], abs=6e-6)
    assert brennan_prediger(counts) == pytest.approx(printed["brennan_prediger"], abs=6e-6)
    assert conger_kappa(counts, by_rater) == pytest.approx(printed["conger_kappa"], abs=6e-6)
    assert nominal_alpha(raters) == pytest.approx(printed["krippendorff_alpha"], abs=6e-6)


def test_dawid_and_skene_1979(published: dict[str, Any]) -> None:
    case = published["dawid_skene_1979"]
    answers = np.array(
        [[r - 1 for ratings in patient for r in ratings] for patient in case["data_patient_observer_ratings"]]
    )
    observers = np.tile([0, 0, 0, 1, 2, 3, 4], (len(answers), 1))
    items = Patterns(np.zeros(len(answers), np.int64), observers, answers, np.ones(len(answers)))
    found = dawid_skene(items, problems=1, observers=5, categories=4, smoothing=np.zeros((4, 4)))
    assert found.prior[0] == pytest.approx(case["full"]["class_marginals"], abs=1e-6)
    assert found.confusion[0] == pytest.approx(
        np.array(case["full"]["error_rates_observer_true_given"]), abs=1e-6
    )
    assert found.posterior == pytest.approx(np.array(case["full"]["posterior"]), abs=1e-6)


def test_masi(published: dict[str, Any]) -> None:
    for case in published["masi"]["cases"]:
        a, b = set(case["a"]), set(case["b"])
        sizes = (np.array([n]) for n in (len(a), len(b), len(a & b)))
        assert 1 - masi(*sizes)[0] == pytest.approx(case["masi_distance"], abs=1e-9)


def test_iou(published: dict[str, Any]) -> None:
    for case in published["analytic"]["iou"]:
        assert box_iou(np.array(case["a"], float), np.array(case["b"], float)) == pytest.approx(
            case["iou"], abs=1e-9
        )
