"""One batch with everything that belongs to it: its own settings, files, database, ontology."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from ava_core.base.settings import Settings
from ava_core.base.storage import Storage

if TYPE_CHECKING:
    import polars as pl
    from upath import UPath

    from ava_core.ontology import Ontology
    from ava_core.store import Store


class BatchContext:
    """A batch; `settings` hold its own options.

    Files, database and ontology follow from the settings and are opened when they are first asked for: video can be
    preprocessed where there is no database. Those that are open already can be handed in. Can be pickled: another
    process finds the same files and ontology, and opens the database of the settings when it asks for it.
    """

    def __init__(
        self,
        batch: str,
        settings: Settings,
        *,
        storage: Storage | None = None,
        store: Store | None = None,
        ontology: Ontology | None = None,
    ) -> None:
        self.batch, self.settings = batch, settings
        self._storage, self._store, self._ontology = storage, store, ontology

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs; an open database cannot be handed on."""
        return {
            "batch": self.batch,
            "settings": self.settings,
            "_storage": self._storage,
            "_store": None,
            "_ontology": self._ontology,
        }

    @cached_property
    def storage(self) -> Storage:
        """The root of all files."""
        return self._storage or Storage(self.settings.resolved_storage_url)

    @cached_property
    def store(self) -> Store:
        """The operational database, brought up to date."""
        from ava_core.store import open_store

        return self._store or open_store(self.settings)

    @cached_property
    def ontology(self) -> Ontology:
        """The vocabulary that the batch is annotated with."""
        from ava_core.ontology import load_ontology

        return self._ontology or load_ontology(self.settings.ontology)

    def folder(self, asset: str) -> UPath:
        """Folder of one of the batch's assets."""
        return self.storage.asset_dir(self.batch, asset)

    def table(self, asset: str, table: str = "") -> pl.DataFrame:
        """A table of an asset, named after it if not told. Raises `InputError` naming the asset to materialise."""
        return self.storage.read_table(self.storage.table_path(self.batch, asset, table))


def open_batch(
    settings: Settings, name: str, *, storage: Storage | None = None, store: Store | None = None
) -> BatchContext:
    """Open a batch by name under general `settings`. Raises `InputError` if there is no such batch.

    >>> from tempfile import TemporaryDirectory
    >>> from ava_core.base.settings import load_settings
    >>> from ava_core.store import batches, open_store
    >>> with TemporaryDirectory() as home:
    ...     general = load_settings(home=home, ontology="ava80")
    ...     store = open_store(general)
    ...     batches.add(store, "north_gate", "/videos/north_gate.zip", {"ontology": "street"})
    ...     at = open_batch(general, "north_gate")
    ...     store.close()
    >>> at.batch, at.settings.ontology, at.ontology.name
    ('north_gate', 'street', 'street')
    """
    from ava_core.store import batches, open_store

    store = store or open_store(settings)
    own = settings.with_options(batches.get(store, name).options)
    return BatchContext(name, own, storage=storage, store=store)
