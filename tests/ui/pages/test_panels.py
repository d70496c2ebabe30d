"""What stands behind the panels: choices and what follows from them, without a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest

from ava_core import decisions
from ava_core.base.errors import AvaError, DecisionError, InputError
from ava_core.base.settings import Settings
from ava_core.decisions import PRESENCE
from ava_core.ontology import load_ontology
from ava_core.quality.consensus.batch import consensus_of_batch
from ava_core.quality.review import audits
from ava_core.store import annotators, batches
from ava_ui.known.console import Console
from ava_ui.known.drafts import raw_tables
from ava_ui.pages.annotation.dealing import Dealing
from ava_ui.pages.quality.adjudication import in_stretches
from ava_ui.pages.quality.blind_answer import BlindAnswer
from ava_ui.pages.quality.blind_audit import NewAudit
from ava_ui.pages.quality.bulk import BulkApproval
from ava_ui.pages.quality.judging import Judgement, next_after, place_among_waiting
from ava_ui.pages.quality.settling import Choice, Row, Settling, Work, alike, choices, other_choice, said
from tests.support.street import BATCH, CLIPS_PLANTED

CLIP = "clip_0000"


@pytest.fixture
def console(settings: Settings) -> Iterator[Console]:
    """Over the planted home: everybody has done everything, nobody has decided anything."""
    opened = Console.open(settings)
    yield opened
    opened.store.close()


# Dealing out


def test_everybody_is_chosen_at_first_and_stays_everybody(console: Console) -> None:
    dealing = Dealing.of(console, BATCH)
    assert dealing.chosen == dealing.people == ["good0", "good1", "good2"]
    assert dealing.options()["annotators"] == ""
    dealing.chosen = ["good2", "good0"]
    assert dealing.options()["annotators"] == "good0,good2"


def test_what_a_batch_has_of_its_own_is_chosen_at_first(console: Console) -> None:
    own = {"overlap": 0.25, "annotators_per_clip": 3, "pair_floor": 2, "seed": 7, "annotators": "good1, gone"}
    batches.set_options(console.store, BATCH, own, without=())
    dealing = Dealing.of(console, BATCH)
    assert (dealing.overlap, dealing.per_clip, dealing.pair_floor, dealing.seed) == (25, 3, 2, 7)
    assert dealing.chosen == ["good1"]
    assert dealing.options() == own | {"annotators": "good1"}


def test_the_plan_follows_the_choices(console: Console) -> None:
    dealing = Dealing.of(console, BATCH)
    dealing.overlap, dealing.per_clip, dealing.pair_floor = 100, 2, 0
    dealing.chosen = ["good0", "good1"]
    dealt = dealing.plan()
    assert dealt.plan.load == {"good0": CLIPS_PLANTED, "good1": CLIPS_PLANTED}
    dealing.overlap = 0
    assert sum(dealing.plan().plan.load.values()) == CLIPS_PLANTED


def test_nobody_is_refused_and_so_is_what_is_made_already(console: Console) -> None:
    dealing = Dealing.of(console, BATCH)
    assert dealing.plan().to_make == 0
    with pytest.raises(InputError, match="Every clip already has a task"):
        dealing.plan_to_make()
    dealing.chosen = []
    with pytest.raises(InputError, match="No annotator is chosen"):
        dealing.plan()


def test_somebody_who_was_paused_meanwhile_is_said(console: Console) -> None:
    dealing = Dealing.of(console, BATCH)
    dealing.chosen = ["good0", "good1"]
    annotators.set_state(console.store, "good1", paused=True)
    with pytest.raises(AvaError, match="'good1' is chosen"):
        dealing.plan()


def test_keeping_the_choices_leaves_the_batchs_other_options(console: Console) -> None:
    batches.set_options(console.store, BATCH, {"detector": "motion", "seed": 3}, without=())
    dealing = Dealing.of(console, BATCH)
    dealing.chosen, dealing.seed = ["good0", "good1"], 9
    dealing.keep()
    options = batches.get(console.store, BATCH).options
    assert (options["detector"], options["seed"], options["annotators"]) == ("motion", 9, "good0,good1")


# Approving many


def test_thresholds_of_nothing_let_every_clip_through(console: Console) -> None:
    bulk = BulkApproval(console, BATCH, "rita", alpha=0, kappa=0, iou=0, f1=0)
    effect = bulk.effect()
    assert effect.number == CLIPS_PLANTED
    assert effect.sentence == f"{CLIPS_PLANTED} clips would be approved; 0 would stay pending."
    bulk.approve(effect)
    state = decisions.decision_state(console.store, BATCH)
    assert len(state.approved) == CLIPS_PLANTED
    [made] = {(d.actor, d.comment) for d in decisions.decisions_of(console.store, BATCH)}
    assert made == ("rita", "bulk: alpha ≥ 0, kappa ≥ 0, IoU ≥ 0, F1 ≥ 0")
    assert bulk.effect().number == 0, "what is judged is no longer among them"


def test_a_threshold_that_is_too_high_leaves_all_with_a_reason(console: Console) -> None:
    effect = BulkApproval(console, "", "rita", iou=1.0).effect()
    assert effect.number == 0
    assert effect.left.height == CLIPS_PLANTED
    assert all(effect.left["reason"])


def test_those_that_somebody_decided_on_meanwhile_stay_and_are_named(console: Console) -> None:
    bulk = BulkApproval(console, "", "rita", alpha=0, kappa=0, iou=0, f1=0)
    effect = bulk.effect()
    decisions.reject(console.store, BATCH, [CLIP], "lead", "boxes drift")
    assert bulk.approve(effect) == {CLIP: f"lead rejected {CLIP} just now: 'boxes drift'."}
    state = decisions.decision_state(console.store, BATCH)
    assert (state.rejected, len(state.approved)) == ({CLIP}, CLIPS_PLANTED - 1)


# Judging


def judgement(console: Console, **known: Any) -> Judgement:
    return Judgement(console.store, BATCH, CLIP, "rita", **known)


def test_what_breaks_a_rule_is_approved_with_the_rule_in_the_comment(console: Console) -> None:
    judgement(console, blocked="good0 breaks rule tiny_box", comment="seen").approve()
    [made] = decisions.decisions_of(console.store, BATCH)
    assert (made.action, made.comment) == ("approve", "seen (although good0 breaks rule tiny_box)")


def test_a_rejection_says_what_to_mend(console: Console) -> None:
    mute = judgement(console, comment="  ")
    assert not mute.may_reject
    with pytest.raises(DecisionError):
        mute.reject()
    spoken = judgement(console, comment=" boxes are too wide ")
    assert spoken.may_reject
    spoken.reject()
    assert decisions.decision_state(console.store, BATCH).rejected == {CLIP}
    assert decisions.decisions_of(console.store, BATCH)[-1].comment == "boxes are too wide"


def test_what_the_page_does_not_show_is_not_overruled(console: Console) -> None:
    shown = decisions.newest_decision(console.store, BATCH)
    decisions.reject(console.store, BATCH, [CLIP], "lead", "boxes drift")
    stale = judgement(console, seen=shown, comment="fine")
    for act in (stale.approve, stale.reject, stale.reopen):
        with pytest.raises(
            DecisionError, match=f"lead rejected {CLIP} just now: 'boxes drift'. Reload and try again."
        ):
            act()
    assert decisions.decision_state(console.store, BATCH).rejected == {CLIP}
    judgement(console, seen=decisions.newest_decision(console.store, BATCH), comment="fine").approve()
    assert decisions.decision_state(console.store, BATCH).approved == {CLIP}


def test_only_what_was_decided_is_taken_back(console: Console) -> None:
    assert not judgement(console).may_reopen
    judgement(console).approve()
    decided = judgement(console, status="approved")
    assert decided.may_reopen
    decided.reopen()
    assert not decisions.decision_state(console.store, BATCH).approved


def test_then_the_next_clip_that_waits_comes_and_last_the_queue(console: Console) -> None:
    statuses = {"a": "pending", "b": "approved", "c": "pending", "d": "pending"}
    found = pl.DataFrame({"clip_id": list(statuses), "status": list(statuses.values())})
    assert [next_after(found, clip) for clip in "abcd"] == ["c", "c", "d", "a"]
    assert next_after(found.filter(pl.col("clip_id") == "a"), "a") == ""
    assert judgement(console, following="c").next_address == f"/quality/{BATCH}/clips/c"
    assert judgement(console).next_address == f"/quality?batch={BATCH}"


def test_a_clip_says_its_place_among_those_that_wait() -> None:
    statuses = {"a": "pending", "b": "approved", "c": "pending", "d": "pending"}
    found = pl.DataFrame({"clip_id": list(statuses), "status": list(statuses.values())})
    assert [place_among_waiting(found, clip) for clip in "acd"] == [
        "1 of 3 waiting", "2 of 3 waiting", "3 of 3 waiting",
    ]  # fmt: skip
    assert place_among_waiting(found, "b") == "3 clips of 4 wait"


def test_answers_that_wait_at_seconds_on_end_are_one_row_with_the_most_doubtful_first() -> None:
    rows = [("b", 7, 0.9), ("a", 2, 0.5), ("a", 1, 0.25), ("a", 4, 0.125)]
    waiting = pl.DataFrame(
        [{"clip_id": clip, "second": second, "person_id": 1, "frame": 30 * second, "group": "posture",
          "expected_error": wrong, "reason": "doubt"} for clip, second, wrong in rows]
    )  # fmt: skip
    found = in_stretches(waiting).select("at", "clip_id", "second", "until", "expected_error").rows()
    assert found == [(0, "b", 7, 7, 0.9), (1, "a", 1, 2, 0.75), (3, "a", 4, 4, 0.125)]


# Settling doubtful answers


def work(*said_by: tuple[str, int, list[int]], drawn_by: str = "", consensus: int = 0) -> Work:
    """Person 1 in group `posture`: who said which actions at which second, and who drew a box at second 1."""
    labels = [(CLIP, name, second, 1, "posture", ids) for name, second, ids in said_by]
    boxes = [(name, 1, 1) for name in drawn_by.split()]
    formed = [(1, 1, "posture", consensus)] if consensus else []
    numbers = {"second": pl.Int64, "person_id": pl.Int64}
    return {
        "labels": pl.DataFrame(
            labels,
            {"clip_id": pl.String, "annotator": pl.String} | numbers
            | {"group": pl.String, "action_ids": pl.List(pl.Int64)},
            orient="row",
        ),
        "boxes": pl.DataFrame(boxes, {"annotator": pl.String} | numbers, orient="row"),
        "crew": pl.DataFrame({"annotator": ["mia", "tom"]}),
        "consensus": pl.DataFrame(formed, numbers | {"group": pl.String, "action_id": pl.Int64}, orient="row"),
    }  # fmt: skip


def row(second: int = 1, group: str = "posture") -> Row:
    return {"clip_id": CLIP, "second": second, "person_id": 1, "group": group, "frame": 30 * second}


def test_what_everybody_said_comes_with_the_consensus() -> None:
    found = said(work(("tom", 1, [22, 20]), ("mia", 1, [21]), ("mia", 2, [20]), consensus=21), row())
    assert found == {"mia": [21], "tom": [20, 22], "consensus": [21]}


def test_whether_somebody_is_there_is_told_by_the_boxes() -> None:
    assert said(work(drawn_by="tom"), row(group=PRESENCE)) == {"mia": False, "tom": True}


def test_each_different_answer_stands_once_the_commonest_first() -> None:
    ontology = load_ontology("street")
    group = ontology.groups[0]
    first, second = group.actions[:2]
    found = choices({"mia": [second.id], "tom": [first.id], "consensus": [second.id]}, ontology, group.name)
    assert [(one.words, one.who) for one in found] == [
        (second.name, ("mia", "consensus")), (first.name, ("tom",)),
    ]  # fmt: skip
    [nothing] = choices({"mia": []}, ontology, group.name)
    assert (nothing.words, nothing.action_ids) == ("none", ())


def test_presence_is_yes_or_no_whatever_was_said() -> None:
    found = choices({"mia": True}, load_ontology("street"), PRESENCE)
    assert [(one.words, one.who, one.present) for one in found] == [
        ("the person is there", ("mia",), True), ("no one is there", (), False),
    ]  # fmt: skip


def test_a_stretch_ends_where_somebody_says_something_else_or_nothing_waits() -> None:
    same = [("mia", second, [20]) for second in (1, 2, 3, 5)]
    waiting = pl.DataFrame([row(second) for second in (1, 2, 3, 4, 5)])
    assert alike(work(*same, ("mia", 4, [21])), row(2), waiting) == [1, 2, 3]
    assert alike(work(*same), row(2), waiting.filter(pl.col("second") < 3)) == [1, 2]


@pytest.mark.parametrize(
    ("value", "ids"), [(None, ()), (20, (20,)), ([20, 22], (20, 22)), ([], ())]
)  # fmt: skip
def test_any_other_answer_may_be_none_one_or_several(value: int | list[int] | None, ids: object) -> None:
    assert other_choice(value).action_ids == ids


def settling(console: Console, group: str, whole: bool) -> Settling:
    return Settling(console.store, BATCH, "rita", row(2, group), [], alike=[1, 2, 3], whole=whole)


def test_a_choice_settles_the_second_or_the_whole_stretch(console: Console) -> None:
    group = console.ontology(BATCH).groups[0]
    choice = Choice("x", (), (group.actions[0].id,))
    settling(console, group.name, whole=False).settle(choice)
    made = decisions.decision_state(console.store, BATCH).adjudications
    assert made["second"].to_list() == [2]
    settling(console, group.name, whole=True).settle(choice)
    made = decisions.decision_state(console.store, BATCH).adjudications
    assert sorted(made["second"]) == [1, 2, 3]
    assert {d.actor for d in decisions.decisions_of(console.store, BATCH)} == {"rita"}


def test_a_stretch_of_which_somebody_settled_a_second_meanwhile_is_looked_at_again(console: Console) -> None:
    group = console.ontology(BATCH).groups[0]
    choice = Choice("x", (), (group.actions[0].id,))
    mine, theirs = settling(console, group.name, whole=True), settling(console, group.name, whole=False)
    mine.seen = theirs.seen = decisions.newest_decision(console.store, BATCH)
    theirs.settle(choice)
    with pytest.raises(DecisionError, match=r"rita settled .+ at second 2 just now"):
        mine.settle(choice)
    [made] = decisions.decisions_of(console.store, BATCH)
    assert mine.concerns(made)
    assert not settling(console, PRESENCE, whole=True).concerns(made)


def test_a_second_alone_is_no_stretch(console: Console) -> None:
    alone = Settling(console.store, BATCH, "rita", row(2), [], alike=[2])
    assert (alone.has_stretch, alone.seconds) == (False, [2])


def test_presence_is_settled_as_such(console: Console) -> None:
    asked = settling(console, PRESENCE, whole=False)
    assert asked.of_presence
    asked.settle(Choice("no one is there", (), present=False))
    [made] = decisions.decisions_of(console.store, BATCH)
    assert (made.after["group"], made.after["action_ids"]) == (PRESENCE, [])


# Blind audits


def approve_all(console: Console) -> None:
    """Every clip approved, and the consensus formed as the asset forms it."""
    clips = [f"clip_{n:04d}" for n in range(CLIPS_PLANTED)]
    decisions.approve(console.store, BATCH, clips, "rita")
    raw, decided = raw_tables(console, BATCH), console.decisions.of(BATCH)
    for name, table in consensus_of_batch(raw, console.ontology(BATCH), decided).items():
        console.storage.write_table(console.storage.table_path(BATCH, "consensus_labels", name), table)


def test_without_a_consensus_there_is_nothing_to_audit(console: Console) -> None:
    with pytest.raises(InputError, match="has no consensus yet"):
        NewAudit(console, BATCH, "rita").start()


def test_a_larger_sample_shows_more(console: Console) -> None:
    usual, small = NewAudit(console, BATCH, "rita"), NewAudit(console, BATCH, "rita", size=1)
    assert (
        usual.meaning == "If you find no errors, at most 4.9% of all answers are wrong, with 95 % confidence."
    )
    assert "95.0% of all" in small.meaning
    assert NewAudit(console, BATCH, "rita", size=0).meaning == small.meaning


def test_an_item_is_answered_and_the_next_one_comes(console: Console) -> None:
    approve_all(console)
    NewAudit(console, BATCH, "rita", size=2, seed=1).start()
    begun = audits.open_audit(console.store, BATCH)
    assert begun is not None

    def asked() -> BlindAnswer:
        item = audits.next_item(console.store, begun.audit_id)
        assert item is not None
        return BlindAnswer.of(console.store, item, console.ontology(BATCH), "rita")

    first = asked()
    assert first.progress == "Item 1 of 2, 0 answered"
    assert first.question.endswith(f"of the marked person at second {first.item.second}?")
    first.give(first.group.actions[0].id)
    second = asked()
    assert second.progress == "Item 2 of 2, 1 answered"
    second.give(present=False)
    assert audits.open_audit(console.store, BATCH) is None
    answered = audits.items_of(console.store, begun.audit_id)
    assert [(one.present, one.answered_by) for one in answered] == [(True, "rita"), (False, "rita")]
