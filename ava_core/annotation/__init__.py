"""The annotation server as its client sees it: how tasks get there, how people's work comes back."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
