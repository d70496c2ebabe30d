"""`ava qc`: look at agreement, decide, and see beforehand what a decision would change."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from ava_core.errors import InputError
from ava_core.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from ava_core.batch import BatchContext
    from ava_core.store import Store

app = typer.Typer(
    no_args_is_help=True,
    help="Judge what annotators did. Every decision is kept, and reversed by a later one; what follows from it "
    "starts by itself where `ava up` runs.",
)

Batch = Annotated[str, typer.Argument(help="Name of the batch.")]
Clips = Annotated[list[str], typer.Argument(help="Ids of clips.")]
Comment = Annotated[str, typer.Option(help="Kept with the decision.")]
Actor = Annotated[str, typer.Option("--as", help="Who decides. Default: the user of this machine.")]


@app.command("report")
def report(
    name: Annotated[str, typer.Argument(help="Name of a batch, or of a release with --release.")],
    out: Annotated[Path, typer.Option(help="Where the page is written.")] = Path("quality.html"),
    release: Annotated[bool, typer.Option("--release", help="Report on a release.")] = False,
) -> None:
    """Write one self-contained HTML page: agreement, annotators, classes, clips, conflicts."""
    page = _release_page(name) if release else _batch_page(name)
    out.write_text(page, "utf-8")
    _say(f"report: {out.absolute()}")


def _batch_page(batch: str) -> str:
    from ava_core.decisions import decision_state
    from ava_core.quality.report import quality_report
    from ava_core.quality.tables import load_quality
    from ava_core.store import batches

    at = _open(batch)
    note = batches.get(at.store, batch).note
    state = decision_state(at.store, batch)
    return quality_report(load_quality(at.storage, batch), at.ontology, state, note=note, link=_links(at))


def _release_page(name: str) -> str:
    from ava_core.decisions import DecisionState
    from ava_core.ontology import load_ontology
    from ava_core.quality.report import quality_report
    from ava_core.quality.tables import load_release_quality
    from ava_core.storage import Storage

    settings = load_settings()
    ontology = load_ontology(settings.ontology)
    tables = load_release_quality(Storage(settings.resolved_storage_url), ontology, name, seed=settings.seed)
    # Whatever a release holds was approved; who was left out shows in the batches' own reports.
    approved = frozenset(tables.raw_annotations["completed_jobs"]["clip_id"])
    return quality_report(tables, ontology, DecisionState.of_approved(approved))


@app.command("audit")
def audit(
    batch: Batch,
    size: Annotated[
        int, typer.Option(min=1, help="Items to check; 60 with none wrong bound the error rate at 5 %.")
    ] = 60,
    seed: Annotated[int, typer.Option(help="Another seed draws another sample.")] = 0,
) -> None:
    """Draw a simple random sample of approved people and seconds to check blindly: without what was decided."""
    from polars import Series

    from ava_core.agreement.audit import audit_sample
    from ava_core.quality.tables import load_quality
    from ava_core.tables import CLIP_FPS

    at = _open(batch)
    boxes = load_quality(at.storage, batch).consensus_labels.get("consensus_boxes")
    if boxes is None:
        raise InputError(f"Batch {batch} has no consensus yet.", "Approve clips first.")
    link = _links(at)
    items = audit_sample(
        boxes.select("clip_id", "second", "person_id", "x1", "y1", "x2", "y2"), size, seed=seed
    )
    where = [link(clip, second * CLIP_FPS) for clip, second in items.select("clip_id", "second").rows()]
    _show(items.insert_column(3, Series("where", where)))


@app.command("audit-result")
def audit_result(
    checked: Annotated[int, typer.Argument(help="Items that were checked.")],
    wrong: Annotated[int, typer.Argument(help="How many of them were wrong.")],
) -> None:
    """Say what a blind audit shows about all approved items."""
    from ava_core.agreement.audit import audit_bound

    _say(audit_bound(wrong, checked).sentence)


@app.command("approve")
def approve(batch: Batch, clips: Clips, comment: Comment = "", actor: Actor = "") -> None:
    """Approve clips: their consensus goes into the dataset."""
    from ava_core import decisions

    _say(f"{len(decisions.approve(_store(), batch, clips, _who(actor), comment))} clip(s) approved.")


@app.command("reject")
def reject(
    batch: Batch, clips: Clips, comment: Annotated[str, typer.Option(help="What to mend.")], actor: Actor = ""
) -> None:
    """Reject clips; the comment tells the annotators why."""
    from ava_core import decisions

    _say(f"{len(decisions.reject(_store(), batch, clips, _who(actor), comment))} clip(s) rejected.")


@app.command("reopen")
def reopen(batch: Batch, clips: Clips, comment: Comment = "", actor: Actor = "") -> None:
    """Take an approval or a rejection back."""
    from ava_core import decisions

    _say(f"{len(decisions.reopen(_store(), batch, clips, _who(actor), comment))} clip(s) reopened.")


@app.command("bulk")
def bulk(
    batch: Batch,
    alpha: Annotated[float, typer.Option(help="Least pooled alpha of a clip; 0 asks for none.")] = 0.4,
    iou: Annotated[float, typer.Option(help="Least mean IoU of its boxes.")] = 0.5,
    f1: Annotated[float, typer.Option(help="Least F1 of its boxes at IoU ≥ .5.")] = 0.7,
    apply: Annotated[
        bool, typer.Option("--apply", help="Decide; without it only the effect is shown.")
    ] = False,
    actor: Actor = "",
) -> None:
    """Approve every clip that passes the thresholds; shows first which ones, and why the others do not."""
    from ava_core import decisions
    from ava_core.quality.bulk import Thresholds, plan_bulk_approval

    store = _store()
    clips = _table(batch, "agreement", "clips")
    thresholds = Thresholds(pooled_alpha=alpha, mean_iou=iou, f1=f1)
    plan = plan_bulk_approval(clips, decisions.decision_state(store, batch), thresholds)
    _say(f"{len(plan.approve)} clip(s) pass, {plan.left.height} do not.")
    _show(plan.left)
    if not apply:
        _say("Nothing was decided. --apply approves those that pass.")
    elif plan.approve:
        comment = f"bulk: alpha ≥ {alpha:g}, IoU ≥ {iou:g}, F1 ≥ {f1:g}"
        decisions.approve(store, batch, plan.approve, _who(actor), comment)
        _say(f"{len(plan.approve)} clip(s) approved.")


@app.command("exclude")
def exclude(
    batch: Batch,
    annotator: Annotated[str, typer.Argument(help="The exact user name.")],
    comment: Comment = "",
    apply: Annotated[
        bool, typer.Option("--apply", help="Decide; without it only the effect is shown.")
    ] = False,
    actor: Actor = "",
) -> None:
    """Leave an annotator out of the consensus; shows first what that changes."""
    from ava_core import decisions
    from ava_core.quality.effect import exclusion_effect
    from ava_core.quality.tables import load_quality

    at = _open(batch)
    raw = load_quality(at.storage, batch).raw_annotations
    _show(exclusion_effect(raw, at.ontology, decisions.decision_state(at.store, batch), annotator))
    if apply:
        decisions.exclude_annotator(at.store, batch, annotator, _who(actor), comment)
        _say(f"{annotator} is left out of batch {batch}. `ava qc include` takes it back.")
    else:
        _say("Nothing was decided. --apply leaves the annotator out.")


@app.command("include")
def include(
    batch: Batch,
    annotator: Annotated[str, typer.Argument(help="The exact user name.")],
    comment: Comment = "",
    actor: Actor = "",
) -> None:
    """Take an exclusion back."""
    from ava_core import decisions

    decisions.include_annotator(_store(), batch, annotator, _who(actor), comment)
    _say(f"{annotator} counts in batch {batch} again.")


@app.command("adjudicate")
def adjudicate(
    batch: Batch,
    clip: Annotated[str, typer.Argument(help="Id of the clip.")],
    second: Annotated[int, typer.Argument(help="Second of the clip.")],
    person: Annotated[int, typer.Argument(help="Number of the person in the consensus.")],
    group: Annotated[str, typer.Argument(help="Group of the ontology.")],
    actions: Annotated[
        list[str] | None, typer.Argument(help="What holds, by name; nothing: none does.")
    ] = None,
    comment: Comment = "",
    actor: Actor = "",
) -> None:
    """Decide what a person does at a second, whatever the annotators said."""
    from ava_core import decisions

    at = _open(batch)
    decisions.adjudicate(
        at.store,
        batch,
        clip_id=clip,
        second=second,
        person_id=person,
        group=group,
        action_ids=decisions.action_ids(at.ontology, group, actions or []),
        actor=_who(actor),
        comment=comment,
    )
    _say(f"{clip}, second {second}, person {person}: {group} is {', '.join(actions or []) or 'none'}.")


@app.command("expert")
def expert(
    batch: Batch,
    clip: Annotated[str, typer.Argument(help="Id of the clip.")],
    name: Annotated[
        str, typer.Argument(help="User name of the expert; empty: the consensus holds again.")
    ] = "",
    comment: Comment = "",
    actor: Actor = "",
) -> None:
    """Give a clip's consensus to an expert, who mends it in CVAT in the clip's parent job.

    As soon as the expert completes that job, it replaces the consensus of the clip.
    """
    from ava_core import decisions
    from ava_core.consensus.form import form_consensus
    from ava_core.cvat.adjudication import send_to_expert
    from ava_core.quality.tables import load_quality

    at = _open(batch)
    if not name:
        decisions.note_expert(at.store, batch, clip, "", 0, _who(actor), comment)
        _say(f"The annotators' consensus of {clip} holds again.")
        return
    raw, state = load_quality(at.storage, batch).raw_annotations, decisions.decision_state(at.store, batch)
    consensus = form_consensus(
        raw["raw_boxes"], raw["raw_labels"], raw["completed_jobs"], at.ontology,
        approved=[clip], excluded=state.excluded, adjudications=state.adjudications,
    )  # fmt: skip
    send_to_expert(at, clip, name, consensus, actor=_who(actor), comment=comment)
    _say(f"{clip} waits for {name} on {at.settings.resolved_cvat_url}.")


@app.command("gold")
def gold(
    batch: Batch,
    clip: Annotated[str, typer.Argument(help="Id of the clip.")],
    expert: Annotated[
        str, typer.Argument(help="Whose completed work is the measure; empty: no gold any more.")
    ] = "",
    comment: Comment = "",
    actor: Actor = "",
) -> None:
    """Make an expert's work on a clip the measure of the others' work on it."""
    from ava_core import decisions

    if expert:
        decisions.mark_gold(_store(), batch, clip, expert, _who(actor), comment)
    else:
        decisions.unmark_gold(_store(), batch, clip, _who(actor), comment)
    _say(f"{clip} is {'gold by ' + expert if expert else 'an ordinary clip'}.")


@app.command("deal-gold")
def deal_gold(
    batch: Batch,
    each: Annotated[int, typer.Option(min=1, help="Gold clips that everyone shall have.")] = 1,
    actor: Actor = "",
) -> None:
    """Give gold clips to annotators, hidden among their other work; done again, only what is missing."""
    from ava_core.cvat.gold import deal_gold as deal

    dealt = deal(_open(batch), _who(actor), each=each)
    for clip, person in dealt:
        _say(f"{clip} → {person}")
    _say(f"{len(dealt)} gold clip(s) dealt.")


@app.command("log")
def log(batch: Batch) -> None:
    """Show every decision on a batch, oldest first."""
    from ava_core import decisions

    table = Table(box=None)
    for column in ("when", "who", "action", "on", "comment"):
        table.add_column(column)
    for one in decisions.decisions_of(_store(), batch):
        moment = f"{one.decided_at:%Y-%m-%d %H:%M}"
        table.add_row(moment, one.actor, one.action, one.subject, one.comment)
    Console().print(table)


def _open(batch: str) -> BatchContext:
    from ava_core.batch import open_batch

    return open_batch(load_settings(), batch)


def _store() -> Store:
    from ava_core.store import open_store

    return open_store(load_settings())


def _who(actor: str) -> str:
    return actor or getpass.getuser()


def _say(text: str) -> None:
    Console(highlight=False, soft_wrap=True).print(text, markup=False)


def _table(batch: str, asset: str, name: str) -> pl.DataFrame:
    from ava_core.storage import Storage

    storage = Storage(load_settings().resolved_storage_url)
    return storage.read_table(storage.table_path(batch, asset, name))


def _show(rows: pl.DataFrame) -> None:
    table = Table(box=None)
    for column in rows.columns:
        table.add_column(column)
    for row in rows.rows():
        table.add_row(*("–" if v is None else f"{v:.3f}" if isinstance(v, float) else str(v) for v in row))
    Console(highlight=False, soft_wrap=True).print(table)


def _links(at: BatchContext) -> Callable[[str, int], str]:
    """The page of each clip's first job at a frame."""
    from ava_core.store import tasks

    jobs = {job.clip_id: job for job in reversed(tasks.jobs_of(at.store, at.batch))}

    def link(clip_id: str, frame: int) -> str:
        job = jobs.get(clip_id)
        url = at.settings.resolved_cvat_url
        return f"{url}/tasks/{job.task_id}/jobs/{job.job_id}?frame={frame}" if job else ""

    return link
