"""Whatever a file holds, importing it ends in a dataset or in one sentence."""

from __future__ import annotations

import pickle
import re
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ava_core.base.errors import AvaError
from ava_core.dataset.importing.ava import import_ava
from ava_core.dataset.importing.cvat_xml import import_cvat_xml
from ava_core.dataset.importing.imported import Imported, write_import
from ava_core.dataset.importing.older_csv import import_older_csv
from ava_core.ontology import load_ontology

STREET = load_ontology("street")
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

XML = """<?xml version="1.0" encoding="utf-8"?><annotations><version>1.1</version><meta><task><id>7</id>
<name>gate.mp4</name><size>450</size><mode>interpolation</mode><start_frame>0</start_frame><overlap>5</overlap>
<frame_filter>step=1</frame_filter><deleted_frames><frame>120</frame></deleted_frames>
<assignee><username>ann</username></assignee><original_size><width>640</width><height>360</height></original_size>
</task></meta><track id="0" label="person"><box frame="90" keyframe="1" outside="0" xtl="9" ytl="9" xbr="99" ybr="99"
rotation="10"><attribute name="walking_behavior">jogging</attribute></box><ellipse frame="150" outside="1" cx="9" cy="9"
rx="9" ry="9"/></track><image id="3" width="640" height="360" name="f.jpg"><polygon label="person"
points="1,1;9,9;9,1"/></image></annotations>"""
OLDER = "video_id,timestamp,x1,y1,x2,y2,action_id,person_id\n"
OLDER += "1_clip_000_ann,2,10,10,60,110,1,1\nv,3,0.1,0.1,0.5,0.5,1,-1\n"
ROWS = "gate_000,0904,0.100,0.200,0.300,0.900,1,1\ngate_000,0905,0.100,0.200,0.300,0.900,1,1\n"
LABELS = 'item {\n  name: "stand"\n  id: 1\n}\n'
FRAMES = 'original_vido_id video_id frame_id path labels\ngate_000 0 0 gate_000/gate_000_000001.jpg ""\n'
PREDICTED = "gate_000,0904,0.100,0.200,0.300,0.900,,0.9\n"
EXCLUDED = "gate_000,0905\n"

ODD = st.one_of(
    st.sampled_from(
        ["", "nan", "-inf", "1e308", "-1", "0", "99999999999999999999", "2147483647", "0.5", "7,7", "\x00", "²", "é",
         '"', "../..", "/", "<", "\r", "true", "9" * 5000, "a" * 400, "annotation", "box", "skeleton"]
    ),
    st.text(max_size=5),
)  # fmt: skip


@st.composite
def altered(draw: st.DrawFn, text: str) -> bytes:
    """The text with a few of its words or numbers replaced, repeated or cut off, or other bytes altogether."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    words = re.findall(r"[\w.-]+|[^\w.-]+", text)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(len(words) - 1, 0)))
        kind = draw(st.integers(0, 5))
        if kind < 4:
            words[place : place + 1] = [draw(ODD)]
        elif kind == 4:
            words[place:place] = words[place : place + draw(st.integers(1, 30))]
        else:
            del words[place : place + draw(st.integers(1, 30))]
    raw = "".join(words).encode("utf-8", "surrogatepass")
    return raw[: draw(st.integers(0, len(raw)))] if draw(st.integers(0, 9)) == 0 else raw


def ends_well(make: Callable[[Path], Imported]) -> None:
    """A dataset, written or refused; or refused before."""
    with tempfile.TemporaryDirectory() as folder, suppress(AvaError):
        write_import(Path(folder) / "out", make(Path(folder)), ["ava"])


@FEW
@given(altered(XML), st.sampled_from(["a.xml", "a.zip"]))
def test_cvat_xml(content: bytes, name: str) -> None:
    def make(folder: Path) -> Imported:
        (folder / name).write_bytes(content)
        return import_cvat_xml([folder / name], STREET)

    ends_well(make)


@FEW
@given(st.binary(min_size=1, max_size=8), st.integers(0, 300))
def test_a_zip_with_damaged_bytes(junk: bytes, place: int) -> None:
    def make(folder: Path) -> Imported:
        with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("annotations.xml", XML)
        raw = (folder / "a.zip").read_bytes()
        (folder / "a.zip").write_bytes(raw[:place] + junk + raw[place + len(junk) :])
        return import_cvat_xml([folder / "a.zip"], STREET)

    ends_well(make)


@FEW
@given(altered(OLDER))
def test_an_older_csv(content: bytes) -> None:
    def make(folder: Path) -> Imported:
        (folder / "a.csv").write_bytes(content)
        return import_older_csv(folder / "a.csv", STREET)

    ends_well(make)


@FEW
@given(st.integers(0, 4), st.data())
def test_an_ava_dataset(broken: int, data: st.DataObject) -> None:
    files = {
        "annotations/ava_train_v2.2.csv": ROWS, "annotations/ava_action_list_v2.2.pbtxt": LABELS,
        "frame_lists/train.csv": FRAMES, "annotations/ava_train_predicted_boxes.csv": PREDICTED,
        "annotations/ava_train_excluded_timestamps_v2.2.csv": EXCLUDED,
    }  # fmt: skip
    content = {name: text.encode() for name, text in files.items()}
    name, text = list(files.items())[broken]
    content[name] = data.draw(altered(text))

    def make(folder: Path) -> Imported:
        for each, raw in content.items():
            (folder / "in" / each).parent.mkdir(parents=True, exist_ok=True)
            (folder / "in" / each).write_bytes(raw)
        return import_ava(folder / "in")

    ends_well(make)


def test_proposals_that_lie_in_a_pickle_alone_are_taken_over(tmp_path: Path) -> None:
    place = tmp_path / "mine"
    place.mkdir()
    (place / "train.csv").write_text("hall,0902,0.1,0.1,0.5,0.9,12,0\n")
    boxes = {
        "hall,0902": np.array([[0.1, 0.1, 0.5, 0.9, 0.95]]),
        "hall,x": np.zeros((1, 5)),
        "hall,0903": [[1]],
    }
    (place / "dense_proposals_train.pkl").write_bytes(pickle.dumps(boxes, protocol=2))
    imported = import_ava(place, load_ontology("ava80"), size=(100, 200))
    assert imported.dataset.proposals.select("clip_id", "second", "x1", "y2", "score").rows() == [
        ("hall", 2, 10.0, 180.0, 0.95)
    ]
