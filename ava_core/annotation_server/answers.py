"""JSON answers under the media type of CVAT."""

from __future__ import annotations

from fastapi.responses import JSONResponse

MEDIA_TYPE = "application/vnd.cvat+json"


class CvatJSON(JSONResponse):
    """A JSON answer as CVAT labels it."""

    media_type = MEDIA_TYPE
