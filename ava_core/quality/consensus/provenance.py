"""What a consensus was made of: readings are never overwritten, so their names say everything about the inputs."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

import polars as pl

from ava_core.base.schemas import BASIS, PROVENANCE
from ava_core.decisions import DecisionState, Standing, readings_in, reread
from ava_core.ontology import Ontology

DIGEST_LENGTH = 16


def provenance(
    completed: pl.DataFrame,
    ontology: Ontology,
    *,
    approved: Collection[str],
    excluded: Collection[str],
    adjudications: pl.DataFrame,
) -> pl.DataFrame:
    """`schemas.PROVENANCE` of approved clips.

    `digest` changes with anything that may change the clip: its own readings and adjudications, and, because who
    errs how is learnt from all of them, the batch's readings, the exclusions and the ontology.
    """
    trusted = completed.filter(~pl.col("annotator").is_in(sorted(excluded)))
    name = pl.concat_str("annotator", pl.lit(":"), "job_id", pl.lit(":"), "version")
    readings = trusted.select("clip_id", reading=name).sort("clip_id", "reading")
    batch = _digest([readings.rows(), ontology.digest])
    by_clip = _grouped(readings.rows())
    experts = _grouped((row["clip_id"], json.dumps(row, sort_keys=True)) for row in adjudications.to_dicts())
    rows = []
    for clip_id in sorted(set(completed["clip_id"]) & set(approved)):
        own, expert = by_clip[clip_id], sorted(experts[clip_id])
        rows.append({
            "clip_id": clip_id, "readings": own, "adjudications": len(expert), "ontology": ontology.digest,
            "digest": _digest([batch, own, expert]),
        })  # fmt: skip
    return pl.DataFrame(rows, schema=dict(PROVENANCE))


def basis(completed: pl.DataFrame, decided: DecisionState, ontology: Ontology) -> pl.DataFrame:
    """`schemas.BASIS` of a batch's consensus: its newest decision, and the readings of all annotators."""
    names = sorted(name for own in readings_in(completed).values() for name in own)
    row = {
        "decision": decided.newest, "readings": names, "excluded": sorted(decided.excluded),
        "ontology": ontology.digest,
    }  # fmt: skip
    return pl.DataFrame([row], schema=dict(BASIS))


def behind(formed: pl.DataFrame, provenance: pl.DataFrame, now: Standing) -> list[str]:
    """In what a consensus says something else than log and readings do now, in sentences; none where it agrees.

    `formed`, `provenance`: `schemas.BASIS` and `schemas.PROVENANCE` of the consensus. Only what changes a clip that is
    approved counts: that a clip is approved no more takes it out, whatever its consensus says.
    """
    if formed.is_empty():
        return ["it does not say what it was formed from"]
    row = formed.row(0, named=True)
    found = [
        f"{name} was {'excluded' if name in now.state.excluded else 'taken in again'} after it"
        for name in sorted(now.state.excluded.symmetric_difference(row["excluded"]))
    ]
    later = reread(now)
    known = dict(provenance.select("clip_id", "readings").iter_rows())
    for clip in sorted(now.state.approved):
        read = {
            name for name in now.readings.get(clip, ()) if name.rsplit(":", 2)[0] not in now.state.excluded
        }
        if clip in later:
            found.append(f"{clip} was read again after it was approved ({', '.join(later[clip])})")
        elif clip not in known:
            found += [f"{clip} was approved after it"] if clip in now.readings else []
        elif newer := sorted(read.difference(known[clip])):
            found.append(f"{clip} was read again after it ({', '.join(newer)})")
        elif now.state.settled.get(clip, 0) > row["decision"]:
            found.append(f"an answer of {clip} was settled after it")
    return found


def with_experts(table: pl.DataFrame, experts: Mapping[str, str], expert_boxes: pl.DataFrame) -> pl.DataFrame:
    """`schemas.PROVENANCE` in which an expert's work goes into the readings and the digest of its clip.

    `experts`: who mended each clip; `expert_boxes`: `schemas.RAW_BOXES`. A clip that was emptied has no reading.
    """
    read = _grouped(
        (clip, f"{who}:{job}:{version}")
        for clip, who, job, version in expert_boxes.select("clip_id", "annotator", "job_id", "version")
        .unique()
        .rows()
    )
    rows = []
    for row in table.to_dicts():
        if row["clip_id"] in experts:
            own = sorted(read[row["clip_id"]])
            row["readings"] += own
            row["digest"] = _digest([row["digest"], experts[row["clip_id"]], own])
        rows.append(row)
    return pl.DataFrame(rows, schema=dict(PROVENANCE))


def _grouped(pairs: Iterable[tuple[str, str]]) -> defaultdict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for clip_id, value in pairs:
        found[clip_id].append(value)
    return found


def _digest(content: list[object]) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:DIGEST_LENGTH]
