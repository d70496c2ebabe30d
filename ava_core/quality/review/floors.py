"""Classes on which annotators must agree, by the ontology's `minimum_alpha`, and do not."""

from __future__ import annotations

import polars as pl


def below_floor(per_class: pl.DataFrame) -> pl.DataFrame:
    """Rows of `schemas.AGREEMENT_BY_CLASS` of classes in use whose alpha is below their floor, or undefined."""
    alpha, floor = pl.col("alpha"), pl.col("minimum_alpha")
    return per_class.filter(floor.is_not_null(), pl.col("positives") > 0, alpha.is_null() | (alpha < floor))
