"""The quality report of a batch or a release: one HTML file with plots and tables that needs nothing beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import polars as pl

from ava_core.base.report.document import Block, Heading, Numbers, Picture, Text, to_html
from ava_core.base.schemas import AGREEMENT_BY_CLIP, with_new_columns
from ava_core.decisions import DecisionState
from ava_core.ontology import Ontology
from ava_core.quality.review.plots import plot_confusion, plot_histogram, plot_intervals, plot_matrix
from ava_core.quality.review.tables import QualityTables

MOST_LISTED = 40
"""Rows of conflicts and of the adjudication queue that are listed; the tables hold all."""

Link = Callable[[str, int], str]
"""The page that shows a clip at a frame; "" where there is none."""


def quality_report(
    tables: QualityTables,
    ontology: Ontology,
    state: DecisionState,
    *,
    note: str = "",
    link: Link | None = None,
) -> str:
    """The page. Figures that are undefined are dashes with their reason beside them."""
    return to_html(f"Quality of {tables.subject}", _blocks(tables, ontology, state, note, link or _nowhere))


def _nowhere(clip_id: str, frame: int) -> str:
    return ""


def _blocks(
    tables: QualityTables, ontology: Ontology, state: DecisionState, note: str, link: Link
) -> Iterator[Block]:
    done = tables.raw_annotations["completed_jobs"]
    yield Heading(f"Quality of {tables.subject}", 1)
    for line in note.splitlines():
        yield Text(line, strong=True)
    yield Text(
        f"{done['clip_id'].n_unique()} clips completed in {done.height} jobs by {done['annotator'].n_unique()} "
        f"annotators. Approved: {len(state.approved)}; rejected: {len(state.rejected)}; "
        f"excluded annotators: {', '.join(sorted(state.excluded)) or 'none'}."
    )
    if not tables.agreement:
        yield Text("Agreement has not been measured yet.", strong=True)
        return
    yield from _agreement(tables.agreement)
    yield from _annotators(tables.agreement)
    yield from _classes(tables.agreement, ontology)
    yield from _clips(tables.agreement, state)
    yield from _doubts(tables, link)


def _agreement(agreement: dict[str, pl.DataFrame]) -> Iterator[Block]:
    yield Heading("Agreement")
    yield Text(
        "Intervals are of 95 %, from resampling clips. The headline is Krippendorff's alpha, pooled over classes: "
        "0 is chance level, 1 is perfect. Undefined figures show a reason, never a number."
    )
    overall = agreement["overall"].select("statistic", "value", "low", "high", "n", "reason")
    yield Numbers(("figure", "value", "low", "high", "n", "reason"), overall.rows())


def _annotators(agreement: dict[str, pl.DataFrame]) -> Iterator[Block]:
    cards, verdicts = agreement["annotators"], agreement["gate"]
    yield Heading("Annotators")
    if agreement["pairs"]["pooled_alpha"].count():
        names = cards["annotator"].to_list()
        yield Picture(
            "pairs",
            "Pooled alpha of each pair of annotators",
            plot_matrix(agreement["pairs"], names, "pooled_alpha"),
        )
    yield Text(
        "Sensitivity and false alarms are estimated against the consensus. Box error is a fraction of the "
        "box size. "
        "A low edit rate means that annotators kept the pre-drawn boxes, which makes agreement look better."
    )
    columns = ("clips", "boxes", "edit_rate", "alpha", "sensitivity", "false_alarm_rate", "box_error",
               "gold_accuracy", "drift")  # fmt: skip
    rows = cards.join(verdicts, on="annotator", how="left").select(
        "annotator", *columns, pl.col("status").fill_null("unknown"), pl.col("reasons").list.join("; ")
    )
    header = ("annotator", *(name.replace("_", " ") for name in columns), "gate", "why")
    yield Numbers(header, rows.rows())


def _classes(agreement: dict[str, pl.DataFrame], ontology: Ontology) -> Iterator[Block]:
    yield Heading("Classes")
    by_class = agreement["per_class"]
    if by_class["alpha"].count():
        yield Picture(
            "classes",
            "Alpha by class; green from .800, yellow from .667",
            plot_intervals(by_class, "name", "alpha", "low", "high"),
        )
    shown = by_class.select(
        "action_id", "name", "alpha", "low", "high", "positive_agreement", "positives", "reason"
    )
    header = ("id", "action", "alpha", "low", "high", "positive agreement", "positives", "reason")
    yield Numbers(header, shown.rows())
    names = {action.id: action.name for action in ontology.actions}
    for (group,), own in agreement["confusion"].group_by(["group"], maintain_order=True):
        yield Picture(
            f"confusion_{group}",
            f"{group}: one annotator's answers against another's",
            plot_confusion(own, names),
        )


def _clips(agreement: dict[str, pl.DataFrame], state: DecisionState) -> Iterator[Block]:
    clips = with_new_columns(agreement["clips"], AGREEMENT_BY_CLIP)
    yield Heading("Clips")
    for name, title in (("pooled_alpha", "pooled alpha"), ("mean_iou", "mean IoU")):
        if clips[name].count():
            yield Picture(f"clips_{name}", f"Clips by {title}", plot_histogram(clips[name], title))
    judged = pl.DataFrame(
        [(clip, "approved") for clip in state.approved] + [(clip, "rejected") for clip in state.rejected],
        schema={"clip_id": pl.String, "decision": pl.String},
        orient="row",
    )
    figures = ("annotators", "people", "pooled_alpha", "kappa", "mean_iou", "f1", "missed")
    rows = clips.join(judged, on="clip_id", how="left").sort("pooled_alpha", nulls_last=True)
    shown = rows.select("clip_id", *figures, pl.col("decision").fill_null("pending"), "reason")
    header = ("clip", "annotators", "people", "alpha", "kappa", "mean IoU", "F1", "missed boxes", "decision",
              "reason")  # fmt: skip
    yield Numbers(header, shown.rows())


def _doubts(tables: QualityTables, link: Link) -> Iterator[Block]:
    queue = tables.consensus_labels.get("queue")
    if queue is not None and queue.height:
        yield Heading("Review these first")
        rows = queue.head(MOST_LISTED).select(
            "clip_id", "second", "person_id", "group", "expected_error", "frame"
        )
        yield Numbers(
            ("clip", "second", "person", "group", "expected errors", "where"),
            [(*row[:-1], link(row[0], row[-1])) for row in rows.rows()],
        )
    conflicts = tables.agreement["conflicts"]
    counts = conflicts.group_by("kind").agg(places=pl.len()).sort("places", "kind", descending=[True, False])
    yield Heading("Conflicts")
    yield Numbers(("kind", "places"), counts.rows())
    worst = conflicts.filter(pl.col("kind") != "missed").head(MOST_LISTED)
    yield Numbers(
        ("clip", "second", "person", "kind", "answers", "where"),
        [
            (*row[:-1], link(row[0], row[-1]))
            for row in worst.select("clip_id", "second", "person_id", "kind", "detail", "frame").rows()
        ],
    )
