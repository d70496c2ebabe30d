"""Checks an AVA dataset, made here or elsewhere, against what its readers enforce."""

from ava_core.dataset.formats.ava.checks.dataset import validate_dataset
from ava_core.dataset.formats.ava.checks.finding import Finding, errors_among

__all__ = ["Finding", "errors_among", "validate_dataset"]
