"""The report and the effect of an exclusion, on work with a known truth."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import polars as pl
import pytest

from ava_core.base.errors import InputError
from ava_core.base.schemas import ADJUDICATIONS, COMPLETED_JOBS, RAW_BOXES, RAW_LABELS, empty
from ava_core.base.settings import load_settings
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext
from ava_core.dataset.export.release_quality import load_release_quality
from ava_core.decisions import DecisionState
from ava_core.quality.agreement.measure import measure_agreement
from ava_core.quality.consensus.form import form_consensus
from ava_core.quality.review.effect import exclusion_effect
from ava_core.quality.review.report import quality_report
from ava_core.quality.review.tables import QualityTables, load_quality
from tests.support.planted_work import RANDOM, Planted, good_annotators, plant

NOBODY = DecisionState(frozenset(), frozenset(), frozenset(), empty(ADJUDICATIONS), {})


@pytest.fixture(scope="module")
def planted() -> Planted:
    """Two good annotators and one who clicks at random."""
    return plant(good_annotators(2, 1) | {"spammer": RANDOM}, clips=8, seed=1)


def raw_of(planted: Planted) -> dict[str, pl.DataFrame]:
    return {
        "raw_boxes": planted.raw_boxes,
        "raw_labels": planted.raw_labels,
        "completed_jobs": planted.completed,
    }


def tables_of(planted: Planted) -> QualityTables:
    clips = planted.completed["clip_id"].unique().to_list()
    return QualityTables(
        "batch b",
        raw_of(planted),
        measure_agreement(*planted.work[:3], planted.ontology, repetitions=50),
        form_consensus(*planted.work, approved=clips),
    )


def test_leaving_a_spammer_out_raises_agreement_and_decides_nothing(planted: Planted) -> None:
    effect = exclusion_effect(raw_of(planted), planted.ontology, NOBODY, "spammer")
    figures = {row["figure"]: row for row in effect.to_dicts()}
    assert figures["pooled_alpha"]["after"] > figures["pooled_alpha"]["before"] + 0.1
    assert figures["labels lost"]["after"] > 0
    assert figures["consensus labels"]["after"] > 0


def test_leaving_out_the_only_partner_leaves_agreement_undefined(planted: Planted) -> None:
    others = planted.completed["annotator"].unique().sort().to_list()
    state = DecisionState(frozenset(), frozenset(), frozenset(others[:1]), empty(ADJUDICATIONS), {})
    effect = exclusion_effect(raw_of(planted), planted.ontology, state, others[1])
    [alpha] = effect.filter(pl.col("figure") == "pooled_alpha").to_dicts()
    assert alpha["before"] is not None
    assert alpha["after"] is None


def test_the_page_stands_alone_and_names_everybody(planted: Planted) -> None:
    page = quality_report(
        tables_of(planted),
        planted.ontology,
        NOBODY,
        note="made <up>",
        link=lambda clip, frame: f"/{clip}@{frame}",
    )
    for name in planted.completed["annotator"].unique():
        assert name in page
    assert "made &lt;up&gt;" in page
    assert page.count("<svg") >= 4
    assert not re.search(r'(src|href)="(?!#|data:)', page), "nothing is loaded from elsewhere"
    assert re.search(r"/[\w]+@\d+", page), "places have a link"
    for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        ElementTree.fromstring(svg)


def test_the_page_is_the_same_for_the_same_work(planted: Planted) -> None:
    pages = {quality_report(tables_of(planted), planted.ontology, NOBODY) for _ in range(2)}
    assert len(pages) == 1


def test_agreement_of_an_older_version_has_a_page_without_the_newer_figures(planted: Planted) -> None:
    tables = tables_of(planted)
    older = {"clips": tables.agreement["clips"].drop("kappa"),
             "conflicts": tables.agreement["conflicts"].drop("annotators")}  # fmt: skip
    page = quality_report(replace(tables, agreement=tables.agreement | older), planted.ontology, NOBODY)
    assert "<th>kappa</th>" in page
    assert page.count("<svg") >= 4


def test_an_exclusion_is_looked_at_with_adjudications_and_experts_work(planted: Planted) -> None:
    clip = planted.clip_ids[0]
    own = pl.col("clip_id") == clip
    before = exclusion_effect(raw_of(planted), planted.ontology, NOBODY, "spammer")
    experts = raw_of(planted) | {
        "expert_boxes": planted.raw_boxes.filter(own).clear(),
        "expert_labels": planted.raw_labels.filter(own).clear(),
        "expert_clips": pl.DataFrame({"clip_id": [clip], "annotator": ["eva"]}),
    }
    emptied = exclusion_effect(experts, planted.ontology, replace(NOBODY, experts={clip: "eva"}), "spammer")
    for side in ("before", "after"):
        assert _consensus_boxes(emptied, side) < _consensus_boxes(before, side)


def _consensus_boxes(effect: pl.DataFrame, side: str) -> float:
    return effect.filter(pl.col("figure") == "consensus boxes")[side].item()


def test_a_batch_that_nobody_worked_on_has_a_page_that_says_so(planted: Planted) -> None:
    raw = {
        "raw_boxes": empty(RAW_BOXES),
        "raw_labels": empty(RAW_LABELS),
        "completed_jobs": empty(COMPLETED_JOBS),
    }
    agreement = measure_agreement(*raw.values(), planted.ontology)
    page = quality_report(QualityTables("batch b", raw, agreement, {}), planted.ontology, NOBODY)
    assert "0 clips completed" in page
    assert "nan" not in page.lower().replace("nano", "")


def test_an_unread_batch_names_what_to_do(tmp_path) -> None:
    with pytest.raises(InputError, match="Materialise raw_annotations"):
        load_quality(BatchContext("b", load_settings(), storage=Storage(tmp_path)))


def test_a_release_is_measured_over_all_its_batches(planted: Planted, tmp_path) -> None:
    storage = Storage(tmp_path)
    clips = planted.clip_ids
    halves = {"one": clips[:4], "two": clips[4:]}
    for batch, own in halves.items():
        for name, table in raw_of(planted).items():
            part = table.filter(pl.col("clip_id").is_in(own))
            storage.write_table(storage.table_path(batch, "raw_annotations", name), part)
    folder = storage.path("releases", "v1")
    storage.write_bytes(folder / "release.json", json.dumps({"batches": {b: {} for b in halves}}).encode())
    storage.write_table(folder / "manifest.parquet", pl.DataFrame({"video_id": clips[1:]}))
    tables = load_release_quality(storage, planted.ontology, "v1")
    assert sorted(tables.raw_annotations["completed_jobs"]["clip_id"].unique()) == clips[1:]
    assert tables.agreement["clips"].height == len(clips) - 1
    page = quality_report(tables, planted.ontology, DecisionState.of_approved(clips[1:]))
    assert "Quality of release v1" in page
    with pytest.raises(InputError, match="no release"):
        load_release_quality(storage, planted.ontology, "v2")
