"""A job at its annotator's desk, over the embedded server: stored once, and never over another's work."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from ava_core.annotation.labelling.desk import job_of
from ava_core.base.errors import CvatError, InputError
from ava_core.ontology import CANNOT_TELL
from tests.support.annotation_site import AnnotationSite, desk_as

WALK, RUN, NO_PHONE = [1], [5], [7]


@pytest.fixture
def jobs(site: AnnotationSite) -> pl.DataFrame:
    site.keep_tables()
    return site.create().filter(pl.col("annotator") != "")


def edit(track: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"key": f"t{track['id']}", "base": track["hash"], **track, **changes}


def first_of(jobs: pl.DataFrame) -> tuple[int, str]:
    [row] = jobs.sort("job_id").head(1).select("job_id", "annotator").rows()
    return row


def test_what_is_said_is_stored_and_begins_the_job(site: AnnotationSite, jobs: pl.DataFrame) -> None:
    job_id, name = first_of(jobs)
    with desk_as(site, job_id, name) as desk:
        opened = desk.open()
        assert (opened["state"], opened["closed"], opened["notes"]) == ("new", "", [])
        [track] = opened["tracks"]
        said = {"walking_behavior": [[0, WALK], [30, RUN]], "phone_usage": [[0, CANNOT_TELL]]}
        saved = desk.save([edit(track, said=said)])
        assert (saved["conflicts"], saved["state"]) == ({}, "in progress")
        assert desk.save([edit(track, said=said)])["stored"] == saved["stored"], (
            "saved twice it is there once"
        )
        [again] = desk.open()["tracks"]
        assert (again["said"], again["id"]) == (said, track["id"])
        assert saved["stored"][f"t{track['id']}"] == {"id": again["id"], "hash": again["hash"]}
        assert desk.set_state("completed") == {"state": "completed"}
        with pytest.raises(InputError, match="You have finished this job"):
            desk.save([edit(again, said={})])
        assert desk.set_state("in progress") == {"state": "in progress"}
        desk.set_state("completed")
    site.look()
    labels = site.read()["raw_labels"].filter(pl.col("job_id") == job_id)
    walking = labels.filter(pl.col("group") == "walking_behavior").select("second", "action_ids").rows()
    assert walking == [(0, WALK), (1, RUN)]
    assert labels.filter(pl.col("group") == "phone_usage").is_empty(), "who cannot tell has not rated"


def test_a_person_whose_answer_was_lost_is_not_added_twice(site: AnnotationSite, jobs: pl.DataFrame) -> None:
    job_id, name = first_of(jobs)
    new = {"key": "n1", "id": None, "base": "", "seed": "", "keys": [[3, 1.0, 2.0, 30.0, 40.0, False]],
           "said": {"walking_behavior": [[3, RUN]]}}  # fmt: skip
    with desk_as(site, job_id, name) as desk:
        first, second = desk.save([new]), desk.save([new])
        assert first["stored"] == second["stored"]
        assert len(desk.open()["tracks"]) == 2
        known = first["stored"]["n1"]
        gone = {"key": "n1", "id": known["id"], "base": known["hash"], "gone": True}
        assert desk.save([gone])["stored"] == desk.save([gone])["stored"] == {"n1": None}
        assert len(desk.open()["tracks"]) == 1


def test_work_of_another_tab_is_never_written_over(site: AnnotationSite, jobs: pl.DataFrame) -> None:
    job_id, name = first_of(jobs)
    with desk_as(site, job_id, name) as one, desk_as(site, job_id, name) as other:
        [track] = one.open()["tracks"]
        other.save([edit(track, said={"phone_usage": [[0, NO_PHONE]]})])
        result = one.save([edit(track, said={"walking_behavior": [[0, RUN]]})])
        [now] = one.open()["tracks"]
        assert (result["stored"], result["conflicts"]) == ({}, {f"t{track['id']}": now})
        assert now["said"] == {"phone_usage": [[0, NO_PHONE]]}
        assert one.save([edit(track, gone=True)])["conflicts"], "nor removed"
        other.save([edit(now, gone=True)])
        assert one.save([edit(now, said={})])["conflicts"] == {f"t{track['id']}": None}


def test_a_job_begun_in_cvat_goes_on_here(site: AnnotationSite, jobs: pl.DataFrame) -> None:
    """CVAT's page writes a value into the keyframe that is shown and no other."""
    job_id, name = first_of(jobs)
    with desk_as(site, job_id, name) as desk:
        spec = desk.form.specs["walking_behavior"]
    with site.server.api(name) as api:
        content = api.get(f"/api/jobs/{job_id}/annotations").json()
        [track] = content["tracks"]
        for value in track["shapes"][0]["attributes"]:
            if value["spec_id"] == spec:
                value["value"] = "jogging"
        api.patch(
            f"/api/jobs/{job_id}/annotations", params={"action": "update"}, json=content
        ).raise_for_status()
    with desk_as(site, job_id, name) as desk:
        [opened] = desk.open()["tracks"]
        assert opened["said"] == {"walking_behavior": [[0, RUN]]}


def test_nobody_opens_anothers_job(site: AnnotationSite, jobs: pl.DataFrame) -> None:
    job_id, name = first_of(jobs)
    other = next(who for who in ("maria", "tomas", "chloe") if who != name)
    for number in (job_id, 9999):
        with (
            pytest.raises(InputError, match=f"Job {number} is not yours"),
            desk_as(site, number, other),
        ):
            pass


def test_a_removed_job_is_said_to_be_gone(site: AnnotationSite, jobs: pl.DataFrame) -> None:
    job_id, name = first_of(jobs)
    with site.gateway() as gateway:
        gateway.remove_task(job_of(site.store, job_id).task_id)
    with pytest.raises(InputError, match="deleted on the annotation server"), desk_as(site, job_id, name):
        pass


def test_what_cannot_be_shown_is_left_alone(site: AnnotationSite, jobs: pl.DataFrame) -> None:
    job_id, name = first_of(jobs)
    with desk_as(site, job_id, name) as desk:
        content = desk.gateway.annotations(job_id)
        empty = content["tracks"][0] | {"id": 77, "shapes": []}
        odd = content["tracks"][0] | {
            "id": 78,
            "shapes": [content["tracks"][0]["shapes"][0] | {"type": "ellipse"}],
        }
        desk.gateway.annotations = lambda _: content | {"tracks": [*content["tracks"], empty, odd]}  # type: ignore[method-assign]
        opened = desk.open()
    assert len(opened["tracks"]) == 1
    assert [note.split(" ", 2)[:2] for note in opened["notes"]] == [["Track", "77"], ["Track", "78"]]


def test_labels_that_were_changed_on_the_server_lose_nothing(
    site: AnnotationSite, jobs: pl.DataFrame
) -> None:
    job_id, name = first_of(jobs)
    with desk_as(site, job_id, name) as desk:
        [track] = desk.open()["tracks"]

        def refuse(*_: object) -> list[dict[str, Any]]:
            raise CvatError("the server refused to take it (400): spec_id `2` is invalid")

        desk.gateway.patch_tracks = refuse  # type: ignore[method-assign]
        with pytest.raises(CvatError, match="project's labels were changed"):
            desk.save([edit(track, said={"walking_behavior": [[0, RUN]]})])
        assert desk.open()["tracks"] == [track]
