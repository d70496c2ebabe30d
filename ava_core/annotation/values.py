"""Values that somebody added to the form in CVAT: the way into the ontology."""

from __future__ import annotations

from ava_core.base.errors import OntologyError
from ava_core.batch import BatchContext
from ava_core.ontology import Ontology, check_successor
from ava_core.ontology.extend import publish, published, with_action
from ava_core.store import audit_log, batches


def take_in(at: BatchContext, group: str, value: str, actor: str) -> Ontology:
    """Let a batch be read with a version of its ontology that has `value` as an action of `group`; returns it.

    A version that was published already and has it is used; else the next one is published in HOME/ontologies. Ids
    never change. Raises `OntologyError` where there is no such group, or the batch has the action already.
    """
    name, folder = value.strip(), at.settings.home_dir / "ontologies"
    if name.casefold() in {action.name.casefold() for action in at.ontology.actions}:
        raise OntologyError(
            f"{at.ontology.name} {at.ontology.version} has {name!r} already.", "Read the batch again."
        )
    for path, known in published(folder).items():
        if _follows(at.ontology, known) and name in {
            a.name for g in known.groups if g.name == group for a in g.actions
        }:
            chosen = path
            break
    else:
        newest = max(
            (known for known in published(folder).values() if _follows(at.ontology, known)),
            key=lambda known: known.version, default=at.ontology,
        )  # fmt: skip
        known = with_action(newest, group, name)
        chosen = str(publish(newest, known, folder))
    batches.set_options(at.store, at.batch, {"ontology": chosen})
    audit_log.note(at.store, actor, "take_in_value", at.batch, group=group, value=name, ontology=chosen)
    return known


def _follows(old: Ontology, new: Ontology) -> bool:
    """Whether `new` is a later version of `old`."""
    if new.name != old.name or new.version <= old.version:
        return False
    try:
        check_successor(old, new)
    except OntologyError:
        return False
    return True
