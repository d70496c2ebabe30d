"""What an ontology and a file of rules must keep to, beyond what is refused when they are read."""

from __future__ import annotations

from typing import Any

from ava_core.annotation.rules import RuleSet, broken_rules
from ava_core.annotation.rules.load import parse_rules
from ava_core.base.schemas import RAW_BOXES, RAW_LABELS, empty
from ava_core.contract.broken import BrokenContractError, demand
from ava_core.ontology import Ontology, check_successor
from ava_core.ontology.form import labels_from_values, values_from_labels
from ava_core.ontology.load import parse_ontology


def check_ontology(file: Any, before: Any = None) -> Ontology:
    """Read an ontology from a file (a `Path`, or a result of `importlib.resources.files`) and return it.

    Checks that the file is well formed (`OntologyError` names file and line), that every action has a description, and
    that every action survives the round trip through the annotators' form. `before`: the file of the last published
    version, whose ids must keep their meaning.

    >>> from importlib import resources
    >>> check_ontology(resources.files("ava_core.ontology") / "street.yaml").name
    'street'
    """
    ontology = parse_ontology(_text(file), str(file))
    for action in ontology.actions:
        demand(bool(action.description.strip()), f"{file}: action {action.name!r} has no description.")
        said = {ontology.group_of(action.id).name: [action.id]}
        read, flags = labels_from_values(ontology, values_from_labels(ontology, said))
        demand(read == said and not flags, f"{file}: action {action.name!r} is read back as {read}.")
    if before is not None:
        check_successor(parse_ontology(_text(before), str(before)), ontology)
    return ontology


def check_rules(file: Any, ontology: Ontology) -> RuleSet:
    """Read a file of rules (as in `check_ontology`) and return them.

    Checks that the file is well formed and uses the ontology's names (`InputError` names file and rule), that every
    rule has a sentence for the annotator, and that every rule can be applied.

    >>> from importlib import resources
    >>> from ava_core.ontology import load_ontology
    >>> rules = resources.files("ava_core.annotation.rules") / "street.yaml"
    >>> check_rules(rules, load_ontology("street")).name
    'street'
    """
    rules = parse_rules(_text(file), str(file), ontology)
    for rule in rules.rules:
        demand(bool(rule.say.strip()), f"{file}: rule {rule.id} tells the annotator nothing; fill in `say`.")
    broken_rules(empty(RAW_BOXES), empty(RAW_LABELS), rules, ontology, {})
    return rules


def _text(file: Any) -> str:
    try:
        return str(file.read_text(encoding="utf-8"))
    except (AttributeError, OSError, UnicodeDecodeError) as error:
        raise BrokenContractError(f"{file} is not a readable text file: {error}.") from None
