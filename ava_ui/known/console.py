"""What the pages share: settings, database, files, Dagster, and what is known of their state."""

from __future__ import annotations

from dataclasses import dataclass, field

from ava_core.base.settings import Settings
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext, open_batch
from ava_core.ontology import Ontology, load_ontology
from ava_core.quality.consensus.form import Draft
from ava_core.store import Store, batches, open_store
from ava_ui.dagster.client import DagsterClient
from ava_ui.known.audit_log import Log
from ava_ui.known.counts import Counts
from ava_ui.known.decisions import Decided
from ava_ui.known.health import Health
from ava_ui.known.jobs import Jobs
from ava_ui.known.runs import Live
from ava_ui.known.tables import Reading


@dataclass(frozen=True)
class Console:
    """One console; made once, when the process starts."""

    settings: Settings
    store: Store
    storage: Storage
    reading: Reading
    dagster: DagsterClient
    counts: Counts
    health: Health
    live: Live
    decided: Decided
    jobs: Jobs
    log: Log
    drafted: dict[str, tuple[object, Draft]] = field(default_factory=dict)
    """Drafts of consensus by batch, with what each was made of (`documents.draft`)."""
    unsent: dict[tuple[str, str], str] = field(default_factory=dict)
    """What people have typed and not sent yet, by user and address: a reload loses nothing."""

    @classmethod
    def open(cls, settings: Settings) -> Console:
        """Open database and files. Dagster need not run yet."""
        store, storage = open_store(settings), Storage(settings.resolved_storage_url)
        dagster = DagsterClient(f"http://127.0.0.1:{settings.dagster_port}")
        return cls(
            settings,
            store,
            storage,
            Reading(storage),
            dagster,
            Counts(storage, store),
            Health(settings, dagster),
            Live(dagster),
            Decided(store),
            Jobs(store),
            Log(store),
        )

    def batch(self, name: str) -> BatchContext:
        """A batch with its own settings. Raises `InputError` where it is not known."""
        return open_batch(self.settings, name, storage=self.storage, store=self.store)

    def ontology(self, batch: str) -> Ontology:
        """The ontology of a batch."""
        return load_ontology(self.batch_settings(batch).ontology)

    def batch_settings(self, batch: str) -> Settings:
        """The settings with a batch's own options applied."""
        return self.settings.with_options(batches.get(self.store, batch).options)
