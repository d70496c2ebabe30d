"""`ava qc`: decisions by command, on a batch that two people completed; nothing is decided by looking."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ava_assets.cli import main
from ava_core import decisions
from ava_core.base.schemas import RULE_FINDINGS
from ava_core.base.settings import load_settings
from ava_core.base.storage import Storage
from ava_core.ontology import load_ontology
from ava_core.quality.consensus.form import form_consensus
from ava_core.quality.review import audits
from ava_core.store import Store
from tests.support.home import Home
from tests.support.planted_work import good_annotators, plant

BATCH = "b"


@pytest.fixture
def store() -> Store:
    """Two clips that three people completed, with agreement and consensus."""
    home = Home(load_settings().home)
    planted = plant(good_annotators(3, 0), clips=2, seed=0)
    home.register_batch(BATCH, {"ontology": "ava80"})
    home.add_work(BATCH, planted, frames=450)
    formed = form_consensus(*planted.work, approved=planted.clip_ids)
    home.write_tables(BATCH, {("consensus_labels", name): table for name, table in formed.items()})
    return home.store


@pytest.fixture
def qc(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, store: Store
) -> Any:
    """Runs `ava qc …`; returns exit code and everything that was printed."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["ava", "qc", *arguments])
        code: Any = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        printed = capsys.readouterr()
        return int(code), " ".join((printed.out + printed.err).split())

    return run


def state(store: Store) -> decisions.DecisionState:
    return decisions.decision_state(store, BATCH)


def test_bulk_decides_only_when_told(qc: Any, store: Store) -> None:
    code, said = qc("bulk", BATCH, "--alpha", "0")
    assert (code, state(store).approved) == (0, frozenset())
    assert "Nothing was changed" in said
    qc("bulk", BATCH, "--alpha", "0", "--apply", "--as", "ann")
    assert len(state(store).approved) == 2
    assert {d.actor for d in decisions.decisions_of(store, BATCH)} == {"ann"}
    assert "bulk" in qc("log", BATCH)[1]


def test_bulk_leaves_what_breaks_a_rule_or_agrees_too_little(qc: Any, store: Store) -> None:
    row = {"severity": "block", "rule": "tiny_box", "clip_id": "clip_0001", "annotator": "good0", "second": 2,
           "detail": "9 px²"}  # fmt: skip
    storage = Storage(load_settings().resolved_storage_url)
    path = storage.table_path(BATCH, "raw_annotations", "rule_findings")
    storage.write_table(path, pl.DataFrame([row], schema=dict(RULE_FINDINGS)))
    said = qc("bulk", BATCH, "--alpha", "0")[1]
    assert "Passing: 1 clip; not passing: 1." in said
    assert "good0 breaks rule tiny_box at second 2: 9 px²" in said
    said = qc("bulk", BATCH, "--alpha", "0", "--kappa", "1")[1]
    assert "Passing: 0 clips" in said
    assert "is below 1" in said
    qc("exclude", BATCH, "good0", "--apply")
    assert "Passing: 2 clips" in qc("bulk", BATCH, "--alpha", "0")[1]


def test_exclude_shows_its_effect_and_can_be_taken_back(qc: Any, store: Store) -> None:
    code, said = qc("exclude", BATCH, "good0")
    assert (code, state(store).excluded) == (0, frozenset())
    assert "pooled_alpha" in said
    qc("exclude", BATCH, "good0", "--apply")
    assert state(store).excluded == {"good0"}
    qc("include", BATCH, "good0")
    assert state(store).excluded == frozenset()


def test_a_clip_is_judged_and_reopened(qc: Any, store: Store) -> None:
    qc("approve", BATCH, "clip_0000")
    qc("reject", BATCH, "clip_0001", "--comment", "boxes drift")
    assert (state(store).approved, state(store).rejected) == ({"clip_0000"}, {"clip_0001"})
    qc("reopen", BATCH, "clip_0000", "clip_0001")
    assert state(store).approved == state(store).rejected == frozenset()


def test_adjudication_takes_names_and_refuses_others(qc: Any, store: Store) -> None:
    assert qc("adjudicate", BATCH, "clip_0000", "3", "1", "pose", "stand")[0] == 0
    [row] = state(store).adjudications.to_dicts()
    assert (row["second"], row["person_id"], row["action_ids"]) == (3, 1, [12])
    code, said = qc("adjudicate", BATCH, "clip_0000", "3", "1", "pose", "moonwalk")
    assert (code, "no action 'moonwalk'" in said) == (1, True)
    code, said = qc("adjudicate", BATCH, "clip_0000", "3", "1", "poses", "stand")
    assert (code, "no group 'poses'" in said) == (1, True)


def test_presence_is_settled_by_yes_or_no(qc: Any, store: Store) -> None:
    at = ("adjudicate", BATCH, "clip_0000", "3", "1", "presence")
    for word, ids, told in (("no", [], "no one is there"), ("yes", [1], "the person is there")):
        code, said = qc(*at, word)
        assert (code, told in said) == (0, True)
        [row] = state(store).adjudications.to_dicts()
        assert (row["group"], row["action_ids"]) == ("presence", ids)
    for words in ((), ("perhaps",), ("yes", "no")):
        code, said = qc(*at, *words)
        assert (code, "Use yes or no" in said) == (1, True)
    assert len(decisions.decisions_of(store, BATCH)) == 2


def test_report(qc: Any, tmp_path: Path) -> None:
    assert qc("report", BATCH)[0] == 0
    assert "Quality of batch b" in (tmp_path / "quality.html").read_text()


def test_verify_holds_the_stored_alphas_to_krippendorffs(qc: Any, store: Store) -> None:
    code, said = qc("verify", BATCH)
    assert (code, "86 alphas are krippendorff's" in said) == (0, True)
    storage = Storage(load_settings().resolved_storage_url)
    path = storage.table_path(BATCH, "agreement", "overall")
    honest = storage.read_table(path)
    storage.write_table(path, honest.with_columns(pl.col("value") + 1e-7))
    code, said = qc("verify", BATCH)
    assert (code, "1 of 86 alphas differ" in said, "pooled_alpha" in said) == (1, True, True)
    storage.write_table(path, honest)
    qc("gold", BATCH, "clip_0000", "good1")
    code, said = qc("verify", BATCH)
    assert (code, "Materialise agreement" in said) == (1, True)


def test_an_audit_is_blind_goes_on_and_tells_its_result_once_complete(qc: Any, store: Store) -> None:
    assert "has not been audited yet" in qc("audit-result", BATCH)[1]
    code, said = qc("audit", BATCH, "--size", "5")
    assert (code, "no approved answer" in said) == (1, True)
    qc("approve", BATCH, "clip_0000", "clip_0001")
    code, said = qc("audit", BATCH, "--size", "5", "--as", "ann")
    assert (code, said.count("clip_000"), said.count("?frame=")) == (0, 5, 5)
    assert "5 of 5 items remaining" in said
    [known] = audits.audits_of(store, BATCH)
    items = audits.items_of(store, known.audit_id)
    ontology = load_ontology("ava80")
    names = {item.position: [ontology.action(n).name for n in item.expected] for item in items}
    assert not any(name in said for own in names.values() for name in own), "the audit stays blind"

    assert qc("audit-answer", BATCH, "1", *names[1])[0] == 0
    code, said = qc("audit-answer", BATCH, "2", "--nobody", "--comment", "a poster")
    assert (code, "3 remaining" in said) == (0, True)
    code, said = qc("audit-answer", BATCH, "6")
    assert (code, "1 to 5" in said) == (1, True)
    code, said = qc("audit", BATCH, "--size", "60", "--seed", "9")
    assert "started by ann" in said
    assert (said.count("clip_000"), len(audits.audits_of(store, BATCH))) == (3, 1)
    code, said = qc("audit-result", BATCH)
    assert (code, "3 of 5 items" in said) == (1, True)

    for number in (3, 4, 5):
        qc("audit-answer", BATCH, str(number), *names[number])
    code, said = qc("audit-result", BATCH)
    assert (code, "1 of 5 items, drawn at random, were wrong" in said) == (0, True)
    assert f"{items[1].group} " in said
    assert "has no audit in progress" in qc("audit-answer", BATCH, "1", *names[1])[1]


def test_an_experts_clip_begins_with_every_decision_on_it(
    qc: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: dict[str, Any] = {}
    monkeypatch.setattr(
        "ava_core.annotation.adjudication.send_to_expert",
        lambda at, clip, name, consensus, **_: sent.update(consensus),
    )
    at = {"clip_id": "clip_0000", "second": 3, "person_id": 1}
    decisions.settle_presence(store, BATCH, **at, present=False, actor="ann")
    assert qc("expert", BATCH, "clip_0000", "eva")[0] == 0
    boxes = sent["consensus_boxes"]
    assert set(boxes["clip_id"]) == {"clip_0000"}
    assert boxes.filter(second=3, person_id=1).is_empty()


def test_gold_is_marked_and_unmarked(qc: Any, store: Store) -> None:
    qc("gold", BATCH, "clip_0000", "good1")
    assert state(store).gold == {"clip_0000": "good1"}
    qc("gold", BATCH, "clip_0000")
    assert state(store).gold == {}
    assert qc("gold", BATCH, "clip_0000", "stranger")[0] == 1
