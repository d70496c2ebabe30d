"""Every example of every `--help` runs, as it stands there, where what it names is at hand."""

from __future__ import annotations

import re
import shlex
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer
import uvicorn
from typer.testing import CliRunner, Result

from ava_assets.cli.main import app
from ava_core.annotation.working_time import record_active
from ava_core.base.settings import load_settings
from ava_core.batch import open_batch
from ava_core.store import annotators, batches, examples, open_store, users
from ava_core.store.tables import ActionExample
from tests.support.annotation_site import AnnotationSite
from tests.support.home import Home
from tests.support.planted_work import good_annotators, plant
from tests.support.videos import write_video

OF_COMMAND = re.compile(r"Example: `([^`]+)`")
OF_OPTION = re.compile(r"Example: (\S+=\S+)")
SETTING = re.compile(r"([A-Z_]+)=(\S+)")

Run = Callable[[str], Result]


def commands(found: Any) -> Iterator[Any]:
    """A command with every one below it."""
    yield found
    for below in getattr(found, "commands", {}).values():
        yield from commands(below)


COMMANDS = list(commands(typer.main.get_command(app)))
EXAMPLES = [example for command in COMMANDS for example in OF_COMMAND.findall(command.help or "")]
OPTIONS = {
    example
    for command in COMMANDS
    for parameter in command.params
    for example in OF_OPTION.findall(getattr(parameter, "help", None) or "")
}


@pytest.fixture
def run(annotation_site: AnnotationSite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs what an example says, in a folder of its own and with the settings of a platform that works."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name, value in annotation_site.settings.environment().items():
        monkeypatch.setenv(name, value)

    def typed(example: str) -> Result:
        words = shlex.split(example)
        while given := SETTING.fullmatch(words[0]):
            monkeypatch.setenv(given[1], given[2])
            words = words[1:]
        assert words[0] == "ava"
        return CliRunner().invoke(app, words[1:], catch_exceptions=False)

    return typed


def said(run: Run, beginning: str) -> str:
    """What the one example that begins so prints; it ends well."""
    (example,) = [one for one in EXAMPLES if one.startswith(beginning)]
    result = run(example)
    assert result.exit_code == 0, result.output
    return result.output


def test_from_video_to_pictures_and_xml(run: Run) -> None:
    video = write_video(Path("cam3.mp4"), seconds=6.0)
    with zipfile.ZipFile("day1.zip", "w") as archive:
        archive.write(video, "cam3.mp4")
    assert "day1: 1 source videos" in said(run, "ava preprocess")
    said(run, "ava preview")
    assert Path("look/day1_cam3_000.mp4").exists()
    for name in ("dense_proposals.pkl", "frames.zip"):
        shutil.copyfile(Path("day1", name), name)
    said(run, "ava cvat xml")
    assert list(Path("out").glob("*.xml"))


def test_a_batch_is_added(run: Run) -> None:
    with zipfile.ZipFile("raw_cctv_batch1.zip", "w") as archive:
        archive.writestr("a.mp4", b"x")
    said(run, "ava batch add")
    assert batches.get(open_store(load_settings()), "raw_cctv_batch1").options == {"ontology": "ava80"}


def test_a_batch_is_archived_and_taken_back(run: Run) -> None:
    store = open_store(load_settings())
    batches.add(store, "batch1", "/in/batch1.zip", {})
    assert "batch1 is archived" in said(run, "ava batch archive")
    assert batches.archived(store) == {"batch1"}
    assert "batch1" not in run("ava batch list").output
    assert "batch1" in run("ava batch list --archived").output
    assert "batch1 is restored" in run("ava batch archive batch1 --undo").output
    assert batches.archived(store) == set()


def test_a_dataset_is_imported_as_a_batch(run: Run) -> None:
    Path("older.csv").write_text("hall,0902,0.1,0.1,0.5,0.9,12,0\nhall,0903,0.1,0.1,0.5,0.9,12,0\n")
    printed = said(run, "ava import")
    assert "batch: older, 1 clips (0 with pictures), approved." in printed
    assert "videos without pictures at hand: taken over without" in printed
    at = open_batch(load_settings(), "older")
    assert at.table("consensus_labels", "consensus_labels")["action_id"].to_list() == [12, 12]


def test_an_annotator_is_added(run: Run) -> None:
    said(run, "ava annotator add")
    (mirela,) = [one for one in annotators.everyone(open_store(load_settings())) if one.username == "mirela"]
    assert mirela.email == "mirela@example.org"


def test_working_time_is_shown_and_written(run: Run, annotation_site: AnnotationSite) -> None:
    job_id = annotation_site.create()["job_id"][0]
    record_active(annotation_site.store, job_id, "mirela", "t1", seconds=90.0, answers=3)
    assert "mirela" in said(run, "ava annotator time")
    (written,) = pl.read_csv("working_time.csv").select("annotator", "job_id", "seconds", "answers").rows()
    assert written == ("mirela", job_id, 90.0, 3)


def test_an_answer_is_adjudicated(run: Run) -> None:
    home = Home(load_settings().home)
    home.register_batch("batch1")
    home.add_work("batch1", plant(good_annotators(3, 0), clips=1, seed=0), frames=450)
    assert said(run, "ava qc adjudicate")


def test_examples_of_actions_are_listed(run: Run) -> None:
    assert "No example yet" in said(run, "ava qc examples")
    store = open_store(load_settings())
    one = ActionExample(ontology="street", action_id=1, batch="b", clip_id="c0", second=2, x1=0, y1=0, x2=9, y2=9,
                        marked_by="adam")  # fmt: skip
    examples.put(store, one)
    printed = said(run, "ava qc examples")
    assert all(word in printed for word in ("c0", "adam"))


def test_a_user_is_added(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVA_USER_PASSWORD", "a long enough password")
    said(run, "ava user add")
    assert {user.username: user.role for user in users.everyone(open_store(load_settings()))} == {
        "nadia": "reviewer"
    }


def test_the_webhook_is_served(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[object] = []
    monkeypatch.setattr(uvicorn, "run", lambda served_app, **where: served.append(where["port"]))
    assert "http://127.0.0.1:8503/webhook" in said(run, "AVA_WEBHOOK_SECRET")
    assert served == [8503]


@pytest.mark.parametrize("example", sorted(OPTIONS))
def test_a_setting_that_an_option_shows_is_one(example: str) -> None:
    name, value = example.split("=")
    assert getattr(load_settings().with_options({name: value}), name) == value


def test_no_example_is_left_out() -> None:
    covered = (
        "ava preprocess", "ava preview", "ava cvat xml", "ava batch add", "ava batch archive", "ava annotator add",
        "ava import",
        "ava annotator time", "ava qc adjudicate", "ava qc examples", "ava user add", "AVA_WEBHOOK_SECRET",
    )  # fmt: skip
    assert [one for one in EXAMPLES if not one.startswith(covered)] == []
    assert len(EXAMPLES) == len(covered)
