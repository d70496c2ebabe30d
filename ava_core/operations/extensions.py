"""Looking at everything that installed packages add, without using it: what there is, and what is broken."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ava_core.annotation.rules.load import read_rules
from ava_core.base.errors import AvaError
from ava_core.base.plugins import GROUP, KINDS, Kind, plugin_names, plugin_text, refused
from ava_core.dataset.formats.flavours import FLAVOURS, added_flavour
from ava_core.ontology import load_ontology, shipped_ontologies
from ava_core.video.detection.registry import SHIPPED, added_factory


@dataclass(frozen=True)
class Extension:
    """A detector, layout, ontology or set of rules that a package adds; `fault`: why it cannot be used, or `None`."""

    kind: Kind
    name: str
    fault: AvaError | None


def look_at_extensions() -> Iterator[Extension]:
    """Import each in turn; one that cannot be used does not hide the others. No detector is made: it may take a GPU."""
    for kind in KINDS:
        for name in plugin_names(kind):
            yield Extension(kind, name, _fault(kind, name))


def _fault(kind: Kind, name: str) -> AvaError | None:
    if name in _taken()[kind]:
        return refused(kind, name, f"is never used: the platform has {kind} of that name")
    try:
        _LOOKS[kind](name)
    except AvaError as error:
        return error
    return None


def _taken() -> Mapping[Kind, Collection[str]]:
    """Names of the platform's own, which no package replaces."""
    return {"detectors": SHIPPED, "layouts": FLAVOURS, "ontologies": shipped_ontologies(), "rules": ()}


def _read_added_rules(name: str) -> None:
    read_rules(plugin_text("rules", name) or "", f"{GROUP}rules: {name}")


_LOOKS: Final[Mapping[Kind, Callable[[str], object]]] = {
    "detectors": added_factory,
    "layouts": added_flavour,
    "ontologies": load_ontology,
    "rules": _read_added_rules,
}
