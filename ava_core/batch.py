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
    """The batch of that name under general `settings`. Raises `InputError` where it is not known.

    >>> from tempfile import TemporaryDirectory
    >>> from ava_core.base.settings import load_settings
    >>> with TemporaryDirectory() as home:
    ...     general = load_settings(home=home, ontology="ava80")
    ...     store = open_store(general)
    ...     batches.add(store, "north_gate", "/videos/north_gate.zip", {"ontology": "street"})
    ...     at = open_batch(general, "north_gate")
    ...     store.close()
    >>> at.batch, at.settings.ontology, at.ontology.name
    ('north_gate', 'street', 'street')
    """
    store = open_store(settings)
    own = settings.with_options(batches.get(store, name).options)
    return BatchContext(name, own, Storage(own.resolved_storage_url), store, load_ontology(own.ontology))
