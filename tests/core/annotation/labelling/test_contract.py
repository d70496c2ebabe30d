"""Tracks as a genuine CVAT answered them: opened on the page and written back, they say what they said."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ava_core.annotation.labelling.sheet import api_track, sheet_track
from ava_core.annotation.reading import box_at, read_shapes
from ava_core.annotation.shapes import Shape, shapes_from_api
from ava_core.annotation_server.content import filled
from ava_core.ontology.form import SEED_TRACK_ATTRIBUTE
from ava_core.ontology.load import parse_ontology
from tests.support.recordings import read_recordings

ONTOLOGY = parse_ontology(
    """
name: recorded
version: 1
groups:
  - name: walking_behavior
    kind: exclusive
    actions: [{id: 1, name: normal_walk}, {id: 2, name: fast_walk}, {id: 3, name: standing_still}]
  - name: phone_usage
    kind: exclusive
    actions: [{id: 4, name: no_phone}, {id: 5, name: talking_phone}, {id: 6, name: texting}]
""",
    "recorded",
)
SEED_IN_RECORDING = "notes"
"""The recorded project's own text attribute, which no person sees either, stands for the number of the track."""
FRAMES = 60


def recorded() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The label of the recorded project, and every track of it that its server answered in a job."""
    exchanges = [one for one in read_recordings() if one.method == "GET" and one.status == 200]
    label = next(
        one.answer["results"][0] for one in exchanges if one.path == "/api/labels" and one.answer["count"]
    )
    jobs = [
        one.answer
        for one in exchanges
        if "/jobs/" in one.path and one.path.rstrip("/").endswith("/annotations")
    ]
    tracks = [track for job in jobs for track in job["tracks"] if track["label_id"] == label["id"]]
    return label, [track for track in tracks if {shape["type"] for shape in track["shapes"]} == {"rectangle"}]


LABEL, TRACKS = recorded()
NAMES = {
    a["id"]: SEED_TRACK_ATTRIBUTE if a["name"] == SEED_IN_RECORDING else a["name"]
    for a in LABEL["attributes"]
}
SPECS = {name: number for number, name in NAMES.items()}


def flat(track: dict[str, Any]) -> list[Shape]:
    return shapes_from_api({"tracks": [track]}, NAMES, LABEL["id"])


def stored(track: dict[str, Any]) -> dict[str, Any]:
    """A track after the server took it: what it was not given has its default."""
    shapes = [{"rotation": 0, "type": "rectangle"} | shape for shape in track["shapes"]]
    [one] = filled({"tags": [], "shapes": [], "tracks": [track | {"shapes": shapes}]}, {LABEL["id"]: LABEL})[
        "tracks"
    ]
    return one


def shown(track: dict[str, Any], frame: int) -> tuple[Any, ...]:
    """What CVAT's page shows at a frame: box, whether it is seen, and each value of the last keyframe."""
    shapes = flat(track)
    before = [shape for shape in shapes if shape["frame"] <= frame]
    raw = [shape for shape in track["shapes"] if shape["frame"] <= frame]
    if not before:
        return ()
    box = box_at(shapes, frame)
    return (box and tuple(round(side, 1) for side in box), raw[-1]["occluded"], before[-1]["attributes"])


def test_there_are_recorded_tracks() -> None:
    assert len(TRACKS) >= 8


@pytest.mark.parametrize("track", TRACKS, ids=lambda track: f"track {track['id']}")
def test_a_genuine_track_that_is_opened_and_stored_shows_the_same(track: dict[str, Any]) -> None:
    sheet = sheet_track(track, ONTOLOGY, NAMES, LABEL["id"])
    written = stored(api_track(sheet, ONTOLOGY, SPECS, LABEL["id"], track))
    for frame in range(FRAMES):
        assert shown(written, frame) == shown(track, frame), frame
    assert [written[name] for name in ("id", "label_id", "group", "source")] == [
        track[name] for name in ("id", "label_id", "group", "source")
    ]


@pytest.mark.parametrize("track", TRACKS, ids=lambda track: f"track {track['id']}")
def test_what_is_said_of_a_genuine_track_changes_nothing_else(track: dict[str, Any]) -> None:
    """The page says something of the phone; who opens it in CVAT next finds that, and all else as it was."""
    sheet = sheet_track(track, ONTOLOGY, NAMES, LABEL["id"])
    first = sheet["keys"][0][0]
    sheet["said"]["phone_usage"] = [[first, [6]], [first + 3, [5]]]
    written = stored(api_track(sheet, ONTOLOGY, SPECS, LABEL["id"], track))
    for frame in range(first, FRAMES):
        box, occluded, values = shown(track, frame)
        said = "talking_phone" if frame >= first + 3 else "texting"
        assert shown(written, frame) == (box, occluded, values | {"phone_usage": said}), frame
    assert sheet_track(written, ONTOLOGY, NAMES, LABEL["id"])["said"] == sheet["said"]


def edited_in_cvat(track: dict[str, Any], frame: int, name: str, value: str) -> dict[str, Any]:
    """As CVAT's own page changes a value: in the keyframe that is shown, else in a new one with what holds there."""
    now = copy.deepcopy(track)
    last = max((one for one in now["shapes"] if one["frame"] <= frame), key=lambda one: int(one["frame"]))
    if last["frame"] != frame:
        box = box_at(flat(track), frame)
        last = copy.deepcopy(last) | {"frame": frame, "points": list(box) if box else last["points"]}
        now["shapes"] = sorted([*now["shapes"], last], key=lambda one: int(one["frame"]))
    for one in last["attributes"]:
        if NAMES[one["spec_id"]] == name:
            one["value"] = value
    return now


@pytest.mark.parametrize("track", TRACKS, ids=lambda track: f"track {track['id']}")
def test_a_track_that_was_begun_here_and_finished_in_cvat_says_what_cvat_shows(track: dict[str, Any]) -> None:
    sheet = sheet_track(track, ONTOLOGY, NAMES, LABEL["id"])
    first = sheet["keys"][0][0]
    sheet["said"]["phone_usage"] = [[first, [6]]]
    begun = stored(api_track(sheet, ONTOLOGY, SPECS, LABEL["id"], track))
    finished = edited_in_cvat(begun, first + 7, "phone_usage", "talking_phone")
    again = sheet_track(finished, ONTOLOGY, NAMES, LABEL["id"])
    numbers = {"no_phone": [4], "talking_phone": [5], "texting": [6]}
    for frame in range(first, FRAMES):
        (*_, (_, answer)) = (one for one in again["said"]["phone_usage"] if one[0] <= frame)
        assert answer == numbers[shown(finished, frame)[2]["phone_usage"]], frame
    assert [first + 7, [5]] in again["said"]["phone_usage"]
    kept = {name: said for name, said in again["said"].items() if name != "phone_usage"}
    assert kept == {name: said for name, said in sheet["said"].items() if name != "phone_usage"}


@pytest.mark.parametrize("track", TRACKS, ids=lambda track: f"track {track['id']}")
def test_the_page_and_the_platform_read_a_genuine_track_alike(track: dict[str, Any]) -> None:
    sheet = sheet_track(track, ONTOLOGY, NAMES, LABEL["id"])
    _, labels = read_shapes(flat(track), ONTOLOGY, frames=FRAMES, width=1280, height=720, predrawn=[])
    for row in labels:
        begun = max(row["second"] * 30, sheet["keys"][0][0])
        held = [answer for frame, answer in sheet["said"][row["group"]] if frame <= begun]
        assert held[-1] == row["action_ids"]


def test_attributes_that_the_platform_did_not_ask_for_stay() -> None:
    """Somebody added `confidence` to the form in CVAT, and uses it."""
    track = copy.deepcopy(TRACKS[0])
    for number, shape in enumerate(track["shapes"]):
        for value in shape["attributes"]:
            if NAMES[value["spec_id"]] == "confidence":
                value["value"] = str(60 + number)
    sheet = sheet_track(track, ONTOLOGY, NAMES, LABEL["id"])
    written = api_track(sheet, ONTOLOGY, SPECS, LABEL["id"], track)
    assert all(shown(stored(written), frame) == shown(track, frame) for frame in range(FRAMES))
