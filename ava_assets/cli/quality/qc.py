"""`ava qc`: look at agreement, decide, and see beforehand what a decision would change."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ava_assets.cli.quality import audit as qc_audit
from ava_assets.cli.shared import (
    Actor,
    Batch,
    Clip,
    Clips,
    Comment,
    database,
    links,
    opened,
    say,
    show,
    who,
)
from ava_core.base.errors import DecisionError, InputError
from ava_core.base.settings import load_settings
from ava_core.base.text import plural

app = typer.Typer(
    no_args_is_help=True,
    help="Review annotators' work. Every decision is kept, and a later one can reverse it. While `ava up` "
    "runs, decisions take effect automatically.",
)


@app.command("report")
def report(
    name: Annotated[str, typer.Argument(help="Name of a batch or, with --release, of a release.")],
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("quality.html"),
    release: Annotated[bool, typer.Option("--release", help="Report on a release.")] = False,
) -> None:
    """Write one self-contained HTML page: agreement, annotators, classes, clips, conflicts."""
    page = _release_page(name) if release else _batch_page(name)
    out.write_text(page, "utf-8")
    say(f"report: {out.absolute()}")


def _batch_page(batch: str) -> str:
    from ava_core.decisions import decision_state
    from ava_core.quality.review.report import quality_report
    from ava_core.quality.review.tables import load_quality
    from ava_core.store import batches

    at = opened(batch)
    note = batches.get(at.store, batch).note
    state = decision_state(at.store, batch)
    return quality_report(load_quality(at), at.ontology, state, note=note, link=links(at))


def _release_page(name: str) -> str:
    from ava_core.base.storage import Storage
    from ava_core.dataset.export.release_quality import load_release_quality
    from ava_core.decisions import DecisionState
    from ava_core.ontology import load_ontology
    from ava_core.quality.review.report import quality_report

    settings = load_settings()
    ontology = load_ontology(settings.ontology)
    tables = load_release_quality(Storage(settings.resolved_storage_url), ontology, name, seed=settings.seed)
    # Whatever a release holds was approved; who was left out shows in the batches' own reports.
    approved = frozenset(tables.raw_annotations["completed_jobs"]["clip_id"])
    return quality_report(tables, ontology, DecisionState.of_approved(approved))


@app.command("verify")
def verify(batch: Batch) -> None:
    """Recompute the alphas with the package `krippendorff`; exit with 1 if one differs. Covers the pooled
    alpha, every group and class, and a sample of clips, from the stored readings.
    """
    from ava_core.decisions import decision_state
    from ava_core.quality.agreement.verify import TOLERANCE, differing, in_full, verify_agreement
    from ava_core.quality.review.tables import load_quality

    at = opened(batch)
    tables, gold = load_quality(at), decision_state(at.store, batch).gold
    verified = verify_agreement(
        tables.raw_annotations, tables.agreement, at.ontology, gold=gold, seed=at.settings.seed
    )
    wrong = differing(verified)
    if wrong.height:
        show(in_full(wrong))
        raise InputError(
            f"{wrong.height} of {verified.height} alphas differ from krippendorff's by more than {TOLERANCE:g}.",
            "Materialise agreement of this batch again; if they still differ, do not trust its figures.",
        )
    say(f"{verified.height} alphas are krippendorff's, to {TOLERANCE:g}.")


@app.command("examples")
def examples(
    ontology: Annotated[str, typer.Option(help="Name of the ontology. Default: the one that is set.")] = "",
) -> None:
    """List the examples of actions that annotators and experts see: clip, second, and the loop's file.

    Example: `ava qc examples`
    """
    from ava_core.annotation.guidance import examples_table
    from ava_core.ontology import load_ontology

    found = examples_table(database(), load_ontology(ontology or load_settings().ontology))
    if found.is_empty():
        say("No example yet: mark a person as one where a clip is reviewed (Quality).")
    else:
        show(found)


app.command("audit")(qc_audit.audit)
app.command("audit-answer")(qc_audit.answer)
app.command("audit-result")(qc_audit.result)


@app.command("approve")
def approve(batch: Batch, clips: Clips, comment: Comment = "", actor: Actor = "") -> None:
    """Approve clips: their consensus goes into the dataset."""
    from ava_core import decisions

    say(f"{plural(len(decisions.approve(database(), batch, clips, who(actor), comment)), 'clip')} approved.")


@app.command("reject")
def reject(
    batch: Batch,
    clips: Clips,
    comment: Annotated[str, typer.Option(help="Comment: what the annotators should fix.")],
    actor: Actor = "",
) -> None:
    """Reject clips; your comment tells the annotators why."""
    from ava_core import decisions

    say(f"{plural(len(decisions.reject(database(), batch, clips, who(actor), comment)), 'clip')} rejected.")


@app.command("reopen")
def reopen(batch: Batch, clips: Clips, comment: Comment = "", actor: Actor = "") -> None:
    """Undo an approval or a rejection."""
    from ava_core import decisions

    say(f"{plural(len(decisions.reopen(database(), batch, clips, who(actor), comment)), 'clip')} reopened.")


@app.command("bulk")
def bulk(
    batch: Batch,
    alpha: Annotated[float, typer.Option(help="Minimum pooled alpha of a clip; 0 for no minimum.")] = 0.4,
    iou: Annotated[float, typer.Option(help="Minimum mean IoU of its boxes.")] = 0.5,
    f1: Annotated[float, typer.Option(help="Minimum F1 of its boxes at IoU ≥ .5.")] = 0.7,
    kappa: Annotated[
        float, typer.Option(help="Minimum kappa of a clip, pooled over classes and pairs.")
    ] = 0.0,
    apply: Annotated[
        bool, typer.Option("--apply", help="Make the decision; without it, only show the effect.")
    ] = False,
    actor: Actor = "",
) -> None:
    """Approve every clip that passes the thresholds and breaks no blocking rule. First shows which clips
    pass, and why others do not. Blocking rules have severity `block` in the AVA_RULES file.
    """
    from ava_core import decisions
    from ava_core.quality.review.bulk import Thresholds, blocked_clips, plan_bulk_approval
    from ava_core.quality.review.tables import load_quality

    at = opened(batch)
    store, clips = at.store, at.table("agreement", "clips")
    thresholds = Thresholds(pooled_alpha=alpha, mean_iou=iou, f1=f1, kappa=kappa)
    seen, state = decisions.newest_decision(store, batch), decisions.decision_state(store, batch)
    findings = load_quality(at).raw_annotations.get("rule_findings")
    blocked = blocked_clips(findings, state.excluded) if findings is not None else {}
    plan = plan_bulk_approval(clips, state.judged, thresholds, blocked)
    say(f"Passing: {plural(len(plan.approve), 'clip')}; not passing: {plan.left.height}.")
    show(plan.left)
    if not apply:
        say("Nothing was changed. Use --apply to approve the passing clips.")
    elif plan.approve:
        comment = f"bulk: alpha ≥ {alpha:g}, kappa ≥ {kappa:g}, IoU ≥ {iou:g}, F1 ≥ {f1:g}"
        read = decisions.readings_in(at.table("raw_annotations", "completed_jobs"))
        done = decisions.approve_unmoved(
            store, batch, plan.approve, who(actor), comment, seen=seen, shown=read
        )
        say(f"{plural(len(done.made), 'clip')} approved.")
        for clip, why in done.moved.items():
            say(f"{clip} is unchanged: {why}")


@app.command("exclude")
def exclude(
    batch: Batch,
    annotator: Annotated[str, typer.Argument(help="Exact user name.")],
    comment: Comment = "",
    apply: Annotated[
        bool, typer.Option("--apply", help="Make the decision; without it, only show the effect.")
    ] = False,
    actor: Actor = "",
) -> None:
    """Exclude an annotator from the consensus. First shows what that changes."""
    from ava_core import decisions
    from ava_core.quality.review.effect import exclusion_effect
    from ava_core.quality.review.tables import load_quality

    at = opened(batch)
    raw = load_quality(at).raw_annotations
    show(exclusion_effect(raw, at.ontology, decisions.decision_state(at.store, batch), annotator))
    if apply:
        decisions.exclude_annotator(at.store, batch, annotator, who(actor), comment)
        say(f"{annotator} is excluded from batch {batch}. Undo with `ava qc include`.")
    else:
        say("Nothing was changed. Use --apply to exclude the annotator.")


@app.command("include")
def include(
    batch: Batch,
    annotator: Annotated[str, typer.Argument(help="Exact user name.")],
    comment: Comment = "",
    actor: Actor = "",
) -> None:
    """Undo an exclusion."""
    from ava_core import decisions

    decisions.include_annotator(database(), batch, annotator, who(actor), comment)
    say(f"{annotator} is included in batch {batch} again.")


@app.command("adjudicate")
def adjudicate(
    batch: Batch,
    clip: Clip,
    second: Annotated[int, typer.Argument(help="Second of the clip.")],
    person: Annotated[int, typer.Argument(help="Person number in the consensus.")],
    group: Annotated[str, typer.Argument(help='Ontology group, or "presence": whether the person is there.')],
    actions: Annotated[
        list[str] | None,
        typer.Argument(help="The correct actions, by name. Leave empty for none. For presence: yes or no."),
    ] = None,
    comment: Comment = "",
    actor: Actor = "",
) -> None:
    """Settle what a person does at a second, or whether the person is there, overriding the annotators.

    Example: `ava qc adjudicate batch1 clip_0000 3 1 presence no`
    """
    from ava_core import decisions
    from ava_core.decisions import PRESENCE

    at = opened(batch)
    if group == PRESENCE:
        present = _yes_or_no(actions or [])
        decisions.settle_presence(
            at.store, batch, clip_id=clip, second=second, person_id=person, present=present,
            actor=who(actor), comment=comment,
        )  # fmt: skip
        say(f"{clip}, second {second}, person {person}: {'the person is' if present else 'no one is'} there.")
        return
    decisions.adjudicate(
        at.store,
        batch,
        clip_id=clip,
        second=second,
        person_id=person,
        group=group,
        action_ids=decisions.action_ids(at.ontology, group, actions or []),
        actor=who(actor),
        comment=comment,
    )
    say(f"{clip}, second {second}, person {person}: {group} is {', '.join(actions or []) or 'none'}.")


def _yes_or_no(words: list[str]) -> bool:
    if words not in (["yes"], ["no"]):
        raise DecisionError(
            f"{' '.join(words) or 'Nothing'!r} does not say whether the person is there.", "Use yes or no."
        )
    return words == ["yes"]


@app.command("expert")
def expert(
    batch: Batch,
    clip: Clip,
    name: Annotated[
        str,
        typer.Argument(help="User name of the expert. Leave empty to use the annotators' consensus again."),
    ] = "",
    comment: Comment = "",
    actor: Actor = "",
) -> None:
    """Ask an expert to correct a clip's consensus in CVAT, in the clip's parent job. When the expert
    completes that job, it replaces the consensus of the clip.
    """
    from ava_core import decisions
    from ava_core.annotation.adjudication import send_to_expert
    from ava_core.quality.consensus.batch import consensus_of_batch
    from ava_core.quality.review.tables import load_quality

    at = opened(batch)
    if not name:
        decisions.note_expert(at.store, batch, clip, "", 0, who(actor), comment)
        say(f"{clip} uses the annotators' consensus again.")
        return
    raw, state = load_quality(at).raw_annotations, decisions.decision_state(at.store, batch)
    consensus = consensus_of_batch(raw, at.ontology, state, approved=[clip])
    send_to_expert(at, clip, name, consensus, actor=who(actor), comment=comment)
    say(f"{clip} waits for {name} on {at.settings.resolved_cvat_url}.")


@app.command("gold")
def gold(
    batch: Batch,
    clip: Clip,
    expert: Annotated[
        str,
        typer.Argument(help="The expert whose completed work is the reference. Leave empty to remove gold."),
    ] = "",
    comment: Comment = "",
    actor: Actor = "",
) -> None:
    """Use an expert's work on a clip as the reference for the others' work."""
    from ava_core import decisions

    if expert:
        decisions.mark_gold(database(), batch, clip, expert, who(actor), comment)
    else:
        decisions.unmark_gold(database(), batch, clip, who(actor), comment)
    say(f"{clip} is {'gold by ' + expert if expert else 'an ordinary clip'}.")


@app.command("deal-gold")
def deal_gold(
    batch: Batch,
    each: Annotated[int, typer.Option(min=1, help="Gold clips per annotator.")] = 1,
    actor: Actor = "",
) -> None:
    """Assign gold clips to annotators, hidden among their other work. Run it again to add only what is
    missing."""
    from ava_core.annotation.gold import deal_gold as deal

    dealt = deal(opened(batch), who(actor), each=each)
    for clip, person in dealt:
        say(f"{clip} → {person}")
    say(f"{plural(len(dealt), 'gold clip')} dealt out.")


@app.command("log")
def log(batch: Batch) -> None:
    """Show every decision on a batch, oldest first."""
    from ava_core import decisions

    table = Table(box=None)
    for column in ("when", "who", "action", "on", "comment"):
        table.add_column(column)
    for one in decisions.decisions_of(database(), batch):
        moment = f"{one.decided_at:%Y-%m-%d %H:%M}"
        table.add_row(moment, one.actor, one.action, one.subject, one.comment)
    Console().print(table)
