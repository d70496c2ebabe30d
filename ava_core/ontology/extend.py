"""A further version of an ontology with one action more, written out as the YAML file that is read again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from ava_core.base.errors import OntologyError
from ava_core.ontology.load import check_successor, load_ontology, parse_ontology
from ava_core.ontology.model import Action, Group, Ontology


def with_action(ontology: Ontology, group: str, name: str, description: str = "") -> Ontology:
    """The next version, with an action of that name at the end of a group; its id was never used before."""
    used = {action.id for action in ontology.actions} | ontology.retired
    if group not in {each.name for each in ontology.groups}:
        raise OntologyError(f"{ontology.name} has no group {group!r}.", "Choose one of its groups.")
    action = Action(max(used) + 1, name.strip(), description.strip())
    groups = tuple(
        replace(each, actions=(*each.actions, action)) if each.name == group else each
        for each in ontology.groups
    )
    return replace(ontology, version=ontology.version + 1, groups=groups)


def to_yaml(ontology: Ontology) -> str:
    """The file that `parse_ontology` reads as this ontology."""
    content: dict[str, Any] = {"name": ontology.name, "version": ontology.version}
    if ontology.description:
        content["description"] = ontology.description
    if ontology.retired:
        content["retired"] = sorted(ontology.retired)
    content["groups"] = [_group(group) for group in ontology.groups]
    return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


def publish(old: Ontology, new: Ontology, folder: Path) -> Path:
    """Write `new` as `<name>_v<version>.yaml`, read again and held against `old`; returns the file.

    Raises `OntologyError` where it would not be read, would change an id's meaning, or the version is there.
    """
    path = folder / f"{new.name}_v{new.version}.yaml"
    if path.exists():
        raise OntologyError(
            f"{path} already exists.", "Published versions never change; extend that version instead."
        )
    text = to_yaml(new)
    check_successor(old, parse_ontology(text, str(path)))
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def published(folder: Path) -> dict[str, Ontology]:
    """Ontologies that were published into a folder, by their file's path."""
    return {str(path): load_ontology(path) for path in sorted(folder.glob("*.yaml"))}


def _group(group: Group) -> dict[str, Any]:
    content: dict[str, Any] = {"name": group.name, "kind": group.kind}
    if group.kind == "multi":
        content["max_active"] = group.max_active
    content["actions"] = [_action(action) for action in group.actions]
    return content


def _action(action: Action) -> dict[str, Any]:
    given = {
        "description": action.description, "hotkey": action.hotkey, "minimum_alpha": action.minimum_alpha,
    }  # fmt: skip
    return {"id": action.id, "name": action.name} | {k: v for k, v in given.items() if v not in ("", None)}
