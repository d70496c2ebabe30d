"""Alembic's entry: runs migrations on the connection that `ava_core.store.schema` hands over."""

from __future__ import annotations

from alembic import context

from ava_core.store.tables import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
context.run_migrations()
