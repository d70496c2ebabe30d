"""CVAT XML as people have it: taken as it is meant, left out with its place, or asked about; never a wrong box."""

from __future__ import annotations

from pathlib import Path

import pytest

from ava_core.base.errors import InputError
from ava_core.dataset.importing.cvat_xml import import_cvat_xml
from ava_core.dataset.importing.imported import Imported
from ava_core.ontology import load_ontology

SAID = '<attribute name="walking_behavior">jogging</attribute>'
STREET = load_ontology("street")


def task(name: str = "street_1.mp4", who: str = "ann", tag: str = "task", **more: object) -> str:
    facts = {"id": 7, "name": name, "size": 450, "mode": "interpolation"} | more
    size = facts.pop("picture", (640, 360))
    text = "".join(f"<{key}>{value}</{key}>" for key, value in facts.items())
    width, height = size  # type: ignore[misc]
    return (
        f"<{tag}>{text}<assignee><username>{who}</username></assignee>"
        f"<original_size><width>{width}</width><height>{height}</height></original_size></{tag}>"
    )


def box(
    frame: int, x: object = 100, *, outside: int = 0, extra: str = "", y: int = 50, high: int = 160
) -> str:
    right = x + 60 if isinstance(x, int) else x
    return (
        f'<box frame="{frame}" keyframe="1" outside="{outside}" xtl="{x}" ytl="{y}" xbr="{right}" ybr="{y + high}"'
        f"{extra}>{SAID}</box>"
    )


def track(*shapes: str, label: str = "person", number: int = 0, extra: str = "") -> str:
    return f'<track id="{number}" label="{label}"{extra}>{"".join(shapes)}</track>'


def export(path: Path, body: str, meta: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"<annotations><version>1.1</version><meta>{meta or task()}</meta>{body}</annotations>")
    return path


def taken(*paths: Path, **said: object) -> Imported:
    return import_cvat_xml(paths, STREET, **said)  # type: ignore[arg-type]


def listed(imported: Imported) -> dict[str, str]:
    return {repair.defect: repair.repair for repair in imported.repairs}


def places(imported: Imported) -> list[tuple[str, tuple[float, ...]]]:
    """The seconds with the box there, in pixels of 640 × 360."""
    rows = imported.dataset.rows.sort("timestamp", "person_id").rows()
    return [
        (row[1] - 900, tuple(round(side * of) for side, of in zip(row[2:6], (640, 360) * 2, strict=True)))
        for row in rows
    ]  # type: ignore[misc]


PERSON = track(box(90), box(150, outside=1))
SEEN = [(3, (100, 50, 160, 210)), (4, (100, 50, 160, 210))]


@pytest.mark.parametrize(
    ("shape", "corners", "defect"),
    [
        (
            '<box {at} xtl="290" ytl="100" xbr="350" ybr="260" rotation="90.00">',
            (240, 150, 400, 210),
            "rotated boxes",
        ),
        ('<polygon {at} points="100.0,50.0;160.0,60.0;130.0,210.0">', (100, 50, 160, 210), "polygons"),
        ('<mask {at} rle="1, 2" left="100" top="50" width="60" height="160">', (100, 50, 160, 210), "masks"),
        ('<ellipse {at} cx="130" cy="130" rx="30" ry="80">', (100, 50, 160, 210), "ellipses"),
        ('<ellipse {at} cx="130" cy="130" rx="80" ry="30" rotation="90">', (100, 50, 160, 210), "ellipses"),
    ],
)
def test_what_outlines_a_person_gives_the_box_around_it(
    tmp_path: Path, shape: str, corners: tuple[int, ...], defect: str
) -> None:
    tag = shape[1:].split()[0]
    shapes = [
        shape.format(at=f'frame="{frame}" keyframe="1" outside="{outside}"') + f"{SAID}</{tag}>"
        for frame, outside in ((90, 0), (150, 1))
    ]
    imported = taken(export(tmp_path / "a.xml", track(*shapes)))
    assert places(imported) == [(3, corners), (4, corners)]
    assert listed(imported) == {defect: "the upright box around them is taken"}
    assert imported.repairs[0].place.startswith(f"{tmp_path.name}/a.xml, track 0, frame 90")


@pytest.mark.parametrize(
    "shape",
    [
        '<points frame="90" keyframe="1" outside="0" points="1,2;3,4"></points>',
        '<polyline frame="90" keyframe="1" outside="0" points="1,2;3,4"></polyline>',
        '<skeleton frame="90" keyframe="1"><points label="nose" outside="0" points="1,2"></points></skeleton>',
        '<cuboid frame="90" keyframe="1" xtl1="1"></cuboid>',
        '<polygon frame="90" keyframe="1" points=""></polygon>',
        '<polygon frame="90" keyframe="1" points="1,2;3"></polygon>',
        '<mask frame="90" keyframe="1" left="1"></mask>',
        box(90, "nan"),
        box(90, "-inf"),
        box(90, "1e300"),
        box(90, ""),
        '<box frame="ninety" xtl="1" ytl="1" xbr="9" ybr="9"></box>',
        '<box xtl="1" ytl="1" xbr="9" ybr="9"></box>',
    ],
)
def test_what_gives_no_box_is_left_out_with_its_place(tmp_path: Path, shape: str) -> None:
    imported = taken(export(tmp_path / "a.xml", PERSON + track(shape, number=5)))
    assert places(imported) == SEEN
    [repair] = imported.repairs
    assert (repair.repair, repair.rows) == ("left out", 1)
    assert "a.xml, track 5, frame " in repair.place


def test_a_keyframe_that_is_left_out_does_not_end_its_track(tmp_path: Path) -> None:
    shapes = (box(60), box(90, "nan"), box(120, "nan", outside=1), box(180), box(210, outside=1))
    assert [second for second, _ in places(taken(export(tmp_path / "a.xml", track(*shapes))))] == [2, 3, 6]


def test_other_labels_are_left_out(tmp_path: Path) -> None:
    imported = taken(export(tmp_path / "a.xml", PERSON + track(box(90), label="car", number=1)))
    assert places(imported) == SEEN
    assert listed(imported) == {"shapes labelled 'car'": "left out"}


def test_another_word_for_people_is_said_where_it_is_clear_and_asked_for_where_it_is_not(
    tmp_path: Path,
) -> None:
    people = PERSON.replace('"person"', '"Pedestrian"')
    imported = taken(export(tmp_path / "a.xml", people))
    assert places(imported) == SEEN
    assert listed(imported) == {"no label 'person'": "shapes labelled 'Pedestrian' are taken for people"}
    both = export(tmp_path / "b.xml", people + track(box(90), label="car", number=1))
    with pytest.raises(InputError, match=r"there are 'Pedestrian', 'car'.*--label"):
        taken(both)
    assert places(taken(both, label="pedestrian")) == SEEN


@pytest.mark.parametrize(
    ("facts", "seconds"),
    [
        ({"start_frame": 300, "stop_frame": 749}, [3, 4]),
        ({"start_frame": 300, "size": 90, "frame_filter": "step=5"}, [3, 4]),
        ({"start_frame": 300, "size": "", "stop_frame": 749}, [3, 4]),
    ],
)
def test_frames_count_from_the_first_one_of_the_task(
    tmp_path: Path, facts: dict[str, object], seconds: list[int]
) -> None:
    imported = taken(export(tmp_path / "a.xml", track(box(390), box(450, outside=1)), task(**facts)))
    assert [second for second, _ in places(imported)] == seconds
    assert imported.dataset.clips["frames"].to_list() == [450]


def test_a_second_whose_frame_was_deleted_is_left_out(tmp_path: Path) -> None:
    imported = taken(export(tmp_path / "a.xml", PERSON, task(deleted_frames="<frame>120</frame>")))
    assert places(imported) == SEEN[:1]
    assert imported.dataset.disputed["second"].to_list() == [4]
    assert "seconds whose frame was deleted in CVAT" in listed(imported)


@pytest.mark.parametrize("shapes", [(box(60), box(92), box(93, outside=1)), (box(60), box(93, outside=1))])
def test_a_person_whom_the_end_of_a_job_cut_in_two_is_one(tmp_path: Path, shapes: tuple[str, ...]) -> None:
    cut = track(*shapes) + track(box(88), box(150, outside=1), number=1)
    imported = taken(export(tmp_path / "a.xml", cut))
    assert [second for second, _ in places(imported)] == [2, 3, 4]
    assert imported.dataset.rows["person_id"].n_unique() == 1
    assert listed(imported) == {"tracks cut where two jobs overlap": "joined"}
    elsewhere = cut.replace(box(88), box(88, 400))
    assert [second for second, _ in places(taken(export(tmp_path / "b.xml", elsewhere)))] == [2, 3, 3, 4]


def test_a_person_through_several_jobs_is_one(tmp_path: Path) -> None:
    parts = [track(box(n * 58), box(n * 58 + 63, outside=1), number=n) for n in range(5)]
    imported = taken(export(tmp_path / "a.xml", "".join(parts)))
    assert [second for second, _ in places(imported)] == [2, 3, 4, 5, 6, 7, 8, 9]
    assert imported.dataset.rows["person_id"].n_unique() == 1


def test_two_exports_of_one_person_are_a_question(tmp_path: Path) -> None:
    paths = [export(tmp_path / name, PERSON) for name in ("a.xml", "a (1).xml")]
    with pytest.raises(
        InputError, match=r"a\.xml and .*a \(1\)\.xml are both street_1\.mp4 by ann: which conflicts"
    ):
        taken(*paths)
    imported = taken(*paths, annotators={paths[1]: "ben"})
    assert imported.work["completed_jobs"]["annotator"].to_list() == ["ann", "ben"]


def test_files_that_are_called_alike_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    paths = [export(tmp_path / who / "annotations.xml", PERSON, task(who="")) for who in ("p1", "p2")]
    imported = taken(*paths)
    assert imported.work["completed_jobs"]["annotator"].to_list() == ["p1", "p2"]
    assert "exports without an assignee" in listed(imported)


def test_jobs_that_do_not_name_their_clip_are_a_question(tmp_path: Path) -> None:
    paths = [
        export(tmp_path / "gate" / f"{who}.xml", PERSON, task(name="", who=who, tag="job"))
        for who in ("ann", "ben")
    ]
    with pytest.raises(InputError, match=r"name no task.*--clip-from"):
        taken(*paths)
    assert taken(*paths, clip_from="folder").dataset.clips["clip_id"].to_list() == ["gate"]
    assert taken(*paths, clip_from="file").dataset.clips["clip_id"].to_list() == ["ann", "ben"]


def test_clips_in_any_script_stay_apart(tmp_path: Path) -> None:
    imported = taken(
        export(tmp_path / "a.xml", PERSON, task("前门.mp4")),
        export(tmp_path / "b.xml", PERSON, task("后院.mp4")),
    )
    assert imported.dataset.clips.height == 2
    assert len(places(imported)) == 4


def test_every_task_has_its_own_size(tmp_path: Path) -> None:
    large = (
        PERSON.replace('"50"', '"100"')
        .replace('"100" y', '"200" y')
        .replace('"160"', '"320"')
        .replace('"210"', '"420"')
    )
    paths = [
        export(tmp_path / "a.xml", PERSON),
        export(tmp_path / "b.xml", large, task(who="ben", picture=(1280, 720))),
    ]
    imported = taken(*paths)
    assert places(imported) == SEEN
    assert "copies of other sizes of one clip" in listed(imported)
    with pytest.raises(InputError, match="show different videos"):
        taken(paths[0], export(tmp_path / "c.xml", PERSON, task(who="cat", picture=(640, 480))))


def test_pictures_are_whole_seconds_unless_said_otherwise(tmp_path: Path) -> None:
    drawn = (
        f'<box label="person" xtl="100" ytl="50" xbr="160" ybr="210">{SAID}</box><tag label="person"></tag>'
    )
    pictures = "".join(
        f'<image id="{n}" name="f{n}.jpg" width="640" height="360">{drawn}</image>' for n in range(6)
    )
    path = export(tmp_path / "a.xml", pictures, task(size=6, mode="annotation"))
    imported = taken(path)
    assert [second for second, _ in places(imported)] == [2, 3, 4]
    assert listed(imported).keys() == {
        "pictures' boxes, which belong to no track", "pictures without a time", "shapes of the kind tag",
    }  # fmt: skip
    imported = taken(path, index_fps=30)
    assert places(imported) == []
    assert "tracks that are seen at no whole second" in listed(imported)


def test_what_belongs_to_no_task_is_refused(tmp_path: Path) -> None:
    meta = f"<project><tasks>{task('s1.mp4')}{task('s2.mp4', id=8)}</tasks></project>"
    with pytest.raises(InputError, match="track 0 does not name its task"):
        taken(export(tmp_path / "a.xml", PERSON, meta))
    both = track(box(90), extra=' task_id="7"') + track(box(120), extra=' task_id="8"')
    assert taken(export(tmp_path / "b.xml", both, meta)).dataset.rows["video_id"].n_unique() == 2


def test_values_and_lengths_that_do_not_fit_are_listed(tmp_path: Path) -> None:
    strange = box(90).replace(SAID, SAID + '<attribute name="gait">limping</attribute>')
    imported = taken(export(tmp_path / "a.xml", track(strange, box(90), box(500, outside=0)), task(size="")))
    assert listed(imported).keys() == {
        "tasks that do not say their size",
        "shapes at a frame where the track has another one",
        "attribute 'gait', which ontology street does not know",
    }
    beyond = taken(export(tmp_path / "b.xml", track(box(90), box(500))))
    assert listed(beyond) == {"shapes before or beyond the frames of their task": "not seen"}
    with pytest.raises(InputError, match="more than a day"):
        taken(export(tmp_path / "c.xml", PERSON, task(size=2_000_000_000)))
