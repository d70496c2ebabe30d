"""The files of `examples/` are what the docs say they are."""

from __future__ import annotations

from pathlib import Path

from ava_core.annotation.rules.load import load_rules
from ava_core.ontology import load_ontology

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def test_the_rules_fit_the_ontology() -> None:
    ontology = load_ontology(EXAMPLES / "actions.yaml")
    rules = load_rules(str(EXAMPLES / "rules.yaml"), ontology)
    assert {group.kind for group in ontology.groups} == {"exclusive", "multi"}
    assert {rule.kind for rule in rules.rules} == {"min_area", "exclusive", "max_labels"}
