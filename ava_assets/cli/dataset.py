"""Commands on datasets: `ava validate`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console


def validate(
    folder: Annotated[Path, typer.Argument(help="Folder of an AVA dataset, made here or elsewhere.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Check an AVA dataset against all that its readers enforce; exit code 1 where there are findings."""
    from ava_core.export.validate import validate_dataset

    findings = validate_dataset(folder)
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        console = Console(highlight=False, soft_wrap=True)
        for finding in findings:
            console.print(str(finding), markup=False)
        console.print(f"{len(findings)} finding(s) in {folder}" if findings else f"No findings in {folder}.")
    if findings:
        sys.exit(1)
