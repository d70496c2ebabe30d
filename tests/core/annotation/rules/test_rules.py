"""Rules on raw annotations: what is found, what is let pass, and files that are refused."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from ava_core.annotation.rules import broken_rules, load_rules
from ava_core.annotation.rules.load import parse_rules
from ava_core.base.errors import InputError
from ava_core.base.schemas import HELD_ANSWERS, RAW_BOXES, RAW_LABELS, RULE_FINDINGS
from ava_core.ontology import Ontology, load_ontology

PAGES = {7: "http://cvat/tasks/3/jobs/7"}


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return load_ontology("street")


def work(ontology: Ontology, *people: dict[str, Any]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Tables of people at keyframes: `key`, `second`, `size` (width, height), `does` (names of actions)."""
    ids = {action.name: action.id for action in ontology.actions}
    boxes, labels = [], []
    for person in people:
        where = {
            "clip_id": "c", "annotator": person.get("by", "mia"), "job_id": person.get("job", 7), "version": 1,
            "track_key": person.get("key", "t1"), "second": person.get("second", 2),
        }  # fmt: skip
        width, height = person.get("size", (50.0, 100.0))
        boxes.append(where | {"x1": 5.0, "y1": 5.0, "x2": 5.0 + width, "y2": 5.0 + height, "edited": False})
        for name in person.get("does", ()):
            group = ontology.group_of(ids[name]).name
            labels.append(where | {"group": group, "action_ids": [ids[name]]})
        labels.append(where | {"group": "phone_usage", "action_ids": []})
    return pl.DataFrame(boxes, schema=dict(RAW_BOXES)), pl.DataFrame(labels, schema=dict(RAW_LABELS))


def found(ontology: Ontology, *people: dict[str, Any], rules: str = "") -> list[tuple[str, str, str]]:
    chosen = parse_rules(rules, "own.yaml", ontology) if rules else load_rules("", ontology)
    table = broken_rules(*work(ontology, *people), chosen, ontology, PAGES)
    assert dict(table.schema) == dict(RULE_FINDINGS)
    return table.select("severity", "rule", "detail").rows()


def test_ordinary_work_breaks_no_rule(ontology: Ontology) -> None:
    usual = ["normal_walk", "no_phone", "alone", "empty_hands", "sidewalk_walking", "upright_normal",
             "casual_wear", "leisure_time"]  # fmt: skip
    assert found(ontology, {"does": usual}) == []
    assert found(ontology) == []


@pytest.mark.parametrize(("size", "broken"), [((20.0, 49.9), True), ((20.0, 50.0), False)])
def test_a_tiny_box_blocks(ontology: Ontology, size: tuple[float, float], broken: bool) -> None:
    assert found(ontology, {"size": size}) == ([("block", "tiny_box", "998 px²")] if broken else [])


def test_more_than_four_active_labels_are_flagged(ontology: Ontology) -> None:
    four = ["jogging", "texting", "backpack", "looking_around"]
    assert found(ontology, {"does": four}) == []
    [(severity, rule, detail)] = found(ontology, {"does": [*four, "looking_down"]})
    assert (severity, rule) == ("flag", "too_many_labels")
    assert detail == "5 active: backpack, jogging, looking_around, looking_down, texting"


def test_labels_that_exclude_each_other_block(ontology: Ontology) -> None:
    both = {"does": ["standing_still", "crossing_street"]}
    assert found(ontology, both) == [("block", "still_while_crossing", "crossing_street with standing_still")]
    apart = [{"does": ["standing_still"], "second": 1}, {"does": ["crossing_street"], "second": 2}]
    assert found(ontology, *apart) == []


def test_a_companion_is_another_person_in_the_same_picture_and_the_same_work(ontology: Ontology) -> None:
    talks = {"does": ["talking_companion"]}
    [alone] = found(ontology, talks)
    assert alone[:2] == ("flag", "talks_to_nobody")
    assert found(ontology, talks, talks | {"key": "t2"}) == []
    elsewhere = [talks | {"key": "t2", "second": 3}, talks | {"key": "t2", "by": "tom", "job": 8}]
    for other in elsewhere:
        assert len(found(ontology, talks, other)) == 2, "each of the two is alone where it is"


def test_a_companion_on_the_same_person(ontology: Ontology) -> None:
    rules = """
name: own
rules:
  - {id: needs_bag, kind: companion, severity: block, of: same_person,
     actions: [window_shopping], needs: [shopping_bags, backpack]}
"""
    assert found(ontology, {"does": ["window_shopping", "backpack"]}, rules=rules) == []
    other = [{"does": ["window_shopping"]}, {"does": ["backpack"], "key": "t2"}]
    assert found(ontology, *other, rules=rules) == [
        ("block", "needs_bag", "window_shopping without shopping_bags or backpack")
    ]


def test_a_finding_opens_the_right_frame(ontology: Ontology) -> None:
    people = [{"size": (3.0, 3.0), "second": 4}, {"size": (3.0, 3.0), "job": 99, "by": "tom"}]
    table = broken_rules(*work(ontology, *people), load_rules("", ontology), ontology, PAGES)
    rows = table.select("annotator", "second", "frame", "link").rows()
    assert rows == [("mia", 4, 120, "http://cvat/tasks/3/jobs/7?frame=120"), ("tom", 2, 60, "")]
    assert table["say"].n_unique() == 1
    assert "make the box fit" in table["say"][0]


@pytest.mark.parametrize("name", ["street", "ava80"])
def test_every_shipped_ontology_has_rules(name: str) -> None:
    assert {rule.id for rule in load_rules("", load_ontology(name)).rules} >= {"tiny_box", "too_many_labels"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not YAML"),
        ("name: x", "rules: Field required"),
        ("name: x\nrules: [{id: a, kind: min_area, severity: block, least_px: 0}]", "rules.0.min_area.least_px"),
        ("name: x\nrules: [{id: a, kind: other, severity: block}]", "rules.0"),
        ("name: x\nrules: [{id: a, kind: min_area, severity: stop, least_px: 9}]", "severity"),
        ("name: x\nrules: [{id: a, kind: min_area, severity: flag, least_px: 9, moer: 1}]", "moer"),
        ("name: x\nrules: [{id: a, kind: exclusive, severity: flag, actions: [jogging, flying]}]", "'flying'"),
        ("name: x\nrules: [{id: a, kind: min_area, severity: flag, least_px: 9}, "
         "{id: a, kind: min_area, severity: block, least_px: 5}]", "two rules are called 'a'"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_meant_is_refused(ontology: Ontology, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_rules(text, "own.yaml", ontology)
    with pytest.raises(InputError, match=r"own\.yaml"):
        parse_rules(text, "own.yaml", ontology)


def test_answers_that_hold_over_unset_are_noted_once_a_person(ontology: Ontology) -> None:
    people = [
        {"key": key, "second": second, "does": ["jogging"]} for key in ("t1", "t2") for second in range(4)
    ]
    boxes, labels = work(ontology, *people)
    where = {"clip_id": "c", "annotator": "mia", "job_id": 7, "version": 1, "track_key": "t2"}
    groups = ("walking_behavior", "phone_usage")
    held = [where | {"second": second, "group": group} for second in (2, 3) for group in groups]
    table = pl.DataFrame(held, schema=dict(HELD_ANSWERS))
    found = broken_rules(boxes, labels, load_rules("", ontology), ontology, PAGES, table)
    [note] = found.filter(pl.col("rule") == "labels_vanish").to_dicts()
    assert (note["severity"], note["track_key"], note["second"], note["frame"]) == ("note", "t2", 2, 60)
    assert note["detail"] == "answered before, holds over unset until second 3: phone_usage, walking_behavior"
