"""Storage: atomic writes below one root, local or remote, and names that are safe."""

from __future__ import annotations

import hashlib

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


OLD, NEW = (pl.DataFrame({"a": list(range(rows))}) for rows in (3, 50_000))


def test_a_table_written_anew_before_it_is_opened_is_read_as_it_is_now(tmp_path, monkeypatch):
    storage, writer = Storage(tmp_path), Storage(tmp_path)
    path = storage.table_path("b1", "clips")
    writer.write_table(path, OLD)
    noted = storage._sums

    def noted_then_written(where):
        sums = noted(where)
        if writer.read_table(path).height == OLD.height:
            writer.write_table(path, NEW)
            writer.write_table(path, NEW)  # the sum of the old one is gone
        return sums

    monkeypatch.setattr(storage, "_sums", noted_then_written)
    assert storage.read_table(path).equals(NEW)


def test_a_table_written_anew_while_it_is_read_is_one_of_the_two(tmp_path, monkeypatch):
    storage = Storage(tmp_path)
    path = storage.table_path("b1", "clips")
    storage.write_table(path, OLD)
    digest = hashlib.file_digest

    def digest_then_write(file, kind):
        monkeypatch.setattr(hashlib, "file_digest", digest)
        found = digest(file, kind)
        Storage(tmp_path).write_table(path, NEW)
        return found

    monkeypatch.setattr(hashlib, "file_digest", digest_then_write)
    assert storage.read_table(path).equals(OLD)
    assert storage.read_table(path).equals(NEW)


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
