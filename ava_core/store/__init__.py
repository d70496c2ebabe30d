"""Operational state: projects, tasks, jobs, annotators, readings of annotations, decisions, events, the audit log.

SQLAlchemy 2.0 over SQLite by default and PostgreSQL by URL; the schema is kept by Alembic. One file a subject
holds the questions that are asked of it.
"""

from ava_core.store.database import Store, open_store

__all__ = ["Store", "open_store"]
