"""Storage: atomic writes below one root, local or remote, and names that are safe."""

from __future__ import annotations

import polars as pl
import pytest

from ava_core.base.errors import InputError
from ava_core.base.names import batch_name_for, check_batch_name
from ava_core.base.storage import Storage


def test_a_table_comes_back(tmp_path):
    storage = Storage(tmp_path)
    table = pl.DataFrame({"a": [1, 2]})
    path = storage.table_path("b1", "clips")
    storage.write_table(path, table)
    assert storage.read_table(path).equals(table)
    assert str(path) == str(tmp_path / "batches" / "b1" / "clips" / "clips.parquet")


def test_a_remote_root_works_alike():
    storage = Storage("memory://ava-test")
    table = pl.DataFrame({"a": [1]})
    path = storage.table_path("b1", "tracks")
    storage.write_table(path, table)
    assert storage.read_table(path).equals(table)
    with storage.fetched(path) as local:
        assert pl.read_parquet(local).equals(table)
    with pytest.raises(InputError, match="not on this machine"):
        storage.local(path)


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    storage = Storage(tmp_path)
    path = storage.path("note.txt")
    storage.write_bytes(path, b"old")

    def fail_midway() -> None:
        with storage.writing(path) as temporary:
            temporary.write_bytes(b"half")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        fail_midway()
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["note.txt"]


def test_a_missing_table_names_the_asset(tmp_path):
    storage = Storage(tmp_path)
    with pytest.raises(InputError, match="Materialise tracks"):
        storage.read_table(storage.table_path("b1", "tracks"))


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a b", "a,b", "x" * 64, "a..b"])
def test_unsafe_batch_names_are_refused(name):
    with pytest.raises(InputError):
        check_batch_name(name)


@pytest.mark.parametrize(
    ("path", "name"),
    [("raw_cctv_batch1.zip", "raw_cctv_batch1"), ("/x/Größe 1, neu.ZIP", "Gr_e_1_neu"), ("…", "batch")],
)
def test_batch_names_come_from_file_names(path, name):
    assert batch_name_for(path) == name
