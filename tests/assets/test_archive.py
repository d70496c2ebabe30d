"""Runs leave an archived batch alone (that none is asked for stands in `test_needs.py`)."""

from __future__ import annotations

import pytest

from ava_core.base.errors import InputError
from ava_core.operations.archive import archive
from tests.support.dagster_site import DagsterSite


def test_a_run_of_it_stops_with_a_sentence(site: DagsterSite) -> None:
    site.register_batch("north")
    archive(site.at("north"), "adam")
    with pytest.raises(InputError, match=r"north is in the archive.*ava batch archive north --undo"):
        site.platform.batch("north")
