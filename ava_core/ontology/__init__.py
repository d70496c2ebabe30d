"""The action vocabulary: versioned, with permanent ids; its CVAT form and its label maps."""

from ava_core.ontology.load import check_successor, load_ontology, shipped_ontologies
from ava_core.ontology.model import NONE, UNSET, Action, Group, Ontology

__all__ = [
    "NONE",
    "UNSET",
    "Action",
    "Group",
    "Ontology",
    "check_successor",
    "load_ontology",
    "shipped_ontologies",
]
