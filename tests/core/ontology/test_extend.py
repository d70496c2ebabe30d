"""A further version of an ontology: new ids only, read back as it was written, never overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from ava_core.base.errors import OntologyError
from ava_core.ontology import load_ontology, shipped_ontologies
from ava_core.ontology.extend import publish, published, to_yaml, with_action
from ava_core.ontology.load import parse_ontology


@pytest.mark.parametrize("name", shipped_ontologies())
def test_what_is_written_is_read_back(name: str) -> None:
    ontology = load_ontology(name)
    assert parse_ontology(to_yaml(ontology), "written") == ontology


def test_an_action_gets_an_id_of_its_own_and_nothing_else_changes(tmp_path: Path) -> None:
    old = load_ontology("street")
    new = with_action(old, "phone_usage", " video_call ", "talks to a screen")
    file = publish(old, new, tmp_path / "ontologies")
    found = load_ontology(file)
    added = set(found.actions) - set(old.actions)
    assert [(a.id, a.name, a.description) for a in added] == [(51, "video_call", "talks to a screen")]
    assert (found.version, found.group_of(51).name) == (old.version + 1, "phone_usage")
    assert published(tmp_path / "ontologies") == {str(file): found}


def test_what_cannot_be_published(tmp_path: Path) -> None:
    old = load_ontology("street")
    publish(old, with_action(old, "phone_usage", "video_call"), tmp_path)
    with pytest.raises(OntologyError, match="already exists"):
        publish(old, with_action(old, "phone_usage", "gaming"), tmp_path)
    with pytest.raises(OntologyError, match="no group"):
        with_action(old, "nothing", "gaming")
    for bad in ("", "no_phone", 'quo"te'):
        with pytest.raises(OntologyError):
            publish(old, with_action(old, "phone_usage", bad), tmp_path / "other")
    assert not (tmp_path / "other").exists()
