"""Reference pages, each drawn from what it describes: commands, settings, tables, entry points.

`PAGES` is the list; the site and the tests of the docs read it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from reference.api import api_page
from reference.commands import commands_page
from reference.database import database_page
from reference.settings import settings_page
from reference.tables import tables_page
from reference.vocabulary import ontologies_page

PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "reference/commands.md": commands_page,
    "reference/settings.md": settings_page,
    "reference/tables.md": tables_page,
    "reference/database.md": database_page,
    "reference/api.md": api_page,
    "reference/ontologies.md": ontologies_page,
}
"""Path of each generated page below `docs/`, and what writes it."""
