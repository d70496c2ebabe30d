"""What the pages share: settings, database, files, Dagster, and what is known of their state."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from ava_core.base.once import Once
from ava_core.base.private import dagster_token
from ava_core.base.settings import Settings
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext, open_batch
from ava_core.ontology import Ontology, load_ontology
from ava_core.quality.consensus.form import Draft
from ava_core.store import Store, batches, open_store
from ava_ui.dagster.client import DagsterClient
from ava_ui.known.asked import Asked
from ava_ui.known.audit_log import AuditLog
from ava_ui.known.counts import Counts
from ava_ui.known.decisions import DecisionStates
from ava_ui.known.health import Health
from ava_ui.known.jobs import Jobs
from ava_ui.known.release_contents import ReleaseContents
from ava_ui.known.runs import LiveRuns
from ava_ui.known.tables import Tables

BUSY_MS: Final = 2000
"""A person waits so long for a database that another program holds; then a sentence says so."""

DRAFTS_KEPT: Final = 3
"""Batches whose drafted consensus is kept in memory."""


@dataclass(frozen=True)
class Console:
    """One console; made once, when the process starts."""

    settings: Settings
    store: Store
    storage: Storage
    tables: Tables
    dagster: DagsterClient
    counts: Counts
    health: Health
    runs: LiveRuns
    asked: Asked
    decisions: DecisionStates
    jobs: Jobs
    audit_log: AuditLog
    releases: ReleaseContents
    drafts: Once[str, object, Draft] = field(default_factory=lambda: Once(most=DRAFTS_KEPT))
    """Drafts of consensus by batch (`known.drafts`)."""
    unsent: dict[tuple[str, str], str] = field(default_factory=dict)
    """What people have typed and not sent yet, by user and address: a reload loses nothing."""

    @classmethod
    def open(cls, settings: Settings) -> Console:
        """Open database and files. Dagster need not run yet."""
        store, storage = open_store(settings, busy_ms=BUSY_MS), Storage(settings.resolved_storage_url)
        dagster = DagsterClient(settings.resolved_dagster_url, token=dagster_token(settings.home_dir))
        return cls(
            settings=settings,
            store=store,
            storage=storage,
            tables=Tables(storage),
            dagster=dagster,
            counts=Counts(storage, store),
            health=Health(settings, dagster),
            runs=LiveRuns(dagster),
            asked=Asked(dagster),
            decisions=DecisionStates(store),
            jobs=Jobs(store),
            audit_log=AuditLog(store),
            releases=ReleaseContents(storage),
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
