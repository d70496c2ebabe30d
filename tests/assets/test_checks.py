"""Checks on quality: each passes on good tables and fails on the fault that it is there for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from ava_assets.annotation.checks import (
    annotations_obey_the_rules,
    cvat_has_what_was_made,
    living_seconds_are_answered,
)
from ava_assets.quality.checks import (
    approved_people_have_labels,
    classes_reach_their_floor,
    clips_have_annotators_enough,
    nobody_is_suspect,
)
from ava_assets.resources import Platform
from ava_core.base.schemas import (
    AGREEMENT_BY_CLASS,
    AGREEMENT_BY_CLIP,
    ANSWERED,
    CONSENSUS_BOXES,
    CONSENSUS_LABELS,
    GATE,
    RULE_FINDINGS,
)
from ava_core.base.settings import load_settings
from ava_core.decisions import mark_gold
from ava_core.store import batches, discrepancies, open_store
from ava_core.store.tables import Discrepancy
from tests.support.dagster_site import DagsterSite
from tests.support.street import BATCH, copy_street


def by_class(alpha: float | None, floor: float | None, positives: int = 30) -> dict[str, pl.DataFrame]:
    row = {"action_id": 1, "name": "walk", "alpha": alpha, "minimum_alpha": floor, "positives": positives}
    return {"per_class": pl.DataFrame([row], schema=dict(AGREEMENT_BY_CLASS))}


def test_a_class_below_its_floor_blocks_the_dataset() -> None:
    cases = [(0.7, 0.6, True), (0.5, 0.6, False), (None, 0.6, False), (0.1, None, True)]
    for alpha, floor, passes in cases:
        assert classes_reach_their_floor({}, by_class(alpha, floor)).passed is passes, (alpha, floor)
    assert classes_reach_their_floor({}, by_class(None, 0.6, positives=0)).passed, "a class that nobody used"
    [spec] = classes_reach_their_floor.check_specs
    assert spec.blocking


def test_a_suspect_is_reported() -> None:
    for status, passes in (("ok", True), ("suspect", False)):
        gate = pl.DataFrame([{"annotator": "mia", "status": status, "reasons": []}], schema=dict(GATE))
        assert nobody_is_suspect({"gate": gate}).passed is passes


def test_a_clip_of_one_annotator_is_reported() -> None:
    for annotators, passes in ((2, True), (1, False)):
        clips = pl.DataFrame([{"clip_id": "c", "annotators": annotators}], schema=dict(AGREEMENT_BY_CLIP))
        assert clips_have_annotators_enough({"clips": clips}).passed is passes


def test_people_without_labels_are_reported() -> None:
    place = {"clip_id": "c", "second": 2, "person_id": 1}
    boxes = pl.DataFrame([place], schema=dict(CONSENSUS_BOXES))
    labels = pl.DataFrame([place | {"group": "g", "action_id": 1}], schema=dict(CONSENSUS_LABELS))
    for given, passes in ((labels, True), (labels.head(0), False)):
        assert (
            approved_people_have_labels({"consensus_boxes": boxes, "consensus_labels": given}).passed
            is passes
        )


@pytest.fixture
def annotated(street: Path, tmp_path: Path) -> Iterator[DagsterSite]:
    """A batch that three people completed and whose agreement was measured."""
    copy_street(street, tmp_path / "home")
    site = DagsterSite(tmp_path / "home", ontology="street")
    site.instance.add_dynamic_partitions("video_batch", [BATCH])
    yield site
    site.close()


def krippendorffs_word(site: DagsterSite) -> Any:
    """What the check says when it is run by itself, as a click in the UI would."""
    key = dg.AssetCheckKey(dg.AssetKey("agreement"), "alphas_are_krippendorffs")
    job = site.definitions.resolve_implicit_global_asset_job_def().get_subset(
        asset_selection=set(), asset_check_selection={key}
    )
    result = job.execute_in_process(partition_key=BATCH, instance=site.instance)
    assert result.success
    [evaluation] = result.get_asset_check_evaluations()
    return evaluation


def test_krippendorff_comes_to_the_same_alphas(annotated: DagsterSite) -> None:
    said = krippendorffs_word(annotated)
    assert said.passed
    assert said.metadata["figures"].value > 10


def test_an_alpha_that_krippendorff_does_not_come_to_is_an_error(annotated: DagsterSite) -> None:
    storage = annotated.platform.storage
    path = storage.table_path(BATCH, "agreement", "per_group")
    storage.write_table(path, storage.read_table(path).with_columns(pl.col("alpha") + 1e-6))
    said = krippendorffs_word(annotated)
    assert (said.passed, said.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert "group posture" in said.metadata["differ"].value


def test_figures_of_work_that_went_on_are_a_warning(annotated: DagsterSite) -> None:
    store = open_store(annotated.settings)
    mark_gold(store, BATCH, "clip_0000", "good1", "ann")
    store.close()
    said = krippendorffs_word(annotated)
    assert (said.passed, said.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "Materialise agreement" in said.description


@pytest.mark.parametrize(("severity", "passes"), [("note", True), ("flag", False), ("block", False)])
def test_a_note_is_no_breach(severity: str, passes: bool) -> None:
    findings = pl.DataFrame([{"severity": severity, "rule": "r"}], schema=dict(RULE_FINDINGS))
    assert annotations_obey_the_rules({"rule_findings": findings}).passed is passes
    assert annotations_obey_the_rules({"rule_findings": findings.clear()}).passed


def test_what_was_changed_on_the_server_is_warned_of_in_the_batches_that_it_concerns(tmp_path: Path) -> None:
    store = open_store(load_settings(home=tmp_path))
    gone = Discrepancy(
        kind="task_missing", subject="7", batch="b", said="Task 7 is gone.", cure="Create it again."
    )
    discrepancies.replace(store, [gone])
    for name, passes in (("b", False), ("other", True)):
        context = dg.build_op_context(partition_key=name)
        result = cvat_has_what_was_made(context, Platform(home=str(tmp_path)))
        assert (result.passed, result.severity) == (passes, dg.AssetCheckSeverity.WARN)
        assert [said.value for said in result.metadata.values()] == ["Task 7 is gone. Create it again."] * (
            not passes
        )


@pytest.mark.parametrize(
    ("answered", "passes", "severity"), [(95, True, "WARN"), (80, False, "WARN"), (30, False, "ERROR")]
)
def test_unanswered_seconds_are_warned_of_and_silence_is_an_error(
    tmp_path: Path, answered: int, passes: bool, severity: str
) -> None:
    store = open_store(load_settings(home=tmp_path))
    batches.add(store, "b", str(tmp_path), {})
    context = dg.build_op_context(partition_key="b")
    table = pl.DataFrame(
        [
            {
                "group": "pose",
                "annotator": "mia",
                "clip_id": "c",
                "job_id": 1,
                "living": 100,
                "answered": answered,
            }
        ],
        schema=dict(ANSWERED),
    )
    result = living_seconds_are_answered(context, Platform(home=str(tmp_path)), {"answered": table})
    assert (result.passed, result.severity.value) == (passes, severity)
    assert result.metadata["least answered"].value == answered / 100
