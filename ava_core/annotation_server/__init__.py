"""The embedded annotation server: the part of CVAT's REST API that this platform and its annotators use.

It answers as CVAT 2.73 does, so the same `cvat-sdk` code runs against both; a contract test replays recordings
of a real server. One folder holds everything: `cvat.db` and the media.
"""

from ava_core.annotation_server.app import create_app
from ava_core.annotation_server.options import Options

__all__ = ["Options", "create_app"]
