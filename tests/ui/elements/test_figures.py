"""Every figure of agreement is said in words; those that are corrected for chance have a colour."""

from __future__ import annotations

import pytest

from ava_core.base.schemas import AGREEMENT_BY_CLIP, AGREEMENT_BY_GROUP, AGREEMENT_BY_PAIR, SCORECARDS
from ava_core.quality.agreement.measure import FIGURES
from ava_ui.elements.figures import ALPHAS, MEANINGS, figure_of, trust

RATES = ("alpha", "kappa", "iou", "f1", "masi", "rate", "agreement", "ac1", "tight")


def test_every_figure_that_is_shown_is_explained() -> None:
    columns = {*AGREEMENT_BY_CLIP, *AGREEMENT_BY_GROUP, *AGREEMENT_BY_PAIR, *SCORECARDS, *FIGURES}
    ends = ("_low", "_high", "gold_iou")
    figures = {name for name in columns if name.endswith(RATES) and not name.endswith(ends)}
    assert len(figures) > 15
    assert figures - set(MEANINGS) == set()


def test_what_a_figure_says_is_sentences() -> None:
    assert [name for name, said in MEANINGS.items() if not said.endswith(".")] == []
    assert set(MEANINGS) >= ALPHAS


@pytest.mark.parametrize(
    ("value", "style"), [(0.8, "cell-good"), (0.7, "cell-fair"), (0.667, "cell-fair"), (0.3, "cell-weak")]
)
def test_alpha_is_coloured_by_the_customary_marks(value: float, style: str) -> None:
    assert trust("alpha", value) == style


def test_what_is_not_corrected_for_chance_has_no_colour_nor_has_what_is_undefined() -> None:
    assert trust("masi", 0.9) == trust("mean_iou", 0.9) == trust("alpha", None) == ""


def test_a_table_of_statistics_has_the_figure_in_its_row() -> None:
    assert figure_of("value", {"statistic": "pooled_alpha"}) == "pooled_alpha"
    assert figure_of("value", {}) == ""
    assert figure_of("kappa", {"statistic": "pooled_alpha"}) == "kappa"
