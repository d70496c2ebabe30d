"""Every page, for every role: it opens, shows what is there, and offers what that person may do."""

from __future__ import annotations

from nicegui import ui

from ava_core import decisions
from ava_core.store import annotators, users
from ava_ui.elements.data_table import DataTable
from ava_ui.main import PAGES
from tests.support.site import Site
from tests.support.street import BATCH, CLIPS_PLANTED, PARAMS, PASSWORD, SEEN
from tests.support.waiting import eventually

FOR_REVIEWERS = ("/quality",)


async def test_an_admin_sees_every_page(site: Site) -> None:
    adam = site.enter("adam")
    for page in PAGES:
        await adam.open(page.path.format(**PARAMS))
        await adam.should_see(SEEN[page.path], retries=20)


async def test_a_viewer_may_look_and_nothing_else(site: Site) -> None:
    vera = site.enter("vera")
    for page in (page for page in PAGES if page.role == "viewer"):
        await vera.open(page.path.format(**PARAMS))
        if page.path not in FOR_REVIEWERS:
            await vera.should_see(SEEN[page.path], retries=20)
        for marker in (
            "approve",
            "reject",
            "bulk-approve",
            "process",
            "create-tasks",
            "generate",
            "add-batch",
        ):
            await vera.should_not_see(marker=marker, retries=1)


async def test_an_object_that_is_not_there_is_explained(site: Site) -> None:
    vera = site.enter("vera")
    for path, said in {
        "/batches/nope": "There is no batch nope.",
        f"/batches/{BATCH}/clips/nope": "has no clip 'nope'",
        "/quality/nope/agreement": "has not been measured yet",
        "/dataset/v9": "There is no release 'v9'",
    }.items():
        await vera.open(path)
        await vera.should_see(said)


async def test_a_reviewer_approves_and_comes_to_the_next_clip(site: Site) -> None:
    rita = site.enter("rita")
    await rita.open(f"/quality/{BATCH}/clips/clip_0000")
    await rita.should_see(marker="approve", retries=50)
    rita.find(marker="approve").click()
    await rita.should_see("Review clip_0001", retries=20)
    assert decisions.decision_state(site.console.store, BATCH).approved == {"clip_0000"}
    assert decisions.decisions_of(site.console.store, BATCH)[0].actor == "rita"


async def test_a_rejection_needs_a_comment(site: Site) -> None:
    rita = site.enter("rita")
    await rita.open(f"/quality/{BATCH}/clips/clip_0003")
    await rita.should_see(marker="reject", retries=50)
    rita.find(marker="reject").click()
    await rita.should_see("Write in the comment what the annotators should fix", retries=10)
    assert not decisions.decision_state(site.console.store, BATCH).rejected
    rita.find(marker="comment").type("boxes are too wide")
    rita.find(marker="reject").click()
    await rita.should_see("Review clip_0000", retries=20)
    assert decisions.decision_state(site.console.store, BATCH).rejected == {"clip_0003"}


async def test_a_decision_is_taken_back(site: Site) -> None:
    decisions.approve(site.console.store, BATCH, ["clip_0002"], "rita")
    rita = site.enter("rita")
    await rita.open(f"/quality/{BATCH}/clips/clip_0002")
    await rita.should_see(marker="reopen", retries=50)
    rita.find(marker="reopen").click()
    await eventually(lambda: not decisions.decision_state(site.console.store, BATCH).approved)


async def test_whose_role_was_taken_can_no_longer_decide(site: Site) -> None:
    rita = site.enter("rita")
    await rita.open(f"/quality/{BATCH}/clips/clip_0000")
    users.change(site.console.store, "rita", role="viewer")
    await rita.should_see(marker="approve", retries=50)
    rita.find(marker="approve").click()
    await rita.should_see("Only reviewers can do this.", retries=10)
    assert not decisions.decision_state(site.console.store, BATCH).approved


async def test_bulk_approval_says_its_effect_and_asks(site: Site) -> None:
    rita = site.enter("rita")
    await rita.open("/quality")
    await rita.should_see(marker="bulk-approve", retries=50)
    (panel,) = rita.find(marker="bulk").elements
    panel.set_value(True)  # type: ignore[attr-defined]
    sliders = list(rita.find(ui.slider).elements)
    for slider in sliders:
        slider.set_value(0)
    await rita.should_see(f"{CLIPS_PLANTED} clips would be approved; 0 would stay pending.", retries=50)
    rita.find(marker="bulk-approve").click()
    await rita.should_see(f"Approve {CLIPS_PLANTED} clips?", retries=10)
    assert not decisions.decision_state(site.console.store, BATCH).approved
    rita.find(marker="confirm").click()
    await eventually(
        lambda: len(decisions.decision_state(site.console.store, BATCH).approved) == CLIPS_PLANTED
    )


async def test_an_annotator_is_left_out_with_the_effect_shown_before(site: Site) -> None:
    adam = site.enter("adam")
    await adam.open(f"/quality/{BATCH}/annotators")
    await adam.should_see(marker="exclude-good0", retries=50)
    adam.find(marker="exclude-good0").click()
    await adam.should_see("pooled alpha:", retries=60)
    assert not decisions.decision_state(site.console.store, BATCH).excluded
    adam.find(marker="confirm").click()
    await eventually(lambda: decisions.decision_state(site.console.store, BATCH).excluded == {"good0"})


async def test_an_answer_is_adjudicated(site: Site) -> None:
    rita = site.enter("rita")
    await rita.open(f"/quality/{BATCH}/adjudication")
    await rita.should_see(marker="choose-consensus", retries=50)
    for stretch in rita.find(ui.switch).elements:
        stretch.set_value(False)
    rita.find(marker="choose-consensus").click()
    await eventually(lambda: decisions.decision_state(site.console.store, BATCH).adjudications.height == 1)


async def test_a_clip_becomes_gold(site: Site) -> None:
    rita = site.enter("rita")
    await rita.open(f"/quality/{BATCH}/clips/clip_0001")
    await rita.should_see(marker="gold", retries=50)
    (select,) = rita.find(marker="gold").elements
    select.set_value("good1")  # type: ignore[attr-defined]
    await eventually(
        lambda: decisions.decision_state(site.console.store, BATCH).gold == {"clip_0001": "good1"}
    )


async def test_an_annotation_server_that_is_away_is_an_error_for_people(site: Site) -> None:
    annotators.put(site.console.store, "nora")
    adam = site.enter("adam")
    await adam.open(f"/quality/{BATCH}/clips/clip_0001")
    await adam.should_see(marker="top-up", retries=50)
    adam.find(marker="top-up").click()
    await adam.should_see("No annotator is chosen.", retries=50)
    (select,) = adam.find(marker="more").elements
    select.set_value("nora")  # type: ignore[attr-defined]
    adam.find(marker="top-up").click()
    await adam.should_see("The annotation server is not responding", retries=400)


async def test_ones_own_password_is_changed_with_the_old_one(site: Site) -> None:
    rita = site.enter("rita")
    await rita.open("/account")
    await rita.should_see(marker="old-password", retries=50)
    for marker in ("new-password", "again-password"):
        rita.find(marker=marker).type("another long password")
    rita.find(marker="change-password").click()
    await rita.should_see("Name or password is wrong", retries=50)
    rita.find(marker="old-password").type(PASSWORD)
    rita.find(marker="change-password").click()
    await eventually(lambda: users.who(site.console.store, rita.http_client.cookies["ava_session"]) is None)
    assert users.sign_in(site.console.store, "rita", "another long password")


async def test_what_breaks_is_said(site: Site, monkeypatch, caplog) -> None:  # type: ignore[no-untyped-def]
    def breaking(*arguments: object, **named: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(decisions, "approve", breaking)
    rita = site.enter("rita")
    await rita.open(f"/quality/{BATCH}/clips/clip_0000")
    await rita.should_see(marker="approve", retries=50)
    rita.find(marker="approve").click()
    await rita.should_see("Something went wrong", retries=50)
    assert "a bug" in caplog.text


async def test_an_action_is_added_as_a_new_version(site: Site) -> None:
    adam = site.enter("adam")
    await adam.open("/ontology")
    await adam.should_see(marker="action-name", retries=50)
    adam.find(marker="action-name").type("cartwheel")
    adam.find(marker="add-action").click()
    await adam.should_see("You cannot undo this", retries=50)
    adam.find(marker="confirm").click()
    folder = site.console.settings.home_dir / "ontologies"
    await eventually(lambda: (folder / "street_v2.yaml").exists())
    await adam.should_see("street 2", retries=50)


async def test_an_annotator_is_paused(site: Site) -> None:
    adam = site.enter("adam")
    await adam.open("/tasks")
    await adam.should_see(marker="pause", retries=50)
    adam.find(marker="pause").click()
    await adam.should_see("No annotator is selected.", retries=50)
    people = next(t for t in adam.find(ui.table).elements if t.selection)
    people.selected = [row for row in people.rows if row["annotator"] == "good1"]
    adam.find(marker="pause").click()
    await eventually(
        lambda: [a.username for a in annotators.everyone(site.console.store) if a.paused] == ["good1"]
    )


async def test_the_theme_is_remembered(site: Site) -> None:
    vera = site.enter("vera")
    await vera.open("/")
    await vera.should_see(marker="dark", retries=50)
    vera.find(marker="dark").click()
    await eventually(lambda: {u.username: u for u in users.everyone(site.console.store)}["vera"].preferences)
    assert [u.username for u in users.everyone(site.console.store) if u.preferences.get("dark")] == ["vera"]


async def test_a_table_filters_sorts_and_pages_on_the_server(site: Site) -> None:
    import polars as pl

    shown: list[DataTable] = []

    @ui.page("/many")
    def many() -> None:
        frame = pl.DataFrame({"name": [f"row {n}" for n in range(1000)], "n": range(1000)})
        shown.append(DataTable(frame, sort_by="n", descending=True, links={"name": "/x/{name}"}))

    vera = site.enter("vera")
    await vera.open("/many")
    table = shown[0]
    assert [row["n"] for row in table.table.rows[:2]] == [999, 998]
    assert len(table.table.rows) == 25
    assert table.table.rows[0]["href name"] == "/x/row%20999"
    await vera.should_see(marker="filter", retries=50)
    vera.find(marker="filter").type("row 12")
    assert table.table.pagination["rowsNumber"] == 11
    vera.find(marker="csv").click()
    download = await vera.download.next()
    assert download.text.splitlines()[:2] == ["name,n", "row 129,129"]
