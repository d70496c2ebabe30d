"""What the page for labelling works out in the browser, run by itself under node: said, drawn, undone, sent."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from ava_ui.pages.annotation.labelling import SCRIPTS

TESTS = Path(__file__).parent / "logic.test.mjs"


def test_what_the_page_works_out(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    shutil.copytree(SCRIPTS, tmp_path, dirs_exist_ok=True)
    shutil.copy(TESTS, tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    run = subprocess.run(
        [node, "--test", TESTS.name], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stdout
    assert "# pass 0" not in run.stdout
