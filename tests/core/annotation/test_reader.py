"""Reading goes by ids, writes nothing, and says of each job what keeps it from being read as it is."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from ava_core.annotation import forms
from ava_core.annotation.gateway import CvatGateway
from ava_core.annotation.retrieve import answered_now, read_completed, versions_of
from ava_core.annotation.session import CvatBusyError, CvatMissingError
from ava_core.annotation.setup import set_up
from ava_core.annotation.sync import completed_work
from ava_core.annotation.values import take_in
from ava_core.base.errors import CvatError, InputError, OntologyError
from ava_core.base.schemas import JOB_FINDINGS
from ava_core.batch import open_batch
from ava_core.ontology.form import values_from_labels
from ava_core.store import batches, readings, tasks
from tests.support.annotation_site import AnnotationSite


@pytest.fixture
def done(site: AnnotationSite) -> list[int]:
    """Two completed jobs in which everything is answered at the first keyframe."""
    jobs = site.create().filter(pl.col("annotator") != "")["job_id"].to_list()[:2]
    for job_id in jobs:
        answer(site, job_id)
    return jobs


def answer(site: AnnotationSite, job_id: int, **values: str) -> None:
    """Complete a job with every group answered, and some attributes as told."""
    labels = {group.name: [group.ids[0]] for group in site.ontology.groups}
    said = values_from_labels(site.ontology, labels) | values
    with site.gateway() as gateway:
        specs = forms.form_of(site.store, gateway, project(site)).specs
        [track] = gateway.annotations(job_id)["tracks"]
        track["shapes"][0]["attributes"] = [{"spec_id": specs[n], "value": v} for n, v in said.items()]
        gateway.put_tracks(job_id, [track])
        gateway.set_job(job_id, state="completed")
    site.look()


def project(site: AnnotationSite) -> int:
    return next(iter(tasks.projects(site.store)))


def again(site: AnnotationSite, job_id: int) -> None:
    """The job is touched on the server, so that it is read once more."""
    with site.gateway() as gateway:
        gateway.set_job(job_id, state="completed")
    site.look()


def answers(monkeypatch: pytest.MonkeyPatch, job_id: int, content: Any) -> None:
    """The server says this of one job: a content, an error, or what a function makes of what it would say."""
    original = CvatGateway.annotations

    def say(self: CvatGateway, number: int) -> Any:
        if number != job_id:
            return original(self, number)
        if isinstance(content, Exception):
            raise content
        return content(original(self, number)) if callable(content) else content

    monkeypatch.setattr(CvatGateway, "annotations", say)


def kinds(tables: dict[str, pl.DataFrame]) -> list[tuple[int, str]]:
    assert dict(tables["job_findings"].schema) == dict(JOB_FINDINGS)
    return tables["job_findings"].select("job_id", "kind").rows()


def test_a_project_renamed_in_cvat_is_the_same_project(site: AnnotationSite, done: list[int]) -> None:
    before = site.read()
    with site.server.api() as api:
        api.patch(f"/api/projects/{project(site)}", json={"name": "renamed"}).raise_for_status()
    again(site, done[0])
    after = site.read()
    assert after["raw_labels"].equals(before["raw_labels"])
    assert after["job_findings"].is_empty()
    with site.gateway() as gateway:
        assert gateway.project_named(site.settings.cvat_project) is None, "reading makes nothing"
        assert forms.project_for_tasks(site.context, gateway).project_id == project(site), (
            "new tasks join the old"
        )
        steps = set_up(site.settings, site.ontology, [], known=project(site))
        assert [step.state for step in steps if step.what.startswith("project")] == ["there"]
        assert gateway.project_named(site.settings.cvat_project) is None


def test_a_project_that_was_noted_without_its_form_learns_it_once(
    site: AnnotationSite, done: list[int]
) -> None:
    number = project(site)
    with site.store.session() as session:
        known = session.get(type(tasks.projects(site.store)[number]), number)
        form, known.form = known.form, None
    assert site.read()["job_findings"].is_empty()
    assert tasks.projects(site.store)[number].form == form


def test_a_form_that_was_made_anew_stops_new_tasks_until_it_is_learned(
    site: AnnotationSite, done: list[int]
) -> None:
    number = project(site)
    old = {"label_id": 999, "specs": {"walking_behavior": 998}}
    tasks.put_project(site.store, number, site.settings.cvat_project, old)
    with site.gateway() as gateway:
        with pytest.raises(CvatError, match="were recreated"):
            forms.project_for_tasks(site.context, gateway)
        assert set(kinds(site.read())) == {(job, "unreadable") for job in done}
        assert forms.learn_forms(site.store, gateway) == [number]
        assert forms.learn_forms(site.store, gateway) == []
    assert kinds(site.read()) == []


def with_other_label(content: Any) -> Any:
    return content | {"tracks": [track | {"label_id": 4711} for track in content["tracks"]]}


def with_other_attribute(content: Any) -> Any:
    for track in content["tracks"]:
        track["shapes"][0]["attributes"].append({"spec_id": 4712, "value": "new"})
    return content


def with_points(*points: Any) -> Any:
    def change(content: Any) -> Any:
        content["tracks"][0]["shapes"][0]["points"] = list(points)
        return content

    return change


def with_shape(**fields: Any) -> Any:
    def change(content: Any) -> Any:
        content["tracks"][0]["shapes"][0] |= fields
        return content

    return change


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (with_other_label, "a label of id 4711"),
        (with_other_attribute, "an attribute of id 4712"),
        (with_points(1.0, 2.0, 3.0), "corners"),
        (with_points(1.0, 2.0, float("nan"), 4.0), "corners"),
        (with_points(1e308, 0, 1e308, 1), "corners"),
        (with_points("a", "b", "c", "d"), "corners"),
        (with_points([1], [2], [3], [4]), "corners"),
        (with_shape(points=None), "corners"),
        (with_shape(frame=-5), "frame -5"),
        (with_shape(frame=10**400), "not a frame number"),
        (with_shape(frame="0"), "not a frame number"),
        (with_shape(frame=1.5), "not a frame number"),
        (with_shape(outside="no"), "outside"),
        (with_shape(type="polygon"), "a 'polygon' is drawn"),
        (with_shape(attributes=["x"]), "not a list of objects"),
        (with_shape(attributes=[{"spec_id": [1], "value": "x"}]), "an attribute of id"),
        ({"tracks": {"a": 1}}, "tracks are not a list"),
        ({"tracks": [None]}, "tracks are not a list"),
        ([1], "are list, not an object"),
        (None, "are NoneType, not an object"),
        (CvatMissingError("gone"), "no longer exists on CVAT"),
        (CvatBusyError("it failed (500)."), r"it failed \(500\)"),
    ],
)  # fmt: skip
def test_a_job_that_cannot_be_read_is_a_finding_and_the_others_go_on(
    site: AnnotationSite, done: list[int], monkeypatch: pytest.MonkeyPatch, content: Any, said: str
) -> None:
    bad, good = done
    answers(monkeypatch, bad, content)
    tables = site.read()
    assert tables["completed_jobs"]["job_id"].to_list() == [good]
    assert kinds(tables) == [(bad, "unreadable")]
    assert tables["job_findings"].filter(pl.col("detail").str.contains(said)).height == 1, tables[
        "job_findings"
    ]
    assert tables["job_findings"]["link"][0].endswith(f"/jobs/{bad}")


@pytest.mark.parametrize("value", [None, {"a": 1}, "a\x00b", "\ud800", "A" * 5000])
def test_a_value_that_is_no_text_is_a_finding(
    site: AnnotationSite, done: list[int], monkeypatch: pytest.MonkeyPatch, value: Any
) -> None:
    def change(content: Any) -> Any:
        content["tracks"][0]["shapes"][0]["attributes"][0]["value"] = value
        return content

    answers(monkeypatch, done[0], change)
    assert kinds(site.read()) == [(done[0], "unreadable")]


def test_a_job_that_cannot_be_read_any_more_keeps_the_version_that_it_had(
    site: AnnotationSite, done: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = site.read()
    again(site, done[0])
    answers(monkeypatch, done[0], with_other_label)
    after = site.read()
    assert after["raw_labels"].equals(before["raw_labels"])
    assert kinds(after) == [(done[0], "unreadable")]


def test_a_server_that_fails_for_every_job_is_an_error(
    site: AnnotationSite, done: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: CvatGateway, number: int) -> Any:
        raise CvatBusyError("it failed (502).")

    monkeypatch.setattr(CvatGateway, "annotations", fail)
    with pytest.raises(CvatError, match="502"):
        site.read()


def unanswered(content: Any) -> Any:
    for track in content["tracks"]:
        for shape in track["shapes"]:
            shape["attributes"] = []
    return content


def test_a_reading_that_loses_most_is_held_back_until_somebody_takes_it_up(
    site: AnnotationSite, done: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = done[0]
    before = site.read()
    again(site, job)
    with monkeypatch.context() as patch:
        answers(patch, job, unanswered)
        after = site.read()
    assert after["raw_labels"].equals(before["raw_labels"])
    [finding] = after["job_findings"].to_dicts()
    assert (finding["kind"], finding["version"]) == ("held_back", 2)
    assert finding["detail"] == "It has 0 answers, where version 1 has 16."
    assert f"ava reading take-up {job} 2" in finding["cure"]

    digest = completed_work(site.store)["b"].digest
    readings.take_up(site.store, job, 2, "ann")
    taken = site.read()
    assert completed_work(site.store)["b"].digest != digest, "what follows is made anew"
    assert taken["job_findings"].is_empty()
    assert job not in taken["raw_labels"]["job_id"].to_list()
    readings.take_up(site.store, job, 1, "ann")
    assert site.read()["raw_labels"].equals(before["raw_labels"])


def test_a_reading_that_has_everything_again_counts_by_itself(
    site: AnnotationSite, done: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = site.read()
    again(site, done[0])
    with monkeypatch.context() as patch:
        answers(patch, done[0], unanswered)
        site.read()
    again(site, done[0])
    after = site.read()
    assert after["job_findings"].is_empty()
    assert after["raw_labels"].drop("version").equals(before["raw_labels"].drop("version"))
    assert set(after["raw_labels"].filter(pl.col("job_id") == done[0])["version"]) == {3}


def test_the_share_that_may_be_lost_is_a_setting(
    site: AnnotationSite, done: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    site.settings = site.settings.with_options({"reading_may_lose": 1.0})
    site.read()
    again(site, done[0])
    answers(monkeypatch, done[0], unanswered)
    assert kinds(site.read()) == []


def test_a_value_added_in_cvat_is_a_finding_with_a_way_on(site: AnnotationSite, done: list[int]) -> None:
    answer(site, done[0], walking_behavior="riding a scooter")
    tables = site.read()
    [finding] = tables["job_findings"].to_dicts()
    assert (finding["job_id"], finding["kind"], finding["version"]) == (done[0], "unknown_value", 1)
    assert finding["detail"].startswith("walking_behavior: 'riding a scooter' (")
    assert "ava reading take-in b walking_behavior 'riding a scooter'" in finding["cure"]
    assert tables["completed_jobs"].height == 2, "its other answers are read"


def test_a_value_that_is_taken_into_the_ontology_is_an_answer(site: AnnotationSite, done: list[int]) -> None:
    answer(site, done[0], walking_behavior="riding a scooter")
    site.read()
    ontology = take_in(site.context, "walking_behavior", "riding a scooter", "ann")
    assert ontology.version == site.ontology.version + 1
    at = open_batch(site.settings, "b", storage=site.storage, store=site.store)
    assert at.ontology == ontology, "the batch uses it from now on"
    tables = read_completed(at, site.clips)
    assert tables["job_findings"].is_empty()
    [action] = [action.id for action in ontology.actions if action.name == "riding a scooter"]
    assert [action] in tables["raw_labels"]["action_ids"].to_list()
    with site.gateway() as gateway, pytest.raises(CvatError, match="does not match"):
        forms.project_for_tasks(at, gateway)  # CVAT's form has to offer it before new tasks are made with it
    with pytest.raises(OntologyError, match="has 'riding a scooter' already"):
        take_in(at, "walking_behavior", "riding a scooter", "ann")


def test_another_batch_takes_the_version_that_was_published(site: AnnotationSite) -> None:
    batches.add(site.store, "night", str(site.settings.home_dir), {})
    first = take_in(site.context, "walking_behavior", "riding a scooter", "ann")
    night = open_batch(site.settings, "night", storage=site.storage, store=site.store)
    assert take_in(night, "walking_behavior", "riding a scooter", "ann") == first
    third = take_in(night, "walking_behavior", "on a skateboard", "ann")
    assert third.version == first.version + 1


def test_open_jobs_are_measured_as_they_are_and_nothing_is_kept(site: AnnotationSite) -> None:
    job = site.create().filter(pl.col("annotator") != "")["job_id"][0]
    assert answered_now(site.context, {job}) == {job: 0.0}
    answer(site, job)
    with site.gateway() as gateway:
        gateway.set_job(job, state="in progress")
    assert answered_now(site.context, {job, 4711}) == {job: 1.0}
    assert readings.versions(site.store, job) == []


def test_versions_say_how_much_and_which_one_counts(
    site: AnnotationSite, done: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    site.read()
    again(site, done[0])
    answers(monkeypatch, done[0], unanswered)
    site.read()
    found = versions_of(site.context, done[0])
    assert found.select("version", "people", "answers", "status").rows() == [
        (1, 2, 16, "counts"), (2, 2, 0, "It has 0 answers, where version 1 has 16."),
    ]  # fmt: skip
    readings.take_up(site.store, done[0], 2, "ann")
    assert versions_of(site.context, done[0])["status"].to_list() == ["older", "counts"]
    with pytest.raises(InputError, match="has no job 4711"):
        versions_of(site.context, 4711)
