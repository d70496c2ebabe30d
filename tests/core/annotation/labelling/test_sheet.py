"""What a person says on the label sheet is read back; a track that is opened and written stays itself."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ava_core.annotation.labelling.sheet import api_track, sheet_track, track_hash
from ava_core.annotation.reading import box_at, read_shapes, shapes_from_api, steps
from ava_core.annotation_server.content import filled
from ava_core.base.schemas import CLIP_FPS
from ava_core.ontology import CANNOT_TELL
from ava_core.ontology.form import SEED_TRACK_ATTRIBUTE, cvat_labels, form_fields
from ava_core.ontology.load import parse_ontology

ONTOLOGY = parse_ontology(
    """
name: tiny
version: 1
groups:
  - {name: pose, kind: exclusive, actions: [{id: 1, name: stand}, {id: 2, name: sit}, {id: 3, name: lie}]}
  - {name: object, kind: multi, max_active: 2, actions: [{id: 4, name: bag}, {id: 5, name: phone}, {id: 6, name: cup}]}
""",
    "tiny",
)
SECONDS, LABEL = 12, 7
FRAMES = SECONDS * CLIP_FPS
SPECS = {
    name: n for n, name in enumerate([SEED_TRACK_ATTRIBUTE, *(f.name for f in form_fields(ONTOLOGY))], 1)
}
NAMES = {number: name for name, number in SPECS.items()}
[_label] = cvat_labels(ONTOLOGY)
LABELS = {LABEL: {**_label, "attributes": [{**a, "id": SPECS[a["name"]]} for a in _label["attributes"]]}}

side = st.integers(0, 300)
BOX = st.tuples(side, side, st.integers(5, 60), st.integers(5, 60)).map(
    lambda b: [b[0], b[1], b[0] + b[2], b[1] + b[3]]
)
KEYS = st.lists(
    st.tuples(st.integers(0, FRAMES - 1), BOX, st.booleans()),
    min_size=1,
    max_size=9,
    unique_by=lambda k: k[0],
).map(
    lambda keys: [
        [frame, *map(float, box), out and n > 0]
        for n, (frame, box, out) in enumerate(sorted(keys, key=lambda k: k[0]))
    ]
)
ANSWERS = {
    "pose": st.sampled_from([[1], [2], [3], CANNOT_TELL]),
    "object": st.lists(st.sampled_from([4, 5, 6]), max_size=2, unique=True).map(sorted)
    | st.just(CANNOT_TELL),
}


@st.composite
def sheets(draw: st.DrawFn) -> dict[str, Any]:
    """A track as a person may leave it on the page."""
    said = {}
    for group, answers in ANSWERS.items():
        changes = draw(
            st.lists(st.tuples(st.integers(0, FRAMES - 1), answers), max_size=5, unique_by=lambda c: c[0])
        )
        if changes:
            said[group] = [list(change) for change in sorted(changes, key=lambda c: c[0])]
    return {"seed": draw(st.sampled_from(["", "3"])), "keys": draw(KEYS), "said": said}


def stored(track: dict[str, Any]) -> dict[str, Any]:
    """A track after the annotation server kept it."""
    shapes = [{"rotation": 0, "type": "rectangle"} | shape for shape in track["shapes"]]
    [one] = filled({"tags": [], "shapes": [], "tracks": [track | {"shapes": shapes}]}, LABELS)["tracks"]
    return one


def holding(sheet: dict[str, Any], group: str, frame: int) -> Any:
    """What a person means there."""
    begun = max(frame, sheet["keys"][0][0])
    before = [answer for at, answer in sheet["said"].get(group, []) if at <= begun]
    return before[-1] if before else None


@given(sheets())
def test_what_is_said_is_read_back_at_every_second(sheet: dict[str, Any]) -> None:
    track = stored(api_track(sheet, ONTOLOGY, SPECS, LABEL))
    shapes = shapes_from_api({"tracks": [track]}, NAMES, LABEL)
    boxes, labels = read_shapes(shapes, ONTOLOGY, frames=FRAMES, width=640, height=400, predrawn=[])
    read = {(row["second"], row["group"]): row["action_ids"] for row in labels}
    living = {row["second"] for row in boxes}
    names = ("frame", "xtl", "ytl", "xbr", "ybr", "outside")
    drawn = [dict(zip(names, key, strict=True)) for key in sheet["keys"]]
    assert living == {second for second in range(SECONDS) if box_at(drawn, second * CLIP_FPS)}
    for second in living:
        for group in ANSWERS:
            meant = holding(sheet, group, second * CLIP_FPS)
            assert read.get((second, group)) == (None if meant == CANNOT_TELL else meant)


@given(sheets())
def test_answers_never_bend_a_box(sheet: dict[str, Any]) -> None:
    with_answers = stored(api_track(sheet, ONTOLOGY, SPECS, LABEL))
    without = stored(api_track(sheet | {"said": {}}, ONTOLOGY, SPECS, LABEL))
    one, other = (shapes_from_api({"tracks": [track]}, NAMES, LABEL) for track in (with_answers, without))
    for frame in range(0, FRAMES, 7):
        a, b = box_at(one, frame), box_at(other, frame)
        assert (a is None) == (b is None)
        assert a is None or b is None or max(abs(x - y) for x, y in zip(a, b, strict=True)) <= 0.02


@given(sheets())
def test_opened_again_it_says_the_same(sheet: dict[str, Any]) -> None:
    track = stored(api_track(sheet, ONTOLOGY, SPECS, LABEL))
    again = sheet_track(track, ONTOLOGY, NAMES, LABEL)
    assert again["seed"] == sheet["seed"]
    for frame in range(0, FRAMES, 5):
        if frame >= sheet["keys"][0][0]:
            assert all(holding(again, group, frame) == holding(sheet, group, frame) for group in ANSWERS)
    rewritten = stored(api_track(again, ONTOLOGY, SPECS, LABEL, track))
    once_more = sheet_track(rewritten, ONTOLOGY, NAMES, LABEL)
    assert once_more["said"] == again["said"]
    assert track_hash(stored(api_track(once_more, ONTOLOGY, SPECS, LABEL)), NAMES, LABEL) == once_more["hash"]


@given(sheets())
def test_cvats_own_page_shows_the_same(sheet: dict[str, Any]) -> None:
    """Read literally, without holding over `unset`, every keyframe says all that holds."""
    shapes = shapes_from_api({"tracks": [stored(api_track(sheet, ONTOLOGY, SPECS, LABEL))]}, NAMES, LABEL)
    assert all(step.over_unset == () for step in steps(shapes, ONTOLOGY))


def test_what_the_page_knows_nothing_of_stays() -> None:
    sheet = {"seed": "3", "keys": [[0, 0.0, 0.0, 9.0, 9.0, False]], "said": {}}
    track = stored(api_track(sheet, ONTOLOGY, SPECS, LABEL))
    track["shapes"][0]["occluded"] = True
    values = {NAMES[a["spec_id"]]: a for a in track["shapes"][0]["attributes"]}
    values["pose"]["value"] = "kneel"
    track |= {"id": 5, "group": 2, "source": "auto"}
    opened = sheet_track(track, ONTOLOGY, NAMES, LABEL)
    opened["said"]["object"] = [[60, [4]]]
    written = api_track(opened, ONTOLOGY, SPECS, LABEL, track)
    assert (written["id"], written["group"], written["source"]) == (5, 2, "auto")
    assert [shape["occluded"] for shape in written["shapes"]] == [True, True]
    poses = [a["value"] for s in written["shapes"] for a in s["attributes"] if NAMES[a["spec_id"]] == "pose"]
    assert poses == ["kneel", "kneel"]
