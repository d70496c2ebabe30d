"""Whatever annotators do to the pre-drawn tracks, reading back has CVAT's boxes, and what was said last."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ava_core.annotation.reading import content_hash, read_shapes, shapes_from_api
from ava_core.base.schemas import CLIP_FPS
from ava_core.ontology import NONE, UNSET, load_ontology
from ava_core.ontology.form import SEED_TRACK_ATTRIBUTE, fields_of, form_fields, labels_from_values
from tests.support.examples import examples

FRAMES, WIDTH, HEIGHT = 150, 640, 360
ONTOLOGY = load_ontology("street")
FIELDS = {field.name: field.values for field in form_fields(ONTOLOGY)}
SPECS = {name: number for number, name in enumerate([*FIELDS, SEED_TRACK_ATTRIBUTE], start=1)}


class Editor:
    """A job on screen: tracks as an annotator edits them. A keyframe is `{"box", "outside", "values"}`."""

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.tracks: list[dict[str, Any]] = []
        for seed in range(1, 4):
            first = draw.randrange(0, 60)
            self.tracks.append(
                {"seed": str(seed), "keys": {first: self.key(values=dict.fromkeys(FIELDS, UNSET))}}
            )

    def key(self, *, outside: bool = False, values: dict[str, str] | None = None) -> dict[str, Any]:
        x, y = self.draw.uniform(0, 500), self.draw.uniform(0, 200)
        return {"box": [x, y, x + self.draw.uniform(5, 130), y + self.draw.uniform(5, 150)], "outside": outside,
                "values": values or {}}  # fmt: skip

    def edit(self) -> None:
        """One thing that a person can do."""
        what = self.draw.choice(["move", "move", "label", "label", "hide", "split", "delete", "add", "thin"])
        if what == "add" or not self.tracks:
            start = self.draw.randrange(FRAMES)
            self.tracks.append({"seed": "", "keys": {start: self.key(values=dict.fromkeys(FIELDS, UNSET))}})
            return
        track = self.draw.choice(self.tracks)
        keys, frame = track["keys"], self.draw.randrange(min(track["keys"]), FRAMES)
        if what == "move":
            keys[frame] = self.key(values=keys.get(frame, {}).get("values"))
        elif what == "label":
            name = self.draw.choice(list(FIELDS))
            at = keys.setdefault(frame, self.shown_key(track, frame))
            at["values"] = at["values"] | {name: self.draw.choice(FIELDS[name])}
        elif what == "hide":
            keys[frame] = self.shown_key(track, frame) | {"outside": True}
        elif what == "thin" and len(keys) > 1:
            last = max(keys)
            if last != min(keys):
                del keys[last]
        elif what == "split" and frame > min(keys):
            later = {f: key for f, key in keys.items() if f >= frame}
            later[frame] = self.shown_key(track, frame) | {"values": shown(track, frame)[1]}
            track["keys"] = {f: key for f, key in keys.items() if f < frame}
            track["keys"][frame] = later[frame] | {"outside": True}
            self.tracks.append({"seed": track["seed"], "keys": later})
        elif what == "delete":
            self.tracks.remove(track)

    def shown_key(self, track: dict[str, Any], frame: int) -> dict[str, Any]:
        """A keyframe where the track is now: CVAT makes one of what it shows."""
        box, _ = shown(track, frame)
        key = self.key(values=dict(track["keys"].get(frame, {}).get("values", {})))
        return key if box is None else key | {"box": list(box)}

    def content(self) -> dict[str, Any]:
        """What the server would answer: keyframes, attributes carried forward, numbers and order of its own."""
        tracks = []
        for track in self.tracks:
            held: dict[str, str] = {}
            shapes = []
            for frame, key in sorted(track["keys"].items()):
                held = held | key["values"]
                attributes = [{"spec_id": SPECS[name], "value": value} for name, value in held.items()]
                shapes.append({"frame": frame, "type": "rectangle", "points": key["box"],
                               "outside": key["outside"], "attributes": attributes})  # fmt: skip
            identity = [{"spec_id": SPECS[SEED_TRACK_ATTRIBUTE], "value": track["seed"]}]
            tracks.append({"id": self.draw.randrange(10**6), "label_id": 1, "frame": min(track["keys"]),
                           "shapes": shapes, "attributes": identity})  # fmt: skip
        self.draw.shuffle(tracks)
        return {"version": 0, "tags": [], "shapes": [], "tracks": tracks}


def shown(track: dict[str, Any], frame: int) -> tuple[np.ndarray | None, dict[str, str]]:
    """What CVAT shows of a track at a frame: played from its beginning, side by side interpolated by numpy."""
    keys = track["keys"]
    visible, values, begun = False, {}, -1
    for now in range(frame + 1):
        if now in keys:
            visible, begun = not keys[now]["outside"], now
            values = values | keys[now]["values"]
    if not visible:
        return None, values
    ahead = [f for f in sorted(keys) if f > begun]
    # A hidden keyframe, too, says where the box goes until there.
    way = [begun, *ahead[:1]]
    sides = np.array([keys[f]["box"] for f in way])
    return np.array([np.interp(frame, way, sides[:, side]) for side in range(4)]), values


def said_last(track: dict[str, Any], frame: int) -> dict[str, str]:
    """The values last said: `unset` says nothing; a new `none`, alone in the first slot, ends its group."""
    last: dict[str, str] = {}
    before: dict[str, str] = {}
    for now in sorted(f for f in track["keys"] if f <= frame):
        literal = before | track["keys"][now]["values"]
        for group in ONTOLOGY.groups:
            own = {name: literal[name] for name in fields_of(group) if literal.get(name, UNSET) != UNSET}
            first = fields_of(group)[0]
            none_of_these = own == {first: NONE} and before.get(first) != NONE
            last |= dict.fromkeys(fields_of(group), NONE) if none_of_these else own
        before = literal
    return last


@given(seed=st.integers(0, 10**6), edits=st.integers(0, 40))
@examples(150)
def test_reading_back_says_what_is_shown(seed: int, edits: int) -> None:
    editor = Editor(random.Random(seed))
    for _ in range(edits):
        editor.edit()
    shapes = shapes_from_api(editor.content(), {number: name for name, number in SPECS.items()})
    boxes, labels = read_shapes(
        shapes, ONTOLOGY, frames=FRAMES, width=WIDTH, height=HEIGHT, predrawn=[]
    )  # fmt: skip
    wanted, found = [], []
    for track in editor.tracks:
        for second in range(FRAMES // CLIP_FPS):
            box, _ = shown(track, second * CLIP_FPS)
            if box is not None:
                clipped = np.clip(box, 0, [WIDTH, HEIGHT, WIDTH, HEIGHT])
                said = sorted(labels_from_values(ONTOLOGY, said_last(track, second * CLIP_FPS))[0].items())
                wanted.append((second, *clipped.round(6), repr(said)))
    for box in boxes:
        same = (
            row for row in labels if (row["track_key"], row["second"]) == (box["track_key"], box["second"])
        )
        said = sorted((row["group"], row["action_ids"]) for row in same)
        corners = np.array([box["x1"], box["y1"], box["x2"], box["y2"]]).round(6)
        found.append((box["second"], *corners, repr(said)))
    assert _rounded(found) == _rounded(wanted)


def _rounded(rows: list[Any]) -> list[Any]:
    return sorted((second, *(round(float(side), 4) for side in sides), said) for second, *sides, said in rows)


@given(seed=st.integers(0, 10**6))
@examples(40)
def test_the_same_work_has_the_same_hash_whatever_the_servers_numbers(seed: int) -> None:
    editor = Editor(random.Random(seed))
    for _ in range(10):
        editor.edit()
    names = {number: name for name, number in SPECS.items()}
    first, second = (content_hash(shapes_from_api(editor.content(), names)) for _ in range(2))
    assert first == second
    before = [dict(track["keys"]) for track in editor.tracks]
    editor.tracks.append({"seed": "", "keys": {0: editor.key()}})
    assert content_hash(shapes_from_api(editor.content(), names)) != first
    assert [dict(track["keys"]) for track in editor.tracks][:-1] == before


@pytest.mark.parametrize("edits", [0, 25])
def test_the_editor_does_what_it_says(edits: int) -> None:
    """The model is worth nothing where all it makes is hidden or empty."""
    editor = Editor(random.Random(7))
    for _ in range(edits):
        editor.edit()
    seen = [shown(track, frame)[0] is not None for track in editor.tracks for frame in range(0, FRAMES, 30)]
    assert any(seen)
    assert not all(seen)
