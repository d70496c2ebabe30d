"""JSON answers under the media type of CVAT."""

from __future__ import annotations

import json
from typing import Any

from fastapi.responses import JSONResponse

MEDIA_TYPE = "application/vnd.cvat+json"


class CvatJSON(JSONResponse):
    """A JSON answer as CVAT labels it."""

    media_type = MEDIA_TYPE

    def render(self, content: Any) -> bytes:
        """What a caller wrote may be quoted, and need not be text that can be encoded."""
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode(errors="replace")
