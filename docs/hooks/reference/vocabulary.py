"""The ontologies that come with the platform, action by action."""

from __future__ import annotations

from ava_core.ontology import Action, Group, load_ontology, shipped_ontologies
from reference.markdown import code, table

HEAD = """# Shipped ontologies

Generated from the ontology files. An id is permanent, because a dataset's rows contain it. For your own actions, see
[your own ontology](../how-to/ontology.md).

"""


def ontologies_page() -> str:
    """One section an ontology, one table a group."""
    return HEAD + "\n\n".join(map(_section, shipped_ontologies())) + "\n"


def _section(name: str) -> str:
    ontology = load_ontology(name)
    head = f"## {ontology.name}\n\nVersion {ontology.version}. {ontology.description}"
    return "\n\n".join([head, *map(_group, ontology.groups)])


def _group(group: Group) -> str:
    kind = "exactly one holds" if group.kind == "exclusive" else f"up to {group.max_active} hold, or none"
    actions = table(("id", "action", "key", "what it is", "least alpha"), map(_row, group.actions))
    return f"### {group.name}\n\n{kind.capitalize()}.\n\n{actions}"


def _row(action: Action) -> tuple[str, str, str, str, str]:
    least = "" if action.minimum_alpha is None else str(action.minimum_alpha)
    return str(action.id), action.name, code(action.hotkey), action.description, least
