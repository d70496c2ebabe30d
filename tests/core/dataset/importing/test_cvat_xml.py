"""CVAT XML 1.1: tracks and pictures, copies by several people, both rates."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import polars as pl
import pytest

from ava_core.base.errors import InputError
from ava_core.dataset.formats.cvat_xml.reader import read_cvat_xml
from ava_core.dataset.importing.cvat_xml import import_cvat_xml
from ava_core.ontology import Ontology, load_ontology

META = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta><task><id>7</id><name>{name}</name><size>{size}</size><mode>interpolation</mode>
<assignee><username>{who}</username><email></email></assignee>
<original_size><width>640</width><height>360</height></original_size></task></meta>{body}</annotations>"""

BOX = (
    '<box frame="{frame}" keyframe="{key}" outside="{outside}" occluded="0" xtl="{x}" ytl="10.00" xbr="{x2}" '
    'ybr="110.00" z_order="0">{attributes}</box>'
)


def box(frame: int, x: float, *, key: int = 1, outside: int = 0, **said: str) -> str:
    attributes = "".join(f'<attribute name="{name}">{value}</attribute>' for name, value in said.items())
    return BOX.format(frame=frame, key=key, outside=outside, x=x, x2=x + 50, attributes=attributes)


def track(*boxes: str) -> str:
    return f'<track id="0" label="person" source="manual">{"".join(boxes)}</track>'


def export(path: Path, body: str, who: str = "ann", name: str = "street_1.mp4", size: int = 450) -> Path:
    path.write_text(META.format(name=name, who=who, size=size, body=body))
    return path


@pytest.fixture
def ontology() -> Ontology:
    return load_ontology("street")


def test_a_track_moves_between_keyframes_and_ends_where_it_goes_outside(
    tmp_path: Path, ontology: Ontology
) -> None:
    body = track(
        box(60, 100, walking_behavior="normal_walk", phone_usage="unset"),
        box(75, 999, key=0, walking_behavior="normal_walk"),
        box(120, 160, walking_behavior="jogging"),
        box(150, 160, outside=1, walking_behavior="jogging"),
    )
    imported = import_cvat_xml([export(tmp_path / "a.xml", body)], ontology)
    rows = imported.dataset.rows
    assert rows.select("timestamp", "action_id").rows() == [(902, 1), (903, 1), (904, 5)]
    assert (rows["x1"] * 640).round(1).to_list() == [100, 130, 160]
    assert rows["video_id"].unique().to_list() == ["street_1"]
    assert imported.work["completed_jobs"]["annotator"].to_list() == ["ann"]


def test_copies_of_a_clip_come_to_a_consensus(tmp_path: Path, ontology: Ontology) -> None:
    paths = [
        export(
            tmp_path / f"{who}.xml", track(box(60, 100, walking_behavior=said), box(300, 100, outside=1)), who
        )
        for who, said in (("ann", "jogging"), ("ben", "jogging"), ("cat", "slow_walk"))
    ]
    imported = import_cvat_xml(paths, ontology)
    assert imported.dataset.rows["action_id"].unique().to_list() == [5]
    assert imported.dataset.rows["timestamp"].to_list() == list(range(902, 910))
    assert imported.agreement["overall"].filter(pl.col("statistic") == "pooled_alpha")["n"].item() > 0


def test_pictures_of_whole_seconds_and_the_zip_that_cvat_sends(tmp_path: Path, ontology: Ontology) -> None:
    images = "".join(
        f'<image id="{n}" name="f_{n:04d}.jpg" width="640" height="360"><box label="person" xtl="10" ytl="10" '
        f'xbr="60" ybr="110" occluded="0"><attribute name="walking_behavior">jogging</attribute></box></image>'
        for n in range(15)
    )
    export(tmp_path / "annotations.xml", images, size=15)
    with ZipFile(tmp_path / "task.zip", "w") as archive:
        archive.write(tmp_path / "annotations.xml", "annotations.xml")
    imported = import_cvat_xml([tmp_path / "task.zip"], ontology, index_fps=1)
    assert imported.dataset.rows["timestamp"].to_list() == list(range(902, 914))
    assert imported.dataset.clips["frames"].to_list() == [450]


def test_attributes_that_the_ontology_does_not_know_are_listed(tmp_path: Path, ontology: Ontology) -> None:
    body = track(box(60, 100, walking_behavior="moonwalk", phone_usage="texting"), box(120, 100, outside=1))
    imported = import_cvat_xml([export(tmp_path / "a.xml", body)], ontology)
    assert imported.dataset.rows["action_id"].unique().to_list() == [9]
    assert [repair.defect for repair in imported.repairs] == ["invalid value:walking behavior"]


def test_a_copy_may_be_given_its_annotator(tmp_path: Path) -> None:
    path = export(tmp_path / "a.xml", track(box(60, 100)))
    (copy,) = read_cvat_xml(path, "dora")
    assert (copy.annotator, copy.frames, copy.width) == ("dora", 450, 640)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("hello", "is not XML"),
        ("<annotations><version>2.0</version></annotations>", r"is not CVAT XML 1\.1"),
        ("<annotations><version>1.1</version></annotations>", "names no task"),
    ],
)
def test_what_is_no_export_is_refused(tmp_path: Path, ontology: Ontology, content: str, reason: str) -> None:
    path = tmp_path / "a.xml"
    path.write_text(content)
    with pytest.raises(InputError, match=reason):
        import_cvat_xml([path], ontology)
    (tmp_path / "a.zip").write_bytes(b"no zip")
    with pytest.raises(InputError, match=r"holds no annotations\.xml"):
        import_cvat_xml([tmp_path / "a.zip"], ontology)


def test_entities_are_not_expanded(tmp_path: Path, ontology: Ontology) -> None:
    path = tmp_path / "a.xml"
    path.write_text('<!DOCTYPE a [<!ENTITY b "c">]><annotations><version>&b;</version></annotations>')
    with pytest.raises(InputError, match="declares entities"):
        import_cvat_xml([path], ontology)
