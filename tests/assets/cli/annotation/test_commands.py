"""The commands on CVAT and assignment, as a person types them."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ava_assets.cli.main import app
from ava_core.base.errors import SettingsError
from ava_core.decisions import reject
from ava_core.store import audit_log, readings, tasks
from tests.support.annotation_site import PEOPLE, AnnotationSite

Command = Callable[..., Result]


@pytest.fixture
def ava(annotation_site: AnnotationSite, monkeypatch: pytest.MonkeyPatch) -> Command:
    """`ava …` with the settings of the annotation_site."""
    for name, value in annotation_site.settings.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COLUMNS", "200")
    annotation_site.keep_tables()

    def run(*words: str) -> Result:
        return CliRunner().invoke(app, list(words), catch_exceptions=False)

    return run


def test_set_up_then_check(ava: Command) -> None:
    assert ava("cvat", "check").exit_code == 1, "the project is missing"
    first = ava("cvat", "setup")
    assert first.exit_code == 0
    assert "project ava" in first.stdout
    assert first.stdout.count("member") == len(PEOPLE)
    checked = ava("cvat", "check")
    assert checked.exit_code == 0
    assert "cvat-sdk" in checked.stdout
    assert "by hand" not in checked.stdout


def test_a_preview_makes_nothing_and_says_what_will_be_made(
    ava: Command, annotation_site: AnnotationSite
) -> None:
    shown = ava("assign", "preview", "b").stdout
    assert annotation_site.server_tasks() == []
    jobs = annotation_site.create()
    counts = {name: count for name, count in jobs["annotator"].value_counts().rows() if name}
    rows = {
        words[0]: int(words[1])
        for words in map(str.split, shown.splitlines())
        if words[:1] and words[0] in PEOPLE
    }
    assert rows == counts
    assert "2 clips; 0 already have a task" in shown
    assert "2 clips; 2 already have a task" in ava("assign", "preview", "b").stdout


def test_moving_topping_up_and_handing_back(ava: Command, annotation_site: AnnotationSite) -> None:
    annotation_site.create()
    alone = next(
        job for job in tasks.jobs_of(annotation_site.store, "b") if _copies(annotation_site, job.clip_id) == 1
    )
    other = next(name for name in PEOPLE if name != alone.annotator)
    assert f"now belongs to {other}" in ava("assign", "move", str(alone.job_id), other).stdout
    third = next(name for name in PEOPLE if name not in (alone.annotator, other))
    said = ava("assign", "top-up", "b", alone.clip_id, "--annotator", third).stdout
    assert f"Added {third} to clip {alone.clip_id}" in said
    assert _copies(annotation_site, alone.clip_id) == 2
    with annotation_site.gateway() as gateway:
        gateway.set_job(alone.job_id, state="completed")
    annotation_site.look()
    reject(annotation_site.store, "b", [alone.clip_id], "rita", "Look again.")
    assert "1 job" in ava("assign", "requeue", "b", alone.clip_id, "--second", "1").stdout


def test_whoever_is_named_is_noted_else_the_user_of_the_machine(
    ava: Command, annotation_site: AnnotationSite
) -> None:
    annotation_site.create()
    store = annotation_site.store
    for named, noted in ((["--as", "rita"], "rita"), (["--actor", "ann"], "ann"), ([], getpass.getuser())):
        job = next(job for job in tasks.jobs_of(store, "b") if _copies(annotation_site, job.clip_id) == 1)
        other = next(name for name in PEOPLE if name != job.annotator)
        assert ava("assign", "move", str(job.job_id), other, *named).exit_code == 0
        assert audit_log.newest(store, 1)[0].actor == noted


def _copies(annotation_site: AnnotationSite, clip_id: str) -> int:
    return sum(
        job.clip_id == clip_id and job.of_annotator for job in tasks.jobs_of(annotation_site.store, "b")
    )


def test_xml_of_a_batch(ava: Command, tmp_path: Path) -> None:
    assert "2 files" in ava("cvat", "xml", str(tmp_path / "out"), "--batch", "b").stdout
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["c0.xml", "c1.xml"]
    assert ava("cvat", "xml", str(tmp_path / "out")).exit_code == 2, "neither a batch nor files"


def test_a_webhook_without_a_secret_does_not_start(ava: Command) -> None:
    with pytest.raises(SettingsError, match="AVA_WEBHOOK_SECRET"):
        ava("webhook")


def test_versions_of_a_job_are_listed_and_taken_up(ava: Command, annotation_site: AnnotationSite) -> None:
    own = annotation_site.create()["job_id"][0]
    for number, content in enumerate(("a", "b"), start=1):
        given = {
            "job_id": own,
            "task_id": 1,
            "annotator": "maria",
            "server_updated_at": content,
            "shapes": [],
        }
        held = "It has lost all." if number == 2 else ""
        readings.append_all(annotation_site.store, [given | {"content_hash": content, "held": held}])
    listed = ava("reading", "list", "b", str(own)).stdout
    assert "counts" in listed
    assert "It has lost all." in listed
    assert f"Version 2 of job {own} now counts" in ava("reading", "take-up", str(own), "2").stdout
    assert "No changes." in ava("reading", "learn").stdout
    assert "uses street 2" in ava("reading", "take-in", "b", "walking_behavior", "on a skateboard").stdout
