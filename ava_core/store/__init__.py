"""Operational state: projects, tasks, jobs, annotators, readings of annotations, decisions, events, the audit log.

SQLAlchemy 2.0 over SQLite by default and PostgreSQL by URL; the schema is kept by Alembic. One file a subject
holds the questions that are asked of it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
