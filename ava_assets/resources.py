"""What assets and sensors need of the world: settings, files, database, ontology, annotation server.

Nothing secret passes through Dagster's configuration: credentials are read from the settings in the process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagster import ConfigurableResource

from ava_core.base.settings import Settings, load_settings
from ava_core.base.storage import Storage
from ava_core.batch import BatchContext, open_batch
from ava_core.store import Store, batches, open_store

if TYPE_CHECKING:
    from ava_core.annotation.gateway import CvatGateway


class Platform(ConfigurableResource):  # type: ignore[type-arg]
    """The platform's settings and what follows from them. Fields left empty come from `AVA_…` variables."""

    home: str = ""

    @property
    def settings(self) -> Settings:
        """The settings as they are now."""
        return load_settings(home=self.home) if self.home else load_settings()

    @property
    def storage(self) -> Storage:
        """The root of all files."""
        return Storage(self.settings.resolved_storage_url)

    @property
    def store(self) -> Store:
        """The operational database, brought up to date."""
        return open_store(self.settings)

    def gateway(self) -> CvatGateway:
        """A connection to the annotation server; use it in a `with` block."""
        from ava_core.annotation.gateway import CvatGateway

        return CvatGateway(self.settings)

    def batch(self, name: str) -> BatchContext:
        """One batch, for a run. Raises `InputError` where it is not known, or in the archive."""
        at = open_batch(self.settings, name)
        batches.check_active(at.store, [name])
        return at
