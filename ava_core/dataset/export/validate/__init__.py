"""Checks an AVA dataset, made here or elsewhere, against what its readers enforce."""

from ava_core.dataset.export.validate.dataset import validate_dataset
from ava_core.dataset.export.validate.finding import Finding, errors_among

__all__ = ["Finding", "errors_among", "validate_dataset"]
