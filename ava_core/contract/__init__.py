"""Contract tests: run them on a detector, layout, ontology or file of rules of your own, in any test framework.

Each check raises `BrokenContractError` with a sentence on the first thing that is wrong, and returns where all is
well. The platform holds its own to the same.
"""

from ava_core.contract.broken import BrokenContractError
from ava_core.contract.detector import check_detector
from ava_core.contract.layout import check_layout
from ava_core.contract.words import check_ontology, check_rules

__all__ = ["BrokenContractError", "check_detector", "check_layout", "check_ontology", "check_rules"]
