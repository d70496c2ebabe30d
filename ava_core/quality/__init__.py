"""How well annotators agree, the consensus that follows, and what a reviewer sees before deciding."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
