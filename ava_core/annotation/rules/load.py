"""Reading a file of rules, and refusing one that could never hold or never be broken."""

from __future__ import annotations

from collections import Counter
from importlib import resources
from pathlib import Path

import yaml
from pydantic import ValidationError

from ava_core.annotation.rules.model import Companion, Exclusive, MaxLabels, RuleSet
from ava_core.base.errors import InputError
from ava_core.base.plugins import plugin_names, plugin_text
from ava_core.base.yaml_text import load_yaml, read_text
from ava_core.ontology import Ontology

EVERY_ONTOLOGY = "standard"
"""The shipped rules that name no action; for ontologies without rules of their own."""


def load_rules(path: str, ontology: Ontology) -> RuleSet:
    """The rules of a YAML file, or those that a package adds by that name; "" for the shipped ones of the ontology,
    else those that fit every ontology.

    Raises `InputError` naming file and rule where it is no such file, or names what the ontology has not, and
    `PluginError` where the package is broken.
    """
    if path:
        return _named(path, ontology)
    folder = resources.files("ava_core.annotation.rules")
    shipped = folder / f"{ontology.name}.yaml"
    if not shipped.is_file():
        shipped = folder / f"{EVERY_ONTOLOGY}.yaml"
    return parse_rules(shipped.read_text("utf-8"), shipped.name, ontology)


def _named(path: str, ontology: Ontology) -> RuleSet:
    file = Path(path).expanduser()
    if file.is_file():
        return parse_rules(read_text(file), str(file), ontology)
    text = plugin_text("rules", path)
    if text is None:
        added = ", ".join(plugin_names("rules"))
        others = f", or one of: {added}" if added else ""
        raise InputError(f"There is no rule file {path}.", f"Set AVA_RULES to a path to a YAML file{others}.")
    return parse_rules(text, f"rules {path}", ontology)


def parse_rules(text: str, origin: str, ontology: Ontology) -> RuleSet:
    """Read rules from YAML `text`, and hold their names against the ontology; `origin` names them in errors."""
    rules = read_rules(text, origin)
    _refuse_unknown_names(rules, origin, ontology)
    return rules


def read_rules(text: str, origin: str) -> RuleSet:
    """Read rules from YAML `text`, whatever actions they name; `origin` names them in errors."""
    try:
        rules = RuleSet.model_validate(load_yaml(text))
    except yaml.YAMLError as error:
        raise InputError(f"{origin} is not YAML: {error}.") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"{origin}: {where}: {first['msg']}.", "See ava_core/annotation/rules/street.yaml."
        ) from None
    doubled = [name for name, times in Counter(rule.id for rule in rules.rules).items() if times > 1]
    if doubled:
        raise InputError(f"{origin}: two rules are called {doubled[0]!r}.", "Give each rule its own name.")
    return rules


def _refuse_unknown_names(rules: RuleSet, origin: str, ontology: Ontology) -> None:
    actions = {action.name for action in ontology.actions}
    groups = {group.name for group in ontology.groups}
    for rule in rules.rules:
        unknown: set[str] = set()
        if isinstance(rule, MaxLabels):
            unknown = set(rule.not_counted) - actions - groups
        elif isinstance(rule, Exclusive):
            unknown = set(rule.actions) - actions
        elif isinstance(rule, Companion):
            unknown = (set(rule.actions) | set(rule.needs)) - actions
        if unknown:
            raise InputError(
                f"{origin}: rule {rule.id} names {min(unknown)!r}, which ontology {ontology.name} does not have.",
                "Use the names in the ontology's file.",
            )
