"""Ontologies: what ships, what is refused and with which words, the form in CVAT, the label maps."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ava_core.base.errors import OntologyError
from ava_core.ontology import NONE, UNSET, check_successor, load_ontology, shipped_ontologies
from ava_core.ontology.form import (
    SEED_TRACK_ATTRIBUTE,
    cvat_labels,
    form_fields,
    labels_from_values,
    values_from_labels,
)
from ava_core.ontology.load import parse_ontology

GOOD = """\
name: tiny
version: 1
retired: [9]
groups:
  - name: pose
    kind: exclusive
    actions:
      - {id: 1, name: stand}
      - {id: 2, name: "carry/hold (a bag, e.g.)"}
  - name: object
    kind: multi
    max_active: 2
    actions:
      - {id: 3, name: phone, hotkey: p, minimum_alpha: 0.4}
      - {id: 4, name: bag}
      - {id: 5, name: bike}
"""


def test_street_and_ava80_ship():
    assert shipped_ontologies() == ["ava80", "street"]


def test_street_has_the_eight_attributes():
    street = load_ontology("street")
    assert [len(group.actions) for group in street.groups] == [6, 5, 6, 7, 7, 7, 6, 6]
    assert [action.id for action in street.actions] == list(range(1, 51))
    assert street.action(1).name == "normal_walk"
    assert all(group.kind == "exclusive" for group in street.groups)


SINGLE_KEYS = 26 + 26 + 10
"""Letters, capitals, digits."""


@pytest.mark.parametrize("name", ["street", "ava80"])
def test_every_shipped_action_is_described_and_has_a_key_as_far_as_there_are_keys(name):
    actions = load_ontology(name).actions
    assert [a.name for a in actions if not a.description.endswith(".") or "\n" in a.description] == []
    keys = [a.hotkey for a in actions if a.hotkey]
    assert len(set(keys)) == len(keys) == min(len(actions), SINGLE_KEYS)
    assert {len(key) for key in keys} == {1}


def test_ava80_has_the_official_ids():
    ava = load_ontology("ava80")
    assert {group.name: len(group.actions) for group in ava.groups} == {
        "pose": 14,
        "object": 49,
        "person": 17,
    }
    names = {1: "bend/bow (at the waist)", 12: "stand", 14: "walk", 17: "carry/hold (an object)"}
    names |= {57: "text on/look at a cellphone", 64: "fight/hit (a person)", 80: "watch (a person)"}
    assert {action_id: ava.action(action_id).name for action_id in names} == names
    assert (ava.group("object").max_active, ava.group("person").max_active) == (3, 3)
    assert ava.group_of(80).name == "person"


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("id: 2", "id: 1", 9, "id 1 is already used in line 8"),
        ("id: 2", "id: 9", 9, "id 9 is retired"),
        ("id: 2", "id: 0", 9, "whole number from 1"),
        ("id: 2", "id: two", 9, "whole number from 1"),
        ("name: stand}", "name: unset}", 8, "nothing was chosen"),
        ("name: stand", "nome: stand", 8, "the action has no name"),
        ("{id: 4, name: bag}", "{id: 4, name: bag, hotkey: p}", 15, "hotkey 'p' of 'bag' is that of 'phone'"),
        ("hotkey: p", "hotkeys: p", 14, "unknown key 'hotkeys'"),
        ("kind: multi", "kind: several", 10, "kind of group object"),
        ("max_active: 2", "max_active: 0", 10, "max_active of group object"),
        ("name: bag}", "name: Phone}", 10, "'Phone' appears twice"),
        ("name: object", "name: pose", 1, "group 'pose' appears twice"),
        ("name: object", "name: The Object", 10, "lower-case letters"),
        ("version: 1", "version: one", 1, "version must be a whole number"),
        ("minimum_alpha: 0.4", "minimum_alpha: 4", 14, "minimum_alpha"),
        ("name: phone", 'name: "a \\"b\\""', 14, "without quotes"),
    ],
)
def test_a_bad_file_is_refused_with_line_and_reason(old, new, line, reason):
    with pytest.raises(OntologyError, match=rf"^x\.yaml:{line}: .*{reason}"):
        parse_ontology(GOOD.replace(old, new, 1), "x.yaml")


@pytest.mark.parametrize("text", ["", "- a\n", "name: [", "name: a\nversion: 1\ngroups: []\n"])
def test_a_file_that_is_no_ontology_is_refused(text):
    with pytest.raises(OntologyError, match=r"^x\.yaml:\d+: "):
        parse_ontology(text, "x.yaml")


def test_an_empty_group_is_refused():
    text = "name: a\nversion: 1\ngroups:\n  - {name: pose, kind: exclusive, actions: []}\n"
    with pytest.raises(OntologyError, match="group pose is empty"):
        parse_ontology(text, "x.yaml")


def test_an_unknown_name_lists_what_ships():
    with pytest.raises(OntologyError, match="ava80, street"):
        load_ontology("streat")


def test_a_later_version_may_add_and_retire():
    old = parse_ontology(GOOD, "old")
    text = GOOD.replace("version: 1", "version: 2").replace("retired: [9]", "retired: [5, 9]")
    new = parse_ontology(text.replace("{id: 5, name: bike}", "{id: 6, name: trolley}"), "new")
    check_successor(old, new)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("name: bike", "name: bicycle"), "id 5 was 'bike'"),
        (("id: 5, name: bike", "id: 6, name: bike"), "id 5 .'bike'. disappeared"),
        (("version: 2", "version: 1"), "does not follow"),
        (("retired: [9]", "retired: []"), None),
    ],
)
def test_a_later_version_never_renumbers(change, reason):
    old = parse_ontology(GOOD, "old")
    new = parse_ontology(GOOD.replace("version: 1", "version: 2").replace(*change), "new")
    if reason is None:
        new = dataclasses.replace(
            new,
            groups=(
                dataclasses.replace(
                    new.groups[0],
                    actions=(
                        *new.groups[0].actions,
                        dataclasses.replace(new.groups[0].actions[0], id=9, name="back"),
                    ),
                ),
                new.groups[1],
            ),
        )
        reason = "retired id 9"
    with pytest.raises(OntologyError, match=reason):
        check_successor(old, new)


def test_the_digest_tells_contents_apart():
    assert parse_ontology(GOOD, "a").digest == parse_ontology(GOOD, "b").digest
    assert parse_ontology(GOOD, "a").digest != parse_ontology(GOOD.replace("bag}", "sack}"), "a").digest


def test_the_form_has_a_slot_per_action_that_may_hold():
    tiny = parse_ontology(GOOD, "x")
    fields = {field.name: field.values for field in form_fields(tiny)}
    assert list(fields) == ["pose", "object_1", "object_2"]
    assert fields["pose"] == (UNSET, "stand", "carry/hold (a bag, e.g.)")
    assert fields["object_1"][:2] == (UNSET, NONE)
    (label,) = cvat_labels(tiny)
    identity, *selects = label["attributes"]
    assert (identity["name"], identity["mutable"]) == (SEED_TRACK_ATTRIBUTE, False)
    assert all(s["mutable"] and s["default_value"] == UNSET == s["values"][0] for s in selects)


def test_unset_is_missing_and_none_is_an_answer():
    tiny = parse_ontology(GOOD, "x")
    assert labels_from_values(tiny, {}) == ({}, [])
    assert labels_from_values(tiny, {"object_1": "none"}) == ({"object": []}, [])
    assert labels_from_values(tiny, {"pose": " Stand ", "object_2": "BAG"}) == (
        {"pose": [1], "object": [4]},
        [],
    )


def test_what_cannot_be_read_is_flagged_and_missing():
    labels, flags = labels_from_values(parse_ontology(GOOD, "x"), {"pose": "fly", "object_1": "bag"})
    assert labels == {"object": [4]}
    assert flags == ["invalid_value:pose"]


@given(
    pose=st.sampled_from([None, 1, 2]), objects=st.none() | st.sets(st.sampled_from([3, 4, 5]), max_size=2)
)
def test_labels_survive_the_form(pose, objects):
    tiny = parse_ontology(GOOD, "x")
    labels = ({} if pose is None else {"pose": [pose]}) | (
        {} if objects is None else {"object": sorted(objects)}
    )
    assert labels_from_values(tiny, values_from_labels(tiny, labels)) == (labels, [])
