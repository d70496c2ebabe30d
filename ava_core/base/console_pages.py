"""Addresses of those pages of the console to which others link, too: Dagster's UI, tables, commands."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from ava_core.base.settings import Settings

BATCH: Final = "/batches/{batch}"
PROGRESS: Final = "/progress?batch={batch}"
QUALITY: Final = "/quality?batch={batch}"
AGREEMENT: Final = "/quality/{batch}/agreement"
DATASET: Final = "/dataset"
RELEASE: Final = "/dataset/{release}"
LABEL: Final = "/work/{job_id}"


def on_console(settings: Settings, page: str, **parts: str | int) -> str:
    """The whole address of a page on this machine.

    >>> on_console(Settings(), BATCH, batch="north gate")
    'http://127.0.0.1:8501/batches/north%20gate'
    """
    path = page.format(**{name: quote(str(value), safe="") for name, value in parts.items()})
    return f"http://127.0.0.1:{settings.console_port}{path}"
