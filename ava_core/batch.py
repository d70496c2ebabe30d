"""One batch with everything that belongs to it: its own settings, files, database, ontology."""

from __future__ import annotations

from dataclasses import dataclass

from ava_core.base.settings import Settings
from ava_core.base.storage import Storage
from ava_core.ontology import Ontology, load_ontology
from ava_core.store import Store, batches, open_store


@dataclass(frozen=True)
class BatchContext:
    """A batch; `settings` hold its own options."""

    batch: str
    settings: Settings
    storage: Storage
    store: Store
    ontology: Ontology


def open_batch(settings: Settings, name: str) -> BatchContext:
    """The batch of that name under general `settings`. Raises `InputError` where it is not known."""
    store = open_store(settings)
    own = settings.with_options(batches.get(store, name).options)
    return BatchContext(name, own, Storage(own.resolved_storage_url), store, load_ontology(own.ontology))
