"""The action vocabulary: versioned, with permanent ids, and its CVAT form."""

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
