"""The consensus of a batch from approved clips and trusted annotators."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import polars as pl

from ava_core.base.schemas import ADJUDICATIONS, DISPUTED, PLACE, conform, empty
from ava_core.base.work.threads import side_by_side
from ava_core.decisions import PRESENCE, on_presence
from ava_core.ontology import Ontology
from ava_core.quality.agreement.build import Work, match_work
from ava_core.quality.agreement.delay import aligned
from ava_core.quality.agreement.dependence import Pair, undecided, votes
from ava_core.quality.agreement.panel import Panel
from ava_core.quality.agreement.reliability import estimate_labels
from ava_core.quality.consensus.boxes import Merged, box_table, merge_boxes
from ava_core.quality.consensus.labels import Decided, adjudicate, decide, label_table
from ava_core.quality.consensus.provenance import provenance
from ava_core.quality.consensus.queue import adjudication_queue, clip_needs


def form_consensus(
    raw_boxes: pl.DataFrame,
    raw_labels: pl.DataFrame,
    completed: pl.DataFrame,
    ontology: Ontology,
    *,
    approved: Collection[str],
    excluded: Collection[str] = (),
    adjudications: pl.DataFrame | None = None,
    independent: Collection[Pair] = (),
) -> dict[str, pl.DataFrame]:
    """`form_from_work` of `schemas.RAW_BOXES`, `RAW_LABELS` and `COMPLETED_JOBS`.

    >>> from ava_core.base.schemas import COMPLETED_JOBS, RAW_BOXES, RAW_LABELS
    >>> from ava_core.ontology import load_ontology
    >>> said = {"anna": [12], "ben": [12], "cleo": [14]}
    >>> rows = [
    ...     dict(clip_id="gate_000", annotator=name, job_id=job, version=1, track_key="0", second=2, x1=10.0, y1=10.0,
    ...          x2=50.0, y2=90.0, edited=True, group="pose", action_ids=said[name])
    ...     for job, name in enumerate(said, start=1)
    ... ]
    >>> work = [pl.DataFrame(rows, schema=dict(part)) for part in (RAW_BOXES, RAW_LABELS, COMPLETED_JOBS)]
    >>> tables = form_consensus(*work, load_ontology("ava80"), approved=["gate_000"])
    >>> tables["consensus_labels"].select("second", "person_id", "action_id", "votes", "voters").rows()
    [(2, 1, 12, 2, 3)]
    """
    work = match_work(raw_boxes, raw_labels, completed, ontology)
    return form_from_work(
        work, approved=approved, excluded=excluded, adjudications=adjudications, independent=independent
    )


def form_from_work(
    work: Work,
    *,
    approved: Collection[str],
    excluded: Collection[str] = (),
    adjudications: pl.DataFrame | None = None,
    independent: Collection[Pair] = (),
) -> dict[str, pl.DataFrame]:
    """Tables `consensus_boxes`, `consensus_labels`, `disputed`, `queue`, `needs`, `persons` and `provenance`, with the
    columns that `ava_core.base.schemas` gives them.

    Only `approved` clips come out, and `excluded` annotators have no vote. Who is whom is decided with all
    annotators, so that excluding one renumbers nobody; who errs how is learnt from all clips, so that approving
    one more changes nothing in the others. A second in which exactly half of the voters see a person is disputed
    until an expert has adjudicated that person. Where an expert said that nobody is there, the box and its labels are
    dropped whoever drew it; where the expert said that somebody is, they stay however few did. Two of whom one may
    copy have one vote together, unless they are among the pairs that somebody judged `independent`. The order of rows
    and annotators does not matter.
    """
    return Draft.of(work, excluded, independent).tables(approved=approved, adjudications=adjudications)


@dataclass(frozen=True)
class Draft:
    """A consensus before experts' words on it: the costly part, which decisions on single answers leave as it is."""

    work: Work
    excluded: frozenset[str]
    dependent: pl.DataFrame
    panel: Panel
    merged: Merged
    seen: Panel
    decided: Decided

    @classmethod
    def of(cls, work: Work, excluded: Collection[str] = (), independent: Collection[Pair] = ()) -> Draft:
        """Merge boxes, learn who errs how, and decide on every label."""
        panel = work.panel.without(excluded)
        dependent = undecided(work.dependent, excluded, independent)
        merged = merge_boxes(panel, votes(panel, dependent, "boxes")).once(panel)
        seen = aligned(_only_of_used_boxes(panel, merged))
        estimate = estimate_labels(seen, votes(seen, dependent, "labels"))
        return cls(work, frozenset(excluded), dependent, panel, merged, seen, decide(seen, estimate))

    def queue(self, *, approved: Collection[str], adjudications: pl.DataFrame | None = None) -> pl.DataFrame:
        """The table `queue` alone: doubts that nobody has settled. Who settles a label says that somebody is there."""
        expert = _about(adjudications, approved)
        return self._unsettled(self.merged.settled(self.panel, on_presence(expert)), expert, approved)

    def _unsettled(self, merged: Merged, expert: pl.DataFrame, approved: Collection[str]) -> pl.DataFrame:
        doubtful = adjudication_queue(self.seen, merged, self.decided)
        settled = pl.concat([expert.select(*PLACE, "group"), expert.select(*PLACE, group=pl.lit(PRESENCE))])
        within = doubtful.filter(pl.col("clip_id").is_in(sorted(approved)))
        return within.join(settled, on=[*PLACE, "group"], how="anti", maintain_order="left")

    def tables(
        self, *, approved: Collection[str], adjudications: pl.DataFrame | None = None
    ) -> dict[str, pl.DataFrame]:
        """The tables of `form_from_work`."""
        panel, seen = self.panel, self.seen
        within = pl.col("clip_id").is_in(sorted(approved))
        expert = _about(adjudications, approved)
        merged = self.merged.settled(panel, on_presence(expert))
        out = merged.kept & np.isin(panel.clip, np.flatnonzero(np.isin(panel.clips, sorted(approved))))
        boxes, labels, queue, needs = side_by_side(
            [
                lambda: box_table(panel, merged, out),
                lambda: adjudicate(label_table(seen, self.decided, out), expert),
                lambda: self._unsettled(merged, expert, approved),
                lambda: clip_needs(panel, merged, self.decided).filter(within),
            ]
        )
        disputes = queue.filter(pl.col("group") == PRESENCE).select("clip_id", "second", "reason").unique()
        return {
            "consensus_boxes": boxes,
            "consensus_labels": labels.join(boxes.select(PLACE), on=PLACE, how="semi", maintain_order="left"),
            "disputed": conform(disputes, DISPUTED, "disputed").sort("clip_id", "second"),
            "queue": queue,
            "needs": needs,
            "persons": panel.persons,
            "provenance": provenance(
                self.work.completed,
                panel.ontology,
                approved=approved,
                excluded=self.excluded,
                adjudications=expert,
            ),
        }


def _about(adjudications: pl.DataFrame | None, clips: Collection[str]) -> pl.DataFrame:
    """Experts' words on these clips, as `schemas.ADJUDICATIONS`."""
    given = adjudications if adjudications is not None else empty(ADJUDICATIONS)
    return conform(given, ADJUDICATIONS, "adjudications").filter(pl.col("clip_id").is_in(sorted(clips)))


def _only_of_used_boxes(panel: Panel, merged: Merged) -> Panel:
    """A rating belongs to the box that it was given to: where that box shows something else, it is missing."""
    return panel.without_ratings(*np.nonzero(panel.present & ~merged.used))
