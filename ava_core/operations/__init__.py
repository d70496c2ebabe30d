"""The whole platform at a glance: how far every batch is, figures over time, what is reachable."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
