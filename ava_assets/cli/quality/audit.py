"""`ava qc audit …`: a blind audit of approved answers, from its sample to what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ava_assets.cli.shared import Actor, Batch, database, links, opened, say, show, who
from ava_core.base.errors import InputError

if TYPE_CHECKING:
    from ava_core.batch import BatchContext
    from ava_core.quality.review.audits import BlindItem
    from ava_core.store.tables import Audit


def audit(
    batch: Batch,
    size: Annotated[
        int, typer.Option(min=1, help="Items to check; 60 without errors bound the error rate at 5 %.")
    ] = 60,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random sample.")] = 0,
    actor: Actor = "",
) -> None:
    """Draw a random sample of approved answers, to be answered anew without knowing what was decided.

    Where an audit of the batch has items that wait, it goes on; its sample stays as it was drawn.
    """
    from ava_core.quality.review import audits

    at = opened(batch)
    going = audits.open_audit(at.store, batch)
    known = going or _started(at, size, seed, who(actor))
    items = audits.blind_items(at.store, known.audit_id)
    waiting = [item for item in items if not item.answered]
    if going:
        begun = f"{going.started_at:%Y-%m-%d %H:%M}"
        say(f"Audit {going.audit_id}, started by {going.started_by} on {begun}, continues.")
    say(f"Audit {known.audit_id} of batch {batch}: {len(waiting)} of {len(items)} items remaining.")
    _list(at, waiting)
    say(
        "Answer an item with `ava qc audit-answer`; see the result of a complete audit with `ava qc "
        "audit-result`."
    )


def answer(
    batch: Batch,
    item: Annotated[int, typer.Argument(help="Item number, as listed by `ava qc audit`.")],
    actions: Annotated[
        list[str] | None, typer.Argument(help="The correct actions, by name. Leave empty for none.")
    ] = None,
    nobody: Annotated[bool, typer.Option("--nobody", help="The box shows no person.")] = False,
    comment: Annotated[str, typer.Option(help="Kept with the answer.")] = "",
    actor: Actor = "",
) -> None:
    """Answer an item of the audit that waits; until all are answered an answer may be given again."""
    from ava_core import decisions
    from ava_core.quality.review import audits

    at = opened(batch)
    going = audits.open_audit(at.store, batch)
    if going is None:
        raise InputError(f"Batch {batch} has no audit in progress.", "Start one with `ava qc audit`.")
    items = {one.position: one for one in audits.blind_items(at.store, going.audit_id)}
    if item not in items:
        raise InputError(f"Audit {going.audit_id} has no item {item}.", f"Its items are 1 to {len(items)}.")
    asked = items[item]
    ids = decisions.action_ids(at.ontology, asked.group, actions or [])
    audits.answer_item(
        at.store, asked.item_id, group=at.ontology.group(asked.group), action_ids=ids, present=not nobody,
        actor=who(actor), comment=comment,
    )  # fmt: skip
    left = sum(not one.answered for one in audits.blind_items(at.store, going.audit_id))
    say(f"Item {item} is answered; {left} remaining.")


def result(batch: Batch) -> None:
    """Say what the newest audit shows about everything approved, and how its groups did."""
    from ava_core.quality.review import audits

    store = database()
    known = audits.audits_of(store, batch)
    if not known:
        raise InputError(f"Batch {batch} has not been audited yet.", "Start an audit with `ava qc audit`.")
    bound, by_group = audits.audit_result(store, known[0].audit_id)
    say(f"Audit {known[0].audit_id}: {bound.sentence}")
    show(by_group)


def _started(at: BatchContext, size: int, seed: int, actor: str) -> Audit:
    from ava_core.decisions import decision_state
    from ava_core.quality.consensus.batch import consensus_of_batch
    from ava_core.quality.review.audits import start_audit
    from ava_core.quality.review.tables import load_quality

    raw = load_quality(at).raw_annotations
    consensus = consensus_of_batch(raw, at.ontology, decision_state(at.store, at.batch))
    return start_audit(at, consensus, size=size, seed=seed, actor=actor)


def _list(at: BatchContext, waiting: list[BlindItem]) -> None:
    """A line an item, however long: a table would break the links."""
    link = links(at)
    for one in waiting:
        box = ", ".join(f"{side:.0f}" for side in (one.x1, one.y1, one.x2, one.y2))
        say(
            f"{one.position}: {one.group} of person {one.person_id} ({box}) at second {one.second} of "
            f"{one.clip_id} {link(one.clip_id, one.frame)}"
        )
