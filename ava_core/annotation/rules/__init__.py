"""Rules on raw annotations: what is worth a second look, and what must be mended before it may be used."""

from ava_core.annotation.rules.check import broken_rules
from ava_core.annotation.rules.load import load_rules
from ava_core.annotation.rules.model import RuleSet

__all__ = ["RuleSet", "broken_rules", "load_rules"]
