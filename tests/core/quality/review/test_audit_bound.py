"""What a blind audit of a random sample says about everything approved."""

from __future__ import annotations

import polars as pl
import pytest
from scipy.stats import binom

from ava_core.base.errors import InputError
from ava_core.quality.review.audit_bound import audit_bound, audit_sample, audit_size


def test_none_wrong_of_sixty_bounds_the_rate_at_five_percent() -> None:
    found = audit_bound(0, 60)
    assert found.bound == pytest.approx(3 / 60, abs=0.002)  # the rule of three is a little wide
    assert found.rate == 0
    assert "at most 4.9% of all are" in found.sentence
    assert audit_size(0.05) == 59


@pytest.mark.parametrize(("wrong", "checked"), [(0, 20), (3, 60), (10, 100)])
def test_at_the_bound_so_few_wrong_are_as_unlikely_as_promised(wrong: int, checked: int) -> None:
    bound = audit_bound(wrong, checked).bound
    assert binom.cdf(wrong, checked, bound) == pytest.approx(0.05)


def test_nothing_checked_is_nothing_known() -> None:
    found = audit_bound(0, 0)
    assert found.bound is None
    assert found.rate is None
    assert audit_bound(4, 4).bound == 1


@pytest.mark.parametrize(("wrong", "checked"), [(-1, 5), (6, 5)])
def test_impossible_counts_are_refused(wrong: int, checked: int) -> None:
    with pytest.raises(InputError, match="cannot be wrong"):
        audit_bound(wrong, checked)


def test_a_sample_depends_on_items_and_seed_alone() -> None:
    items = pl.DataFrame({"clip_id": [f"c{n}" for n in range(40)]})
    sample = audit_sample(items, 10, seed=1)
    assert sample.equals(audit_sample(items.reverse(), 10, seed=1))
    assert not sample.equals(audit_sample(items, 10, seed=2))
    assert sample["clip_id"].n_unique() == 10
    assert audit_sample(items, 100, seed=1).height == 40
