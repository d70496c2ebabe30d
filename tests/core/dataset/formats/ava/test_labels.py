"""Label maps, in both dialects."""

from __future__ import annotations

import pytest

from ava_core.base.errors import InputError
from ava_core.dataset.formats.ava.labels import read_pbtxt, to_ava_pbtxt
from ava_core.dataset.formats.datumaro.labels import to_datumaro_pbtxt
from ava_core.ontology import load_ontology


@pytest.mark.parametrize("name", ["street", "ava80"])
@pytest.mark.parametrize("write", [to_ava_pbtxt, to_datumaro_pbtxt])
def test_label_maps_read_back(name, write):
    ontology = load_ontology(name)
    assert read_pbtxt(write(ontology)) == {action.id: action.name for action in ontology.actions}


def test_the_ava_label_map_has_the_official_shape():
    assert to_ava_pbtxt(load_ontology("ava80")).startswith(
        'item {\n  name: "bend/bow (at the waist)"\n  id: 1\n}\n'
    )


@pytest.mark.parametrize(
    "text", ["", 'item { name: "a" }', 'item { name: "a" id: 1 }\nitem { name: "b" id: 1 }']
)
def test_a_broken_label_map_is_refused(text):
    with pytest.raises(InputError):
        read_pbtxt(text)
