"""Reading an ontology file, and refusing one that would corrupt a dataset.

The file is YAML:

    name: street
    version: 1
    description: …
    retired: [17]              # ids that were used once
    groups:
      - name: posture
        kind: exclusive        # or multi, with max_active
        actions:
          - {id: 1, name: stand, description: …, hotkey: s, minimum_alpha: 0.4}
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, NoReturn

import yaml

from ava_core.base.errors import OntologyError
from ava_core.base.plugins import plugin_names, plugin_text
from ava_core.base.yaml_text import load_yaml, read_text
from ava_core.ontology.model import CANNOT_TELL, NONE, UNSET, Action, Group, Ontology

_NAME = re.compile(r"[^\s\"\\{}][^\"\\{}\n]*")
_GROUP_NAME = re.compile(r"[a-z][a-z0-9_]*")
_KEYS = {
    "ontology": {"name", "version", "description", "retired", "groups"},
    "group": {"name", "kind", "max_active", "actions"},
    "action": {"id", "name", "description", "hotkey", "minimum_alpha"},
}
LINE = "__line__"


class _LineLoader(yaml.SafeLoader):
    """Safe YAML that notes the line of every mapping, for error messages."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        mapping: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        mapping[LINE] = node.start_mark.line + 1
        return mapping


def shipped_ontologies() -> list[str]:
    """Names of the ontologies that come with the package."""
    folder = resources.files("ava_core.ontology")
    return sorted(
        entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml")
    )


def ontology_names() -> list[str]:
    """What `load_ontology` knows by name: the shipped ones, then those that installed packages add."""
    shipped = shipped_ontologies()
    return [*shipped, *(name for name in plugin_names("ontologies") if name not in shipped)]


def load_ontology(name_or_path: str | Path) -> Ontology:
    """Load an ontology: a shipped one or a package's by name, or one from a YAML file.

    A file is read again only after it has changed. Raises `OntologyError` with line and reason, and `PluginError` if
    the package is broken.

    >>> ava = load_ontology("ava80")
    >>> ava.action(12).name, ava.group_of(12).name, ava.group_of(12).kind
    ('stand', 'pose', 'exclusive')
    """
    if str(name_or_path) in shipped_ontologies():
        return _shipped(str(name_or_path))
    path = Path(name_or_path).expanduser()
    if path.is_file():
        about = path.stat()
        return _from_file(path, about.st_mtime_ns, about.st_size)
    return _added(str(name_or_path))


@cache
def _shipped(name: str) -> Ontology:
    text = (resources.files("ava_core.ontology") / f"{name}.yaml").read_text("utf-8")
    return parse_ontology(text, f"{name}.yaml")


@lru_cache(maxsize=64)
def _added(name: str) -> Ontology:
    text = plugin_text("ontologies", name)
    if text is None:
        raise OntologyError(
            f"There is no ontology {name!r}.",
            f"Give a path to a YAML file or one of: {', '.join(ontology_names())}.",
        )
    return parse_ontology(text, f"ontology {name}")


@lru_cache(maxsize=64)
def _from_file(path: Path, changed_ns: int, size: int) -> Ontology:
    return parse_ontology(read_text(path), str(path))


def parse_ontology(text: str, origin: str) -> Ontology:
    """Read an ontology from YAML `text`; `origin` names it in errors."""
    try:
        content = load_yaml(text, _LineLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{origin}:{mark.line + 1}" if mark else origin
        raise OntologyError(f"{where}: not YAML: {getattr(error, 'problem', error) or error}.") from None
    return _Reader(origin).ontology(content)


def check_successor(old: Ontology, new: Ontology) -> None:
    """Refuse `new` as a later version of `old` where an id would change its meaning or come back.

    An action may be renamed only in its description; one that disappears must be listed under `retired`.
    """
    if new.version <= old.version:
        raise OntologyError(
            f"{new.name}: version {new.version} does not follow {old.version}.", "Raise `version`."
        )
    new_names = {action.id: action.name for action in new.actions}
    for action in old.actions:
        if action.id in new_names and new_names[action.id] != action.name:
            raise OntologyError(
                f"{new.name}: id {action.id} was {action.name!r} and would become {new_names[action.id]!r}.",
                "Ids are permanent: keep the name, or give the new action a new id.",
            )
        if action.id not in new_names and action.id not in new.retired:
            raise OntologyError(
                f"{new.name}: id {action.id} ({action.name!r}) disappeared.",
                "List it under `retired`, so that it can never be used again.",
            )
    back = sorted(old.retired & set(new_names))
    if back:
        raise OntologyError(f"{new.name}: retired id {back[0]} is used again.", "Give the action a new id.")


class _Reader:
    """Turns the YAML content into an `Ontology`, checking rule after rule."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.id_lines: dict[int, int] = {}

    def ontology(self, content: Any) -> Ontology:
        if not isinstance(content, dict):
            self.fail(1, "the file must be a mapping with name, version and groups")
        self.check_keys(content, "ontology", ("name", "version", "groups"))
        retired = content.get("retired") or []
        if not isinstance(retired, list) or not all(_is_id(i) for i in retired):
            self.fail(content[LINE], "retired must be a list of ids")
        if not _is_id(content["version"]):
            self.fail(content[LINE], "version must be a whole number from 1")
        groups = content["groups"]
        if not isinstance(groups, list) or not groups:
            self.fail(content[LINE], "groups must be a list with at least one group")
        ontology = Ontology(
            name=self.name(content, content["name"]),
            version=content["version"],
            groups=tuple(self.group(group, content[LINE]) for group in groups),
            description=str(content.get("description") or ""),
            retired=frozenset(retired),
        )
        self.refuse_twins((group.name for group in ontology.groups), "group")
        self.refuse_shared_keys(ontology)
        for action_id in sorted(set(self.id_lines) & ontology.retired):
            self.fail(self.id_lines[action_id], f"id {action_id} is retired and cannot be used again")
        return ontology

    def group(self, content: Any, line: int) -> Group:
        if not isinstance(content, dict):
            self.fail(line, "each group must be a mapping with name, kind and actions")
        line = content[LINE]
        self.check_keys(content, "group", ("name", "kind", "actions"))
        name, kind, actions = content["name"], content["kind"], content["actions"]
        if not isinstance(name, str) or not _GROUP_NAME.fullmatch(name):
            self.fail(line, f"group name {name!r} must be lower-case letters, digits and '_'")
        if kind not in ("exclusive", "multi"):
            self.fail(line, f"kind of group {name} must be exclusive or multi, not {kind!r}")
        if not isinstance(actions, list) or not actions:
            self.fail(line, f"group {name} is empty; give it an action or remove it")
        max_active = content.get("max_active", 1 if kind == "exclusive" else 3)
        if not _is_id(max_active) or (kind == "exclusive" and max_active != 1):
            self.fail(line, f"max_active of group {name} must be a whole number from 1 (1 where exclusive)")
        read = tuple(self.action(action, line) for action in actions)
        self.refuse_twins((action.name for action in read), f"action of group {name}", line)
        return Group(name, kind, read, max_active)

    def action(self, content: Any, line: int) -> Action:
        if not isinstance(content, dict):
            self.fail(line, "each action must be a mapping with id and name")
        line = content[LINE]
        self.check_keys(content, "action", ("id", "name"))
        action_id = content["id"]
        if not _is_id(action_id):
            self.fail(line, f"id {action_id!r} must be a whole number from 1")
        if action_id in self.id_lines:
            self.fail(line, f"id {action_id} is already used in line {self.id_lines[action_id]}")
        self.id_lines[action_id] = line
        name = self.name(content, content["name"])
        if name.casefold() in (UNSET, NONE, CANNOT_TELL):
            self.fail(line, f"{name!r} cannot be an action: it means that nothing was chosen")
        threshold = content.get("minimum_alpha")
        if threshold is not None and not (isinstance(threshold, int | float) and -1 <= threshold <= 1):
            self.fail(line, "minimum_alpha must lie between -1 and 1")
        return Action(
            id=action_id,
            name=name,
            description=str(content.get("description") or ""),
            hotkey=str(content.get("hotkey") or ""),
            minimum_alpha=None if threshold is None else float(threshold),
        )

    def name(self, content: dict[Any, Any], name: Any) -> str:
        # CVAT sends select values as lines, label maps quote them: neither survives these characters.
        if not isinstance(name, str) or name != name.strip() or not _NAME.fullmatch(name):
            self.fail(content[LINE], f"name {name!r} must be text without quotes, braces or line breaks")
        return str(name)

    def check_keys(self, content: dict[Any, Any], what: str, needed: tuple[str, ...]) -> None:
        for key in needed:
            if key not in content:
                self.fail(content[LINE], f"the {what} has no {key}")
        unknown = sorted(str(key) for key in content if key != LINE and key not in _KEYS[what])
        if unknown:
            allowed = ", ".join(sorted(_KEYS[what]))
            self.fail(content[LINE], f"unknown key {unknown[0]!r} of the {what}; known are {allowed}")

    def refuse_twins(self, names: Iterable[str], what: str, line: int = 1) -> None:
        seen: set[str] = set()
        for name in names:
            if name.casefold() in seen:
                self.fail(line, f"{what} {name!r} appears twice")
            seen.add(name.casefold())

    def refuse_shared_keys(self, ontology: Ontology) -> None:
        """A key stands for one action; `a` and `A` are two keys."""
        held: dict[str, Action] = {}
        for action in ontology.actions:
            other = held.setdefault(action.hotkey, action)
            if action.hotkey and other is not action:
                line = self.id_lines[action.id]
                self.fail(line, f"hotkey {action.hotkey!r} of {action.name!r} is that of {other.name!r}")

    def fail(self, line: int, reason: str) -> NoReturn:
        raise OntologyError(f"{self.origin}:{line}: {reason}.")


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
