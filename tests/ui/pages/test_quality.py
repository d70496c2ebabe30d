"""What judging needs beyond yes and no: rejected work handed back, rules, presence, blind audits, gold."""

from __future__ import annotations

import polars as pl
from nicegui import ui

from ava_core import decisions
from ava_core.base.schemas import DEPENDENT, RULE_FINDINGS
from ava_core.decisions import PRESENCE
from ava_core.quality.consensus.batch import consensus_of_batch
from ava_core.quality.review import audits
from ava_core.store import audit_log, examples
from ava_core.store.tables import ActionExample
from ava_ui import addresses
from ava_ui.known import drafts
from ava_ui.known.console import Console
from tests.support.site import Site
from tests.support.street import BATCH, CLIPS_PLANTED
from tests.support.waiting import eventually


def approve_all(console: Console) -> None:
    """Every clip approved, and the consensus formed as the asset forms it."""
    clips = [f"clip_{n:04d}" for n in range(CLIPS_PLANTED)]
    decisions.approve(console.store, BATCH, clips, "rita")
    formed = consensus_of_batch(
        drafts.raw_tables(console, BATCH), console.ontology(BATCH), console.decisions.of(BATCH)
    )
    for name, table in formed.items():
        console.storage.write_table(console.storage.table_path(BATCH, "consensus_labels", name), table)


def break_a_rule(console: Console, clip_id: str) -> None:
    """Somebody drew a box that is too small."""
    row = {
        "severity": "block", "rule": "tiny_box", "clip_id": clip_id, "annotator": "good0", "job_id": 1, "version": 1,
        "track_key": "1", "second": 2, "frame": 60, "detail": "900 px²", "say": "Too small.", "link": "",
    }  # fmt: skip
    table = pl.DataFrame([row], schema=dict(RULE_FINDINGS))
    console.storage.write_table(console.storage.table_path(BATCH, "raw_annotations", "rule_findings"), table)


async def test_a_rejection_that_cannot_be_handed_back_shows_in_the_queue(site: Site) -> None:
    rita = site.enter("rita")
    await rita.open(f"/quality/{BATCH}/clips/clip_0003")
    await rita.should_see(marker="reject", retries=50)
    rita.find(marker="comment").type("boxes are too wide")
    rita.find(marker="reject").click()
    await rita.should_see("Review clip_0000", retries=50)
    await eventually(
        lambda: any(line.action == "requeue failed" for line in audit_log.newest(site.console.store, 5)),
        seconds=30,
    )
    await rita.open("/quality?status=rejected")
    await rita.should_see("Not yet returned to their annotators: 1 rejected clip", retries=20)
    await rita.should_see(marker="hand-back-ticked", retries=20)


async def test_a_comment_outlives_a_reload_until_it_is_sent(site: Site) -> None:
    rita = site.enter("rita")
    for _ in range(2):
        await rita.open(f"/quality/{BATCH}/clips/clip_0002")
        await rita.should_see(marker="comment", retries=50)
        (comment,) = rita.find(ui.input).elements
        if not comment.value:
            rita.find(marker="comment").type("half a thought")
    assert comment.value == "half a thought"
    rita.find(marker="approve").click()
    await eventually(lambda: not site.console.unsent)


async def test_approving_what_breaks_a_rule_asks(site: Site) -> None:
    break_a_rule(site.console, "clip_0001")
    rita = site.enter("rita")
    await rita.open(f"/quality/{BATCH}/clips/clip_0001")
    await rita.should_see("good0 breaks rule tiny_box at second 2", retries=50)
    rita.find(marker="approve").click()
    await rita.should_see("Approve it even though it breaks a rule?", retries=50)
    assert not decisions.decision_state(site.console.store, BATCH).approved
    rita.find(marker="confirm").click()
    await eventually(lambda: decisions.decision_state(site.console.store, BATCH).approved == {"clip_0001"})
    assert (
        "although good0 breaks rule tiny_box" in decisions.decisions_of(site.console.store, BATCH)[0].comment
    )


async def test_bulk_approval_leaves_what_breaks_a_rule(site: Site) -> None:
    break_a_rule(site.console, "clip_0001")
    rita = site.enter("rita")
    await rita.open("/quality")
    await rita.should_see(marker="bulk-approve", retries=50)
    (panel,) = rita.find(marker="bulk").elements
    panel.set_value(True)  # type: ignore[attr-defined]
    for slider in rita.find(ui.slider).elements:
        slider.set_value(0)
    await rita.should_see(f"{CLIPS_PLANTED - 1} clips would be approved; 1 would stay pending.", retries=50)


async def test_a_disputed_person_is_settled(site: Site) -> None:
    console, at = site.console, {"clip_id": "clip_0000", "second": 1, "person_id": 1}
    rita = site.enter("rita")
    await rita.open(f"/quality/{BATCH}/adjudication?clip=clip_0000&second=1&person=1&group={PRESENCE}")
    await rita.should_see("no one is there", retries=50)
    rita.find("2 · no one is there").click()
    await eventually(lambda: decisions.decision_state(console.store, BATCH).adjudications.height == 1)
    shown = drafts.preview_consensus(console, BATCH)["consensus_boxes"]
    assert shown.filter(**at).is_empty()
    before = drafts.draft(console, BATCH).tables(approved=["clip_0000"])["consensus_boxes"]
    assert before.filter(**at).height == 1
    await rita.should_see("1 answer settled", retries=50)


async def test_whoever_settles_an_answer_sees_what_the_actions_mean(site: Site) -> None:
    console = site.console
    ontology = console.ontology(BATCH)
    group = ontology.groups[0]
    shown, told = (
        examples.put(console.store, ActionExample(
            ontology=ontology.name, action_id=group.actions[0].id, batch=BATCH, clip_id=clip, second=1,
            x1=0, y1=0, x2=9, y2=9, marked_by="adam",
        ))
        for clip in ("clip_0001", "clip_0000")
    )  # fmt: skip
    rita = site.enter("rita")
    await rita.open(f"/quality/{BATCH}/adjudication?clip=clip_0000&second=1&person=1&group={group.name}")
    await rita.should_see(group.actions[0].description, retries=50)
    sources = {image.source for image in rita.find(ui.image).elements}
    assert addresses.example(shown) in sources
    assert addresses.example(told) not in sources, "of this very clip it would tell an answer"


async def test_a_blind_audit_is_answered_and_says_what_it_found(site: Site) -> None:
    console = site.console
    approve_all(console)
    rita = site.enter("rita")
    await rita.open(f"/quality/{BATCH}/audit")
    await rita.should_see(marker="start-audit", retries=50)
    (size,) = rita.find(marker="audit-size").elements
    size.set_value(2)  # type: ignore[attr-defined]
    rita.find(marker="start-audit").click()
    await rita.should_see("Item 1 of 2, 0 answered", retries=50)
    (begun,) = audits.audits_of(console.store, BATCH)
    first, _ = audits.items_of(console.store, begun.audit_id)
    right = next(a.name for a in console.ontology(BATCH).group(first.group).actions if a.id in first.expected)
    rita.find(marker=f"audit-{right}").click()
    await rita.should_see("Item 2 of 2, 1 answered", retries=50)
    rita.find(marker="audit-nobody").click()
    await rita.should_see("1 of 2 items, drawn at random, were wrong", retries=50)
    await rita.should_see("Where the audit disagrees")


async def test_what_an_auditor_sees_tells_nothing_of_what_was_decided(site: Site) -> None:
    console = site.console
    approve_all(console)
    names = ("consensus_boxes", "consensus_labels")
    formed = {name: console.tables.table(BATCH, "consensus_labels", name) for name in names}
    begun = audits.start_audit(console.batch(BATCH), formed, size=3, seed=1, actor="rita")
    item = audits.blind_items(console.store, begun.audit_id)[0]
    client = site.enter("rita").http_client
    answer = (await client.get(f"/media/audit/{BATCH}/{item.item_id}")).json()
    assert [len(layer["tracks"]) for layer in answer["layers"]] == [1]
    assert answer["layers"][0]["tracks"][0]["labels"] == {}
    assert (answer["actions"], answer["groups"], answer["conflicts"]) == ({}, [], [])
    assert (await client.get(f"/media/audit/other/{item.item_id}")).status_code == 404


async def test_a_clip_is_made_gold_on_the_page_of_gold(site: Site) -> None:
    rita = site.enter("rita")
    await rita.open(f"/quality/{BATCH}/gold")
    await rita.should_see(marker="make-gold", retries=50)
    rita.find(marker="make-gold").click()
    await rita.should_see("No clip is selected.", retries=50)
    table = next(t for t in rita.find(ui.table).elements if t.selection)
    wanted = {"clip_id": "clip_0002", "annotator": "good1"}
    table.selected = [row for row in table.rows if wanted.items() <= row.items()]
    rita.find(marker="make-gold").click()
    await eventually(
        lambda: decisions.decision_state(site.console.store, BATCH).gold == {"clip_0002": "good1"}
    )


async def test_gold_is_dealt_out_after_it_was_shown_to_whom(site: Site) -> None:
    from ava_core.store import annotators

    decisions.mark_gold(site.console.store, BATCH, "clip_0000", "good0", "rita")
    annotators.put(site.console.store, "nora")
    adam = site.enter("adam")
    await adam.open(f"/quality/{BATCH}/gold")
    await adam.should_see(marker="deal-gold", retries=50)
    adam.find(marker="deal-gold").click()
    await adam.should_see("nora gets clip_0000", retries=50)


async def test_two_who_are_alike_have_one_vote_until_an_admin_decides(site: Site) -> None:
    row = ("good0", "good1", "labels", 0.97, 0.61, 240)
    storage, store = site.console.storage, site.console.store
    table = pl.DataFrame([row], schema=dict(DEPENDENT), orient="row")
    storage.write_table(storage.table_path(BATCH, "agreement", "dependent"), table)
    rita, adam = site.enter("rita"), site.enter("adam")
    await rita.open(f"/quality/{BATCH}/annotators")
    await rita.should_see("one vote", retries=20)
    await rita.should_not_see(marker="judge-good0-good1")
    await adam.open(f"/quality/{BATCH}/annotators")
    await adam.should_see("Kappa of their labels 0.97", retries=20)
    await adam.should_see("Answers only these two give")
    adam.find(marker="judge-good0-good1").click()
    pair = ("good0", "good1")
    await eventually(lambda: pair in decisions.decision_state(store, BATCH).independent)
    await adam.open(f"/quality/{BATCH}/annotators")
    await adam.should_see("Count as one vote again", retries=20)
    adam.find(marker="judge-good0-good1").click()
    await eventually(lambda: not decisions.decision_state(store, BATCH).independent)
    decisions.exclude_annotator(store, BATCH, "good1", "adam", "copies")
    await adam.open(f"/quality/{BATCH}/annotators")
    await adam.should_not_see(marker="judge-good0-good1")
