"""Inputs that were crafted to fill memory or time end in a sentence, within limits: as `docs/crafted.md` lists them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.crafted import CASES
from tests.support.processes import PROJECT

PAGE = (PROJECT / "docs" / "crafted.md").read_text()


@pytest.mark.parametrize("kind", CASES)
def test_each_ends_as_the_page_says_within_limits(kind: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.support.crafted", kind]
    child = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": str(PROJECT)}, cwd=tmp_path, capture_output=True, text=True
    )
    assert child.returncode == 0, (
        f"not all were answered within the limits:\n{child.stdout}\n{child.stderr[-2000:]}"
    )
    answers = {name: said for name, _, said in map(json.loads, child.stdout.splitlines())}
    assert list(answers) == list(CASES[kind])
    lines = [f"| {name} | {said} |" for name, said in answers.items()]
    section = PAGE.partition(f"## {kind}\n")[2].partition("\n## ")[0]
    assert [line for line in section.splitlines() if line.startswith("| ")][1:] == lines
