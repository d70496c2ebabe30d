"""Examples of actions: people at seconds of clips who show an action well."""

from __future__ import annotations

from sqlalchemy import delete, select

from ava_core.base.errors import InputError
from ava_core.store import audit_log
from ava_core.store.database import Store
from ava_core.store.tables import ActionExample, Job


def put(store: Store, example: ActionExample) -> int:
    """Keep an example; returns its id."""
    with store.session() as session:
        session.add(example)
        session.flush()
        number = example.example_id
    audit_log.note(store, example.marked_by, "mark example", example.clip_id, action_id=example.action_id)
    return number


def remove(store: Store, example_id: int, actor: str) -> None:
    """Take an example away; done again, it changes nothing."""
    with store.session() as session:
        session.execute(delete(ActionExample).where(ActionExample.example_id == example_id))
    audit_log.note(store, actor, "remove example", str(example_id))


def of_ontology(store: Store, ontology: str, annotator: str = "") -> list[ActionExample]:
    """All examples of an ontology's actions, oldest first.

    `annotator`: without those of clips that this person has a job of, where an example would tell an answer.
    """
    wanted = select(ActionExample).where(ActionExample.ontology == ontology)
    if annotator:
        own = select(Job.job_id).where(
            Job.annotator == annotator, Job.batch == ActionExample.batch, Job.clip_id == ActionExample.clip_id
        )
        wanted = wanted.where(~own.exists())
    with store.session() as session:
        return list(session.scalars(wanted.order_by(ActionExample.example_id)))


def of_id(store: Store, example_id: int) -> ActionExample:
    """The example of that id. Raises `InputError` where there is none."""
    with store.session() as session:
        found = session.get(ActionExample, example_id)
    if found is None:
        raise InputError(f"There is no example {example_id}.", "See the Ontology page for examples.")
    return found
