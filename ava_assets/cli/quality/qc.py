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

app = typer.Typer(
    no_args_is_help=True,
    help="Judge what annotators did. Every decision is kept, and reversed by a later one; what follows from it "
    "starts by itself where `ava up` runs.",
)


@app.command("report")
def report(
    name: Annotated[str, typer.Argument(help="Name of a batch, or of a release with --release.")],
    out: Annotated[Path, typer.Option(help="Where the page is written.")] = Path("quality.html"),
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
    """Compute the alphas once more with the package `krippendorff`; exit code 1 where one differs.

    Of the pooled alpha, of every group and class, and of a sample of clips, from the readings as they are stored.
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
            "Materialise agreement of this batch again; if they still differ, trust none of its figures.",
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

    say(f"{len(decisions.approve(database(), batch, clips, who(actor), comment))} clip(s) approved.")


@app.command("reject")
def reject(
    batch: Batch, clips: Clips, comment: Annotated[str, typer.Option(help="What to mend.")], actor: Actor = ""
) -> None:
    """Reject clips; the comment tells the annotators why."""
    from ava_core import decisions

    say(f"{len(decisions.reject(database(), batch, clips, who(actor), comment))} clip(s) rejected.")


@app.command("reopen")
def reopen(batch: Batch, clips: Clips, comment: Comment = "", actor: Actor = "") -> None:
    """Take an approval or a rejection back."""
    from ava_core import decisions

    say(f"{len(decisions.reopen(database(), batch, clips, who(actor), comment))} clip(s) reopened.")


@app.command("bulk")
def bulk(
    batch: Batch,
    alpha: Annotated[float, typer.Option(help="Least pooled alpha of a clip; 0 asks for none.")] = 0.4,
    iou: Annotated[float, typer.Option(help="Least mean IoU of its boxes.")] = 0.5,
    f1: Annotated[float, typer.Option(help="Least F1 of its boxes at IoU ≥ .5.")] = 0.7,
    kappa: Annotated[float, typer.Option(help="Least kappa of a clip, pooled over classes and pairs.")] = 0.0,
    apply: Annotated[
        bool, typer.Option("--apply", help="Decide; without it only the effect is shown.")
    ] = False,
    actor: Actor = "",
) -> None:
    """Approve every clip that passes the thresholds and breaks no rule; shows first which ones, and why others do not.

    Rules that block are those of severity `block` in the file of AVA_RULES.
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
    say(f"{len(plan.approve)} clip(s) pass, {plan.left.height} do not.")
    show(plan.left)
    if not apply:
        say("Nothing was decided. --apply approves those that pass.")
    elif plan.approve:
        comment = f"bulk: alpha ≥ {alpha:g}, kappa ≥ {kappa:g}, IoU ≥ {iou:g}, F1 ≥ {f1:g}"
        read = decisions.readings_in(at.table("raw_annotations", "completed_jobs"))
        done = decisions.approve_unmoved(
            store, batch, plan.approve, who(actor), comment, seen=seen, shown=read
        )
        say(f"{len(done.made)} clip(s) approved.")
        for clip, why in done.moved.items():
            say(f"{clip} stays as it is: {why}")


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
    from ava_core.quality.review.effect import exclusion_effect
    from ava_core.quality.review.tables import load_quality

    at = opened(batch)
    raw = load_quality(at).raw_annotations
    show(exclusion_effect(raw, at.ontology, decisions.decision_state(at.store, batch), annotator))
    if apply:
        decisions.exclude_annotator(at.store, batch, annotator, who(actor), comment)
        say(f"{annotator} is left out of batch {batch}. `ava qc include` takes it back.")
    else:
        say("Nothing was decided. --apply leaves the annotator out.")


@app.command("include")
def include(
    batch: Batch,
    annotator: Annotated[str, typer.Argument(help="The exact user name.")],
    comment: Comment = "",
    actor: Actor = "",
) -> None:
    """Take an exclusion back."""
    from ava_core import decisions

    decisions.include_annotator(database(), batch, annotator, who(actor), comment)
    say(f"{annotator} counts in batch {batch} again.")


@app.command("adjudicate")
def adjudicate(
    batch: Batch,
    clip: Clip,
    second: Annotated[int, typer.Argument(help="Second of the clip.")],
    person: Annotated[int, typer.Argument(help="Number of the person in the consensus.")],
    group: Annotated[
        str, typer.Argument(help='Group of the ontology, or "presence": whether anybody is there.')
    ],
    actions: Annotated[
        list[str] | None,
        typer.Argument(help="What holds, by name; nothing: none does. Of presence: yes or no."),
    ] = None,
    comment: Comment = "",
    actor: Actor = "",
) -> None:
    """Decide what a person does at a second, or whether there is one, whatever the annotators said.

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
        say(f"{clip}, second {second}, person {person}: {'somebody' if present else 'nobody'} is there.")
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
            f"{' '.join(words) or 'Nothing'!r} does not say whether anybody is there.", "Say yes or no."
        )
    return words == ["yes"]


@app.command("expert")
def expert(
    batch: Batch,
    clip: Clip,
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
    from ava_core.annotation.adjudication import send_to_expert
    from ava_core.quality.consensus.batch import consensus_of_batch
    from ava_core.quality.review.tables import load_quality

    at = opened(batch)
    if not name:
        decisions.note_expert(at.store, batch, clip, "", 0, who(actor), comment)
        say(f"The annotators' consensus of {clip} holds again.")
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
        str, typer.Argument(help="Whose completed work is the measure; empty: no gold any more.")
    ] = "",
    comment: Comment = "",
    actor: Actor = "",
) -> None:
    """Make an expert's work on a clip the measure of the others' work on it."""
    from ava_core import decisions

    if expert:
        decisions.mark_gold(database(), batch, clip, expert, who(actor), comment)
    else:
        decisions.unmark_gold(database(), batch, clip, who(actor), comment)
    say(f"{clip} is {'gold by ' + expert if expert else 'an ordinary clip'}.")


@app.command("deal-gold")
def deal_gold(
    batch: Batch,
    each: Annotated[int, typer.Option(min=1, help="Gold clips that everyone shall have.")] = 1,
    actor: Actor = "",
) -> None:
    """Give gold clips to annotators, hidden among their other work; done again, only what is missing."""
    from ava_core.annotation.gold import deal_gold as deal

    dealt = deal(opened(batch), who(actor), each=each)
    for clip, person in dealt:
        say(f"{clip} → {person}")
    say(f"{len(dealt)} gold clip(s) dealt.")


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
