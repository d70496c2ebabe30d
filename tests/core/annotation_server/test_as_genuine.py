"""What a genuine CVAT 2.73 was seen to answer, beyond the recordings: refusals, people, issues, labels."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.server_place import PASSWORD, Place

FORBIDDEN = {"detail": "You do not have permission to perform this action."}


def said(answer: Any) -> tuple[int, Any]:
    """Status and body of an answer."""
    is_json = answer.headers.get("Content-Type", "").startswith("application/vnd.cvat+json")
    return answer.status_code, answer.json() if is_json else answer.text


# Accounts


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"email": "MARIA@example.org"}, ["A user is already registered with this e-mail address."]),
        ({"email": "nomail"}, {"email": ["Enter a valid email address."]}),
        ({"username": "maria"}, {"username": ["A user with that username already exists."]}),
        ({"username": "abc"}, {"username": ["Ensure this field has at least 5 characters."]}),
        (
            {"password1": "12345678", "password2": "12345678"},
            {"password1": ["This password is too common.", "This password is entirely numeric."]},
        ),
        (
            {"password1": "short", "password2": "short"},
            {
                "password1": ["Ensure this field has at least 8 characters."],
                "password2": ["Ensure this field has at least 8 characters."],
            },
        ),
        ({"password2": "another-one"}, {"non_field_errors": ["The two password fields didn't match."]}),
        (
            {"password1": "newcomer7", "password2": "newcomer7"},
            {
                "non_field_errors": [
                    "The password is too similar to the username.",
                    "The password is too similar to the email address.",
                ]
            },
        ),
    ],
)
def test_registration_is_refused(shared: Place, fields: dict[str, str], refusal: Any) -> None:
    body = {"username": "newcomer", "email": "newcomer@example.org"}
    secret = {"password1": PASSWORD, "password2": PASSWORD}
    assert said(shared.admin.post("/api/auth/register", json=body | secret | fields)) == (400, refusal)


def test_a_member_is_not_invited_twice(shared: Place) -> None:
    body = {"email": "Maria@example.org", "role": "worker"}
    answer = shared.admin.post("/api/invitations?org=ava", json=body)
    assert said(answer) == (400, ["The user is a member of the organization already."])


def test_who_was_invited_in_vain_can_still_be_registered_and_invited(place: Place) -> None:
    invitation = {"email": "later@example.org", "role": "worker"}
    assert place.admin.post("/api/invitations?org=ava", json=invitation).status_code == 400
    place.register("later")
    assert place.admin.post("/api/invitations?org=ava", json=invitation).status_code == 201
    assert place.client("later").get("/api/memberships?org=ava").json()["count"] == 4


def test_an_annotator_cannot_invite(shared: Place) -> None:
    body = {"email": "tomas@example.org", "role": "owner"}
    assert said(shared.maria.post("/api/invitations", json=body)) == (403, FORBIDDEN)
    assert said(shared.maria.post("/api/invitations?org=ava", json=body)) == (403, FORBIDDEN)


def test_an_annotator_sees_people_in_short_and_of_his_organisation_alone(place: Place) -> None:
    stranger = place.register("stranger")
    place.admin.post("/api/organizations", json={"slug": "other"}).raise_for_status()
    invitation = {"email": "stranger@example.org", "role": "worker"}
    place.admin.post("/api/invitations?org=other", json=invitation).raise_for_status()

    def names(path: str) -> list[str]:
        rows = place.maria.get(path).raise_for_status().json()["results"]
        return sorted((row.get("user") or row)["username"] for row in rows)

    assert names("/api/users") == ["maria"]
    assert names("/api/users?org=ava") == names("/api/memberships?org=ava") == ["admin", "maria", "tomas"]
    assert names("/api/memberships") == ["maria"]
    for user in place.maria.get("/api/users?org=ava").json()["results"]:
        assert user.keys() == {"url", "id", "username", "first_name", "last_name"}
    tomas = place.maria.get(f"/api/users/{place.ids['tomas']}").json()
    assert tomas.keys() == {"url", "id", "username", "first_name", "last_name"}
    assert said(place.maria.get(f"/api/users/{stranger}")) == (403, FORBIDDEN)
    assert said(place.maria.get("/api/users?org=other")) == (403, FORBIDDEN)
    assert "email" in place.maria.get("/api/users/self?org=other").json()
    [other] = place.admin.get("/api/organizations?slug=other").json()["results"]
    assert said(place.maria.get(f"/api/organizations/{other['id']}")) == (403, FORBIDDEN)


def test_members_are_searched_by_name(shared: Place) -> None:
    found = shared.admin.get("/api/memberships?org=ava&search=MARI").json()
    assert [row["user"]["username"] for row in found["results"]] == ["maria"]


def test_who_was_removed_sees_nothing_of_the_organisation(place: Place) -> None:
    [row] = place.maria.get("/api/memberships").json()["results"]
    place.admin.delete(f"/api/memberships/{row['id']}").raise_for_status()
    assert said(place.maria.get("/api/jobs?org=ava")) == (403, FORBIDDEN)
    assert place.maria.get("/api/jobs").json()["count"] == 0
    assert said(place.maria.get(f"/api/jobs/{place.ids['job']}")) == (403, FORBIDDEN)


def test_maintainers_give_the_roles_below_theirs(place: Place) -> None:
    members = place.admin.get("/api/memberships?org=ava").json()["results"]
    number = {row["user"]["username"]: row["id"] for row in members}
    lift = {"role": "maintainer"}
    assert place.maria.patch(f"/api/memberships/{number['tomas']}", json=lift).status_code == 403
    place.admin.patch(f"/api/memberships/{number['maria']}", json=lift).raise_for_status()
    assert place.maria.patch(f"/api/memberships/{number['tomas']}", json=lift).status_code == 403
    assert (
        place.maria.patch(f"/api/memberships/{number['admin']}", json={"role": "worker"}).status_code == 403
    )
    assert place.maria.patch(f"/api/memberships/{number['tomas']}", json={"role": "supervisor"}).is_success
    assert place.maria.delete(f"/api/memberships/{number['tomas']}").status_code == 204


def test_an_organisation_goes_and_its_work_stays(place: Place) -> None:
    number = place.ids["organization"]
    assert place.maria.delete(f"/api/organizations/{number}").status_code == 403
    assert place.admin.delete(f"/api/organizations/{number}").status_code == 204
    assert place.admin.get("/api/jobs?org=ava").status_code == 404
    assert place.admin.get("/api/memberships").json()["count"] == 0
    job = place.admin.get(f"/api/jobs/{place.ids['job']}").json()
    assert (job["organization"], job["assignee"]["username"]) == (None, "maria")


# Annotations

NOT_NEGATIVE = ["Ensure this value is greater than or equal to 0."]
REQUIRED = ["This field is required."]


def test_negative_frames_are_refused(shared: Place) -> None:
    answer = shared.write(tracks=[shared.track(), shared.track({"frame": -1}, frame=-1)])
    refusal = {"tracks": [{}, {"frame": NOT_NEGATIVE, "shapes": [{"frame": NOT_NEGATIVE}]}]}
    assert said(answer) == (400, refusal)


def test_long_values_are_refused(shared: Place) -> None:
    note = [{"spec_id": shared.ids["immutable"], "value": "x" * 4097}]
    refusal = {"value": ["Ensure this field has no more than 4096 characters."]}
    answer = shared.write(tracks=[shared.track(attributes=note)])
    assert said(answer) == (400, {"tracks": [{"attributes": [refusal]}]})


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        ("rectangle", 3),
        ("rectangle", 5),
        ("ellipse", 2),
        ("polygon", 4),
        ("polyline", 2),
        ("points", 0),
        ("cuboid", 8),
    ],
)
def test_shapes_have_the_points_of_their_type(shared: Place, kind: str, count: int) -> None:
    answer = shared.write(shapes=[shared.shape(type=kind, points=[1.0] * count)])
    assert said(answer) == (400, {"shapes": [{"points": [f"invalid length for shape type '{kind}'"]}]})


def test_what_is_missing_is_named(shared: Place) -> None:
    answer = shared.write(tracks=[{"frame": 0}])
    assert said(answer) == (400, {"tracks": [{"label_id": REQUIRED, "shapes": REQUIRED}]})


def test_a_track_that_begins_before_its_first_keyframe_is_outside_until_then(shared: Place) -> None:
    """CVAT adds the keyframe; a track that says to begin later begins with its first one."""
    written = shared.write(
        tracks=[shared.track({"frame": 5}, {"frame": 9}, frame=2), shared.track({"frame": 1}, frame=7)]
    )
    assert [len(track["shapes"]) for track in written.json()["tracks"]] == [3, 1]
    early, late = shared.stored()["tracks"]
    assert [(s["frame"], s["outside"]) for s in early["shapes"]] == [(2, True), (5, False), (9, False)]
    assert (early["frame"], late["frame"]) == (2, 1)


def test_frames_past_the_end_of_a_job_are_kept(shared: Place) -> None:
    """A recording shows it (frame 500 of 55): readers have to leave them out."""
    shared.write(shapes=[shared.shape(frame=500)]).raise_for_status()
    assert shared.stored()["shapes"][0]["frame"] == 500


def test_an_update_keeps_the_ids_of_the_job_and_no_others(shared: Place) -> None:
    [shape] = shared.write(shapes=[shared.shape()]).json()["shapes"]
    path = f"/api/jobs/{shared.ids['job']}/annotations?action="
    changed = shared.admin.patch(
        f"{path}update", json={"shapes": [shared.shape(id=shape["id"], frame=4)]}
    ).json()
    assert [(s["id"], s["frame"]) for s in changed["shapes"]] == [(shape["id"], 4)]
    foreign = shared.admin.patch(f"{path}update", json={"shapes": [shared.shape(id=10**12)]}).json()
    assert foreign["shapes"][0]["id"] < 10**12
    assert shared.admin.patch(f"{path}delete", json={"shapes": [shared.shape()]}).status_code == 400


# Labels


def test_annotations_go_with_their_label(place: Place) -> None:
    number = place.ids["label"]
    place.write(shapes=[place.shape()], tracks=[place.track()]).raise_for_status()
    path = f"/api/projects/{place.ids['project']}"
    car = {"name": "car", "attributes": []}
    place.admin.patch(path, json={"labels": [{"id": number, "deleted": True}, car]}).raise_for_status()
    labels = place.admin.get(f"/api/labels?project_id={place.ids['project']}").json()["results"]
    assert [label["name"] for label in labels] == ["car"]
    assert place.stored() == {"version": 0, "tags": [], "shapes": [], "tracks": [], "intervals": []}
    assert said(place.admin.delete(f"/api/labels/{number}")) == (
        404,
        {"detail": "No Label matches the given query."},
    )


def test_labels_and_their_attributes_are_changed(place: Place) -> None:
    path, mutable = f"/api/labels/{place.ids['label']}", place.ids["mutable"]
    walk = [{"spec_id": mutable, "value": "walk"}]
    place.write(tracks=[place.track({"attributes": walk})]).raise_for_status()
    more = {"id": mutable, "values": ["unset", "walk", "run"]}
    new = {"name": "bag", "mutable": True, "input_type": "checkbox", "values": ["false"]}
    answer = (
        place.admin.patch(path, json={"name": "pedestrian", "attributes": [more, new]})
        .raise_for_status()
        .json()
    )
    assert answer["name"] == "pedestrian"
    assert [a["name"] for a in answer["attributes"]] == ["walking", "note", "bag"]
    assert answer["attributes"][0]["values"] == ["unset", "walk", "run"]
    values = {a["spec_id"]: a["value"] for a in place.stored()["tracks"][0]["shapes"][0]["attributes"]}
    assert values == {mutable: "walk", answer["attributes"][2]["id"]: "false"}
    gone = {"attributes": [{"id": mutable, "deleted": True}]}
    assert place.admin.patch(path, json=gone).is_success
    assert len(place.stored()["tracks"][0]["shapes"][0]["attributes"]) == 1
    assert place.maria.patch(path, json=gone).status_code == 403


def test_a_change_of_labels_is_made_whole_or_not_at_all(place: Place) -> None:
    path, number = f"/api/projects/{place.ids['project']}", place.ids["label"]
    for wrong in ({"id": 10**6, "name": "x"}, {"id": number, "name": "car"}):
        body = {"labels": [{"name": "car", "attributes": []}, wrong]}
        assert place.admin.patch(path, json=body).status_code == 400
        assert place.admin.get(f"/api/labels?project_id={place.ids['project']}").json()["count"] == 1


# Issues


def test_issues_are_discussed_and_resolved(shared: Place) -> None:
    body = {"job": shared.ids["job"], "frame": 3, "position": [1, 2, 3, 4], "message": "Whose arm?"}
    issue = shared.admin.post("/api/issues", json=body).raise_for_status().json()
    answer = shared.maria.post("/api/comments", json={"issue": issue["id"], "message": "The left one's."})
    assert answer.status_code == 201
    assert answer.json()["owner"]["username"] == "maria"
    listed = shared.maria.get(f"/api/comments?issue_id={issue['id']}").json()
    assert [comment["message"] for comment in listed["results"]] == ["The left one's.", "Whose arm?"]
    changed = (
        shared.maria.patch(f"/api/issues/{issue['id']}", json={"resolved": True}).raise_for_status().json()
    )
    assert changed.keys() == issue.keys()
    assert (changed["resolved"], changed["comments"]["count"]) == (True, 2)
    assert changed["updated_date"] > issue["updated_date"]


def test_issues_are_seen_by_those_who_work_on_the_job(shared: Place) -> None:
    body = {"job": shared.ids["job"], "frame": 3, "position": [], "message": "Look"}
    issue = shared.maria.post("/api/issues", json=body).raise_for_status().json()
    tomas = shared.client("tomas")
    for answer in (
        tomas.get(f"/api/issues/{issue['id']}"),
        tomas.patch(f"/api/issues/{issue['id']}", json={"resolved": True}),
        tomas.post("/api/comments", json={"issue": issue["id"], "message": "me too"}),
        tomas.get(f"/api/comments?issue_id={issue['id']}"),
    ):
        assert said(answer) == (403, FORBIDDEN)
    assert tomas.get("/api/issues").json()["count"] == tomas.get("/api/comments").json()["count"] == 0


def test_comments_are_changed_by_who_wrote_them_and_go_with_their_issue(shared: Place) -> None:
    body = {"job": shared.ids["job"], "frame": 3, "position": [], "message": "first"}
    number = shared.admin.post("/api/issues", json=body).json()["id"]
    [first] = shared.admin.get(f"/api/comments?issue_id={number}").json()["results"]
    assert shared.maria.patch(f"/api/comments/{first['id']}", json={"message": "mine"}).status_code == 403
    changed = shared.admin.patch(f"/api/comments/{first['id']}", json={"message": "second"}).json()
    assert changed["message"] == "second"
    assert shared.maria.delete(f"/api/issues/{number}").status_code == 403
    assert shared.admin.delete(f"/api/issues/{number}").status_code == 204
    assert shared.admin.get(f"/api/comments/{first['id']}").status_code == 404


# Addresses that are not there, and what cannot be done


def test_bodies_of_404_and_405(shared: Place) -> None:
    gone = shared.admin.get("/api/requests/action%3Dcreate%26target%3Dtask%26target_id%3D")
    assert said(gone) == (404, "There is no request with specified id")
    assert gone.headers["Content-Type"] == "text/html; charset=utf-8"
    answer = shared.admin.put(f"/api/jobs/{shared.ids['job']}", json={})
    assert said(answer) == (405, {"detail": 'Method "PUT" not allowed.'})
    assert said(shared.admin.delete("/api/labels/14x")) == (404, {"detail": "Not found."})


# Where CVAT fails, a refusal


@pytest.mark.parametrize(
    ("method", "path", "body", "refusal"),
    [
        ("PATCH", "jobs/{job}", {"assignee": 999}, {"assignee": ['Invalid pk "999" - object does not exist.']}),
        ("POST", "invitations", {"email": "a@b.org", "role": "worker"}, ["Name the organization to which you invite."]),
        ("POST", "invitations?org=ava", {"email": "a@b.org", "role": "worker"}, "Email backend is not configured."),
        (
            "PUT", "jobs/{job}/annotations", {"tracks": [{"label_id": 1, "frame": 0, "shapes": []}]},
            {"tracks": [{"shapes": ["This list may not be empty."]}]},
        ),
        (
            "POST", "webhooks?org=ava", {"target_url": "http://a.org", "events": [], "type": "project"},
            {"project_id": ["This field is required."]},
        ),
    ],
)  # fmt: skip
def test_a_fault_of_cvat_is_a_refusal_here(
    place: Place, method: str, path: str, body: Any, refusal: Any
) -> None:
    answer = place.admin.request(method, f"/api/{path.format(**place.ids)}", json=body)
    assert said(answer) == (400, refusal)


@pytest.mark.parametrize(
    "rule",
    [
        {">=": [{"var": "updated_date"}, "soon"]},
        {"==": [{"var": "id"}, [4, 5]]},
        {"<": [{"var": "id"}, "x"]},
        [],
        5,
        {},
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(shared: Place, rule: Any) -> None:
    status, sentences = said(shared.admin.get("/api/jobs", params={"filter": json.dumps(rule)}))
    assert status == 400
    assert sentences[0].startswith("filter: ")


def test_moments_of_a_filter_are_moments_whatever_their_zone(shared: Place) -> None:
    for moment, count in (("2020-01-01T23:00:00+02:00", 1), ("2999-01-01", 0)):
        rule = {">=": [{"var": "updated_date"}, moment]}
        assert shared.admin.get("/api/jobs", params={"filter": json.dumps(rule)}).json()["count"] == count
