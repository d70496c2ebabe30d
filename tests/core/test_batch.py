"""One batch with what belongs to it: its own settings; files, database and ontology opened when they are needed."""

from __future__ import annotations

import pickle
from pathlib import Path

import polars as pl
import pytest

from ava_core.base.errors import InputError
from ava_core.base.settings import Settings, load_settings
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext, open_batch
from ava_core.ontology import load_ontology
from ava_core.store import Store, batches


def test_a_batch_has_its_own_settings(settings: Settings, store: Store) -> None:
    batches.add(store, "north", "/north.zip", {"ontology": "ava80", "seed": 7})
    at = open_batch(settings, "north", store=store)
    assert (at.batch, at.settings.seed, at.ontology.name) == ("north", 7, load_ontology("ava80").name)
    assert settings.seed == 0


def test_an_unknown_batch_is_refused_at_once(settings: Settings, store: Store) -> None:
    with pytest.raises(InputError, match="no batch south"):
        open_batch(settings, "south", store=store)


def test_files_need_neither_database_nor_ontology(tmp_path: Path) -> None:
    at = BatchContext("b", load_settings(home=tmp_path, database_url="nonsense://", ontology="no-such-file"))
    at.storage.write_table(at.storage.table_path("b", "clips"), pl.DataFrame({"clip_id": ["c"]}))
    assert at.table("clips")["clip_id"].to_list() == ["c"]
    assert at.folder("clips") == at.storage.asset_dir("b", "clips")


def test_what_is_open_already_is_used(settings: Settings, store: Store, tmp_path: Path) -> None:
    storage, ontology = Storage(tmp_path / "elsewhere"), load_ontology("ava80")
    at = BatchContext("b", settings, storage=storage, store=store, ontology=ontology)
    assert (at.storage, at.store, at.ontology) == (storage, store, ontology)


def test_a_pickled_batch_finds_its_files_ontology_and_database_again(
    settings: Settings, store: Store, tmp_path: Path
) -> None:
    batches.add(store, "north", "/north.zip", {"seed": 7})
    at = open_batch(settings, "north", storage=Storage(tmp_path / "elsewhere"), store=store)
    at.storage.write_bytes(at.folder("clips") / "note", b"kept")
    copy = pickle.loads(pickle.dumps(at))
    assert (copy.batch, copy.settings, copy.ontology) == ("north", at.settings, at.ontology)
    assert (copy.folder("clips") / "note").read_bytes() == b"kept"
    assert batches.get(copy.store, "north").source_path == "/north.zip"
