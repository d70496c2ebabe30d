"""Decisions of people on a batch: the append-only log that annotation and quality share."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
