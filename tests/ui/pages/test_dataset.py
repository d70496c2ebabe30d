"""Dataset pages over real releases: what goes in, the form, one release, two compared, files."""

from __future__ import annotations

import io
import json
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from nicegui import ui
from nicegui.testing import User

from ava_core import decisions
from ava_core.base.settings import Settings, load_settings
from ava_core.dataset.formats.flavours import DEFAULT
from ava_core.store import audit_log
from ava_ui.elements.data_table import DataTable
from ava_ui.elements.json_tree import LEAVES, json_tree
from ava_ui.known.release_contents import ReleaseContents
from ava_ui.web.release_card import shown_card
from tests.support.plugins import install
from tests.support.shared import made_once
from tests.support.site import Site
from tests.support.street import PASSWORD, PEOPLE
from tests.support.waiting import eventually
from tests.support.world import World


@pytest.fixture(scope="session")
def released_template(tmp_path_factory: pytest.TempPathFactory, seven_seconds: Path) -> Path:
    """Batches north, south and west; v1 of north alone, v2 of north and south, a label less; west waits."""

    def make(folder: Path) -> None:
        world = World(folder, seven_seconds)
        world.add_users(PEOPLE, PASSWORD)
        first, _ = world.add_batch("north", ["gate", "yard"])
        world.release("v1", flavours=["frames"], note="Made for tests.", actor="adam")
        world.add_batch("south", ["lane"], actions=[("pose", 2), ("object", 4), ("object", 5)])
        world.dispute("north", first, 5)
        world.release("v2", flavours=["frames", "coco"])
        world.add_batch("west", approve=False)
        world.close()
        for pictures in folder.glob("storage/batches/*/ava_csv/*/"):
            shutil.rmtree(pictures)  # of batches: no page shows them

    return made_once(tmp_path_factory, "two-releases", make)


@pytest.fixture
def settings(released_template: Path, tmp_path: Path) -> Settings:
    """Settings of a copy of that home."""
    home = tmp_path / "home"
    shutil.copytree(released_template, home, copy_function=_copied)
    return load_settings(home=home, ontology=str(home / "tiny.yaml"))


def _copied(source: str, target: str) -> None:
    (os.link if source.endswith(".jpg") else shutil.copyfile)(source, target)


async def filled(user: User) -> None:
    """The page of datasets is filled a moment after it is there."""
    await eventually(lambda: any(each.test_file == "releases" for each in shown_tables(user)), 30)


def tables(user: User, file: str) -> list[dict[str, object]]:
    """Rows that the page shows in the table of that name."""
    return [row for table in shown_tables(user) if table.test_file == file for row in table.rows]


def shown_tables(user: User) -> list[Any]:
    """Tables on the page; none as long as there is none."""
    try:
        return list(user.find(ui.table).elements)
    except AssertionError:
        return []


@pytest.fixture(autouse=True)
def named_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables say their names to the tests."""
    made = DataTable.__init__

    def making(self: DataTable, *arguments: object, **options: object) -> None:
        made(self, *arguments, **options)  # type: ignore[arg-type]
        self.table.test_file = self.file  # type: ignore[attr-defined]

    monkeypatch.setattr(DataTable, "__init__", making)


@pytest.mark.parametrize("name", ["vera", "adam"])
async def test_the_dataset_page_says_what_goes_in_and_which_releases_there_are(site: Site, name: str) -> None:
    user = site.enter(name)
    await user.open("/dataset")
    await filled(user)
    await user.should_see("Ready for release")
    inside = {row["batch"]: row for row in tables(user, "next_release")}
    assert (inside["north"]["ready"], inside["west"]["ready"]) == ("yes", "no")
    assert inside["west"]["missing"] == "1 clip waits for a decision"
    assert inside["west"]["href waiting"] == "/quality?batch=west&status=pending"
    newest, oldest = tables(user, "releases")
    assert (newest["name"], newest["batches"], newest["clips"], newest["rows"]) == ("v2", 2, 3, 32)
    assert (oldest["name"], oldest["actor"], oldest["note"]) == ("v1", "adam", "Made for tests.")
    assert oldest["href zip"] == "/download/v1.zip"
    if name == "adam":
        await user.should_see(marker="generate")
    else:
        await user.should_not_see(marker="generate")


async def test_two_ticked_releases_are_compared_the_older_first(site: Site) -> None:
    vera = site.enter("vera")
    await vera.open("/dataset")
    await filled(vera)
    (table,) = [each for each in shown_tables(vera) if each.test_file == "releases"]
    vera.find(marker="compare").click()
    await vera.should_see("Releases selected: 0", retries=20)
    table.selected = list(table.rows)
    vera.find(marker="compare").click()
    await eventually(lambda: vera.back_history[-1:] == ["/dataset/v1/compare/v2"])


async def test_a_form_that_cannot_be_used_says_where_and_makes_nothing(site: Site) -> None:
    adam = site.enter("adam")
    await adam.open("/dataset")
    await filled(adam)
    await adam.should_see(marker="generate")
    adam.find(marker="release-name").type("v1")
    (train,) = adam.find(marker="share-train").elements
    train.set_value(0.9)  # type: ignore[attr-defined]
    adam.find(marker="generate").click()
    await adam.should_see("a field is not valid", retries=20)
    await adam.should_see("v1 already exists, and releases never change. Choose another name.")
    await adam.should_see("The shares add up to 1.2; they must add up to 1.")
    adam.find(marker="release-name").clear().type("../v3")
    await adam.should_see("Begin with a letter or digit")
    assert [entry.action for entry in audit_log.newest(site.console.store)].count("generate dataset") == 0


async def test_a_pin_without_a_source_video_is_refused(site: Site) -> None:
    adam = site.enter("adam")
    await adam.open("/dataset")
    await filled(adam)
    await adam.should_see(marker="add-pin")
    adam.find(marker="add-pin").click()
    adam.find(marker="preview").click()
    await adam.should_see("a pin has no source video", retries=20)


async def test_what_was_chosen_is_what_the_run_is_given(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, tmp_path / "packages", "yard", {"ava.layouts": {"yard_rows": "yard:none"}})
    given: list[dict[str, object]] = []

    async def make_release(options: dict[str, object]) -> str:
        given.append(options)
        return "run-1"

    monkeypatch.setattr(site.console.dagster, "make_release", make_release)
    adam = site.enter("adam")
    await adam.open("/dataset")
    await filled(adam)
    await adam.should_see(marker="generate")
    adam.find(marker="release-name").type("v3")
    (layouts,) = adam.find(marker="release-flavours").elements
    await eventually(lambda: "630 files" in layouts.options["frames"], 30)  # type: ignore[attr-defined]
    assert layouts.options["yard_rows"] == "yard_rows: size not estimated"  # type: ignore[attr-defined]
    (batches,) = adam.find(marker="release-batches").elements
    batches.set_value(["south"])  # type: ignore[attr-defined]
    await eventually(lambda: "210 files" in layouts.options["frames"])  # type: ignore[attr-defined]
    adam.find(marker="add-pin").click()
    for marker, value in {"pin-source": "south_lane", "pin-split": "val"}.items():
        (field,) = adam.find(marker=marker).elements
        field.set_value(value)  # type: ignore[attr-defined]
    adam.find(marker="generate").click()
    await eventually(lambda: bool(given))
    (options,) = given
    assert (options["name"], options["batches"], options["pins"]) == ("v3", ["south"], {"south_lane": "val"})
    assert options["flavours"] == list(DEFAULT)
    assert (options["actor"], options["ratios"]) == ("adam", {"train": 0.7, "val": 0.15, "test": 0.15})
    await eventually(lambda: adam.back_history[-1:] == ["/runs/run-1"])
    assert audit_log.newest(site.console.store, 1)[0].action == "generate dataset"


async def test_splits_are_previewed_before_anything_is_made(site: Site) -> None:
    adam = site.enter("adam")
    await adam.open("/dataset")
    await filled(adam)
    await adam.should_see(marker="preview")
    adam.find(marker="preview").click()
    await eventually(lambda: bool(tables(adam, "splits_preview")), 30)
    why = {row["source_id"]: row["why"] for row in tables(adam, "splits_preview")}
    assert why == dict.fromkeys(("north_gate", "north_yard", "south_lane"), "released before")
    adam.find(marker="add-pin").click()
    for marker, value in {"pin-source": "north_gate", "pin-split": "test"}.items():
        (field,) = adam.find(marker=marker).elements
        field.set_value(value)  # type: ignore[attr-defined]
    splits = json.loads(site.console.storage.path("releases", "v1", "splits.json").read_text())
    was = splits["sources"]["north_gate"]
    assert was != "test"
    adam.find(marker="preview").click()
    await adam.should_see(f"north_gate is pinned to test, but was released in {was}.", retries=50)
    assert site.console.releases.table()["name"].to_list() == ["v2", "v1"]


@pytest.mark.parametrize("name", ["vera", "adam"])
async def test_a_release_shows_what_it_holds(site: Site, name: str) -> None:
    user = site.enter(name)
    await user.open("/dataset/v2")
    await user.should_see("Labels by class")
    await user.should_see("Dataset card")
    splits = {row["source_id"]: row for row in tables(user, "v2_splits")}
    assert sorted(row["split"] for row in splits.values()) == ["test", "train", "val"]
    assert splits["south_lane"]["href batch"] == "/batches/south"
    clips = {row["video_id"]: row for row in tables(user, "v2_clips")}
    assert clips["south_lane_000"]["href video_id"] == "/quality/south/clips/south_lane_000"
    assert clips["south_lane_000"]["persons"] == 2
    await eventually(lambda: bool(tables(user, "v2_files")))
    listed = {row["path"]: row for row in tables(user, "v2_files")}
    assert listed["AVA_dataset.csv"]["href path"] == "/download/v2/AVA_dataset.csv"
    record = json.loads(site.console.storage.path("releases", "v2", "release.json").read_text())
    assert record["files"]["AVA_dataset.csv"].startswith(str(listed["AVA_dataset.csv"]["sha256"]))
    await user.should_see("frames/: 630 (")


async def test_a_release_names_the_clips_that_it_goes_without(site: Site) -> None:
    path = site.console.storage.path("releases", "v2", "release.json")
    record = json.loads(path.read_text())
    lost = {
        f"north_gate_{number:03d}": "it has 0 pictures where its table says 210 frames" for number in range(7)
    }
    path.write_text(json.dumps(record | {"left_out": lost}))
    vera = site.enter("vera")
    await vera.open("/dataset/v2")
    await vera.should_see(
        "Clip north_gate_004 is excluded: it has 0 pictures where its table says 210 frames."
    )
    await vera.should_see("2 more clips are excluded: see the card")
    await vera.should_not_see("Clip north_gate_005 is left out")
    await vera.open("/dataset/v1")
    await vera.should_not_see("left out")


async def test_an_older_release_is_compared_from_the_newer_ones_page(site: Site) -> None:
    vera = site.enter("vera")
    await vera.open("/dataset/v2")
    (select,) = vera.find(marker="compare-with").elements
    select.set_value("v1")  # type: ignore[attr-defined]
    await eventually(lambda: vera.back_history[-1:] == ["/dataset/v1/compare/v2"])


async def test_a_release_is_validated_beside_the_page(site: Site) -> None:
    vera = site.enter("vera")
    await vera.open("/dataset/v1")
    await vera.should_see(marker="validate")
    vera.find(marker="validate").click()
    await vera.should_see("No findings: the release follows every rule.", retries=100)
    csv = site.console.storage.path("releases", "v1", "annotations", "ava_train_v2.2.csv")
    lines = csv.read_text().splitlines()
    lines[1] = lines[1].replace(",0", ",7", 1)
    csv.write_text("\n".join(lines) + "\n")
    vera.find(marker="validate").click()
    await vera.should_see(" findings.", retries=100)
    found = tables(vera, "v1_findings")
    assert "the file was changed since the release was made" in {row["rule"] for row in found}
    on_line = [row for row in found if row["row"] == "train:2"]
    assert on_line
    assert on_line[0]["href row"] == "?row=train%3A2#trace"


async def test_a_row_is_traced_to_its_annotators(site: Site) -> None:
    vera = site.enter("vera")
    await vera.open("/dataset/v2")
    await vera.should_see(marker="trace")
    vera.find(marker="trace-video").type("south_lane_000")
    vera.find(marker="trace-timestamp").type("0903")
    vera.find(marker="trace").click()
    await vera.should_see("south_lane_000 at 0903: 4 rows", retries=50)
    await vera.should_see("Second 33 of street/south_lane.mp4, frame 90 of the clip")
    actions = [row["action"] for row in tables(vera, "v2_trace")]
    assert actions == ["walk", "carry", "phone", "walk"]
    who = ("annotator", "person_id", "group")
    said = {tuple(row[name] for name in who): row["said"] for row in tables(vera, "v2_ratings")}
    assert said["ann", 1, "object"] == "carry, phone"
    links = {link.props["href"] for link in vera.find(ui.link).elements}
    assert "/quality/south/clips/south_lane_000?frame=90" in links


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("row=train:1", "1 row"),
        ("video=south_lane_000&timestamp=903&person=2", "1 row"),
        ("video=south_lane_000&timestamp=950", "v2 has no row of 'south_lane_000' at 0950."),
        ("row=hello", "does not identify a row"),
    ],
)
async def test_a_trace_is_a_link(site: Site, query: str, said: str) -> None:
    vera = site.enter("vera")
    await vera.open(f"/dataset/v2?{query}")
    await vera.should_see(said, retries=50)


async def test_what_is_no_timestamp_is_said_in_its_field(site: Site) -> None:
    vera = site.enter("vera")
    await vera.open("/dataset/v2")
    await vera.should_see(marker="trace")
    vera.find(marker="trace-timestamp").type("soon")
    vera.find(marker="trace").click()
    await vera.should_see("Enter a whole number, such as 0903.")
    await vera.should_see("Nothing was traced", retries=20)


@pytest.mark.parametrize("name", ["vera", "adam"])
async def test_two_releases_are_compared(site: Site, name: str) -> None:
    user = site.enter(name)
    await user.open("/dataset/v1/compare/v2")
    await eventually(lambda: bool(tables(user, "v1_v2_clips")))
    changes = {row["video_id"]: row["change"] for row in tables(user, "v1_v2_clips")}
    assert changes == {"north_gate_000": "relabelled", "south_lane_000": "added"}
    (gone, *_) = [row for row in tables(user, "v1_v2_labels") if row["change"] == "removed"]
    assert gone["href video_id"] == "/quality/north/clips/north_gate_000?frame=150"
    by_class = {row["name"]: row["difference"] for row in tables(user, "v1_v2_classes")}
    assert by_class["stand"] == -1


async def test_releases_that_say_the_same_and_releases_that_are_not_there(site: Site) -> None:
    vera = site.enter("vera")
    await vera.open("/dataset/v1/compare/v1")
    await vera.should_see("No differences.", retries=50)
    for path in ("/dataset/v1/compare/v9", "/dataset/v9/compare/v1", "/dataset/v9"):
        await vera.open(path)
        await vera.should_see("There is no release 'v9'.")


async def test_single_files_and_pictures_are_fetched(site: Site) -> None:
    http = site.enter("vera").http_client
    folder = site.console.storage.path("releases", "v1")
    for path in ("annotations/ava_train_v2.2.csv", "release.json", "annotations%2Fava_train_v2.2.csv"):
        answer = await http.get(f"/download/v1/{path}")
        assert answer.content == (folder / path.replace("%2F", "/")).read_bytes()
        assert answer.headers["content-disposition"].startswith("attachment")
    plot = await http.get("/media/release/v1/plots/classes.svg")
    assert plot.headers["content-type"] == "image/svg+xml"
    assert "default-src 'none'" in plot.headers["content-security-policy"]
    whole = zipfile.ZipFile(io.BytesIO((await http.get("/download/v1.zip")).content))
    listed = site.console.releases.files("v1")
    assert sum(info.file_size for info in whole.infolist()) == listed.bytes
    assert len(whole.infolist()) == listed.single.height + listed.pictures["pictures"].sum()


async def test_nothing_outside_of_a_release_is_given_out(site: Site) -> None:
    folder = site.console.storage.local(site.console.storage.path("releases", "v1"))
    (folder / "out").symlink_to(site.console.settings.home_dir, target_is_directory=True)
    http = site.enter("vera").http_client
    for path in (
        "/download/v1/nope.csv", "/download/v1/..%2fv2%2frelease.json", "/download/v1/out/tiny.yaml",
        "/download/v1/%2e%2e/%2e%2e/%2e%2e/tiny.yaml", "/download/v1/annotations", "/download/v1//etc/passwd",
        "/download/v1/%2fetc%2fpasswd", "/download/v1/a%00b", "/download/v1/..%5cv2", "/download/v9/release.json",
        "/download/..%2f..%2ftiny.yaml", "/media/release/v1/release.json", "/media/release/v1/..%2f..%2fx.jpg",
    ):  # fmt: skip
        assert (await http.get(path)).status_code == 404, path
        assert (await site.http.get(path)).status_code == 401, path


def test_a_card_shows_its_own_pictures_and_asks_nobody_else() -> None:
    card = "\n".join([
        "# Release v1", "", "![Labels by class](plots/classes.svg)", "![x](http://example.org/a.png)",
        "![x](plots/../../secret.svg)", "![y][a] text", "[a]: http://example.org/b.png",
        '<img src="http://example.org/c.png"> & <script>alert(1)</script>',
    ])  # fmt: skip
    lines = shown_card(card, "a b").splitlines()
    assert lines[0] == "### Release v1"
    assert lines[2] == "![Labels by class](/media/release/a%20b/plots/classes.svg)"
    assert sum("![" in line for line in lines) == 1
    assert "<" not in "".join(lines)


async def test_counts_of_releases_without_a_manifest_are_unknown(site: Site) -> None:
    storage = site.console.storage
    storage.path("releases", "v1", "manifest.parquet").unlink()
    rows = {row["name"]: row for row in ReleaseContents(storage).table().to_dicts()}
    assert (rows["v1"]["rows"], rows["v1"]["clips"], rows["v2"]["clips"]) == (None, None, 3)
    assert ReleaseContents(storage).contents("v1") is None
    vera = site.enter("vera")
    await vera.open("/dataset/v1")
    await vera.should_see("manifest.parquet or", retries=20)


async def test_a_decision_shows_at_the_next_look(site: Site) -> None:
    vera = site.enter("vera")
    decisions.approve(site.console.store, "west", ["west_cam_000"], "rita")
    await vera.open("/dataset")
    await filled(vera)
    inside = {row["batch"]: row for row in tables(vera, "next_release")}
    assert inside["west"]["missing"] == "its dataset (ava_csv) is still to be made"


async def test_a_long_record_is_cut(site: Site) -> None:
    @ui.page("/tree")
    def tree() -> None:
        json_tree({"many": list(range(LEAVES + 5)), "none": None, "deep": {"a": {"b": 1}}})

    vera = site.enter("vera")
    await vera.open("/tree")
    (found,) = vera.find(ui.tree).elements
    many, none, deep = found.props["nodes"]
    assert (len(many["children"]), many["children"][-1]["label"]) == (LEAVES + 1, "… and 5 more")
    assert none["label"] == "none: –"
    assert deep["children"][0]["children"][0]["label"] == "b: 1"
    assert pl.Series([one["id"] for one in many["children"]]).is_unique().all()
