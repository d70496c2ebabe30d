"""State that moves: to another database and storage, into a backup and back; ids and bytes stay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from ava_core import decisions
from ava_core.base.errors import InputError, StoreError
from ava_core.base.settings import load_settings
from ava_core.base.storage import Storage
from ava_core.dataset.export.options import ReleaseOptions
from ava_core.dataset.export.release import write_release
from ava_core.operations import backup
from ava_core.operations.moving import copy_files, copy_tables, files_of
from ava_core.store import Store, open_store
from ava_core.store.tables import Base

DATASET = ("annotations", "frames", "splits.json", "manifest.parquet", "lineage.parquet", "AVA_dataset.csv")


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty database, on each of the two systems."""
    sqlite = f"sqlite:///{tmp_path / 'other.db'}"
    opened = open_store(sqlite if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    yield opened
    opened.close()


def rows(store: Store) -> dict[str, list[tuple]]:
    """Everything that a database holds."""
    with store.session() as session:
        return {
            table.name: sorted(tuple(map(str, row)) for row in session.execute(sa.select(table)))
            for table in Base.metadata.sorted_tables
        }


def dataset(folder: Path) -> dict[str, bytes]:
    """What a release says, by path; its record and card hold the moment of its making."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in files.items() if name.startswith(DATASET)}


def test_all_tables_arrive_with_their_ids_and_new_rows_get_new_ones(world, target: Store) -> None:
    clips = world.add_batch("north", ["gate", "yard"])
    decisions.exclude_annotator(world.store, "north", "ben", "chief", "random")
    counted = copy_tables(world.store, target)
    assert rows(target) == rows(world.store)
    assert (counted["batches"], counted["decisions"]) == (1, 3)
    newest = decisions.newest_decision(target, "north")
    [made] = decisions.reopen(target, "north", clips[:1], "chief")
    assert made.decision_id > newest
    with pytest.raises(StoreError, match="already has batches"):
        copy_tables(world.store, target)


def test_a_copy_that_fails_leaves_an_empty_database(world, target: Store, monkeypatch) -> None:
    world.add_batch("north")
    monkeypatch.setattr("ava_core.operations.moving._set_sequences", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        copy_tables(world.store, target)
    assert not any(rows(target).values())


def test_files_arrive_and_a_copy_that_was_cut_short_is_gone_on_with(world, tmp_path: Path) -> None:
    world.add_batch("north")
    target = Storage(tmp_path / "elsewhere")
    first = copy_files(world.storage, target)
    assert list(first) == [name for name, _ in files_of(target)]
    spoilt, gone, kept = (target.local(target.path(*name.split("/"))) for name in list(first)[:3])
    spoilt.write_bytes(b"half")
    gone.unlink()
    before = kept.stat().st_mtime_ns
    assert copy_files(world.storage, target) == first
    assert (spoilt.read_bytes() != b"half", gone.exists(), kept.stat().st_mtime_ns) == (True, True, before)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_restored_platform_releases_the_same_bytes(world, tmp_path: Path, kind: str, request) -> None:
    world.add_batch("north", ["gate", "yard"])
    world.add_batch("south", ["lane"])
    made = world.release("before").folder
    (world.home / "cvat").mkdir()
    (world.home / "cvat" / "admin_password").write_text("secret")
    done = backup.back_up(world.settings, tmp_path / "backup", "chief")
    assert done.files == len(list(files_of(world.storage)))
    url = "" if kind == "sqlite" else request.getfixturevalue("postgres_url")
    empty = load_settings(home=tmp_path / "new", ontology=world.settings.ontology, database_url=url)
    assert backup.restore(empty, tmp_path / "backup", "chief") == done
    store, storage = open_store(empty), Storage(empty.resolved_storage_url)
    again = write_release(ReleaseOptions("after"), empty, storage, store).folder
    assert dataset(storage.local(again)) == dataset(world.storage.local(made))
    assert (empty.home_dir / "cvat" / "admin_password").read_text() == "secret"
    with pytest.raises(StoreError, match="already"):
        backup.restore(empty, tmp_path / "backup", "chief")
    store.close()


def test_a_damaged_or_unfinished_backup_is_not_put_back(world, tmp_path: Path) -> None:
    world.add_batch("north")
    folder = tmp_path / "backup"
    backup.back_up(world.settings, folder, "chief")
    with pytest.raises(InputError, match="already contains a backup"):
        backup.back_up(world.settings, folder, "chief")
    empty = load_settings(home=tmp_path / "new")
    name = next(iter(json.loads((folder / backup.RECORD).read_text())["files"]))
    (folder / "storage" / name).write_bytes(b"other")
    with pytest.raises(InputError, match=f"damaged: {name} has different content"):
        backup.restore(empty, folder, "chief")
    (folder / backup.RECORD).unlink()
    with pytest.raises(InputError, match="no backup"):
        backup.restore(empty, folder, "chief")
    assert not (empty.home_dir / "storage").exists()


def test_what_belongs_together_is_told_in_its_order(world) -> None:
    told = backup.parts(world.settings, "sqlite:///x")
    assert [part.name for part in told] == ["database", "files", "annotation server", "Dagster"]
    served = load_settings(home=world.home, cvat_url="https://cvat.example")
    assert [part.name for part in backup.parts(served, "x")][2] == "CVAT"
