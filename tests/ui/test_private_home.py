"""The console as a program: its home is closed for others, and the first code stands in no log."""

from __future__ import annotations

from pathlib import Path

import pytest

from ava_assets.running.services import free_port
from ava_core.base.settings import load_settings
from ava_core.store import users
from tests.support.processes import console


@pytest.mark.slow
def test_the_home_is_closed_and_the_first_code_is_in_no_log(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    with console(load_settings(home=home, console_port=free_port())):
        code = users.code_file(home).read_text()
        printed = (home / "console.log").read_text()
        assert str(users.code_file(home)) in printed
        assert code not in printed
        assert home.stat().st_mode & 0o777 == 0o700
        loose = [
            path for path in home.rglob("*") if path.stat().st_mode & 0o077 and path.name != "console.log"
        ]
        assert loose == []
