"""Datasets: their formats, how a release is made of approved batches, how existing work is taken over."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
