"""From files that people give to boxes at keyframes: intake, media, detection, tracking, proposals."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
