"""Commands on datasets: `ava validate`, `ava trace`."""

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
    """Check an AVA dataset against all that its readers enforce; exit code 1 where there are errors."""
    from ava_core.export.validate import errors_among, validate_dataset

    findings = validate_dataset(folder)
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        console = Console(highlight=False, soft_wrap=True)
        for finding in findings:
            console.print(str(finding), markup=False)
        console.print(f"{len(findings)} finding(s) in {folder}" if findings else f"No findings in {folder}.")
    if errors_among(findings):
        sys.exit(1)


def trace(
    release: Annotated[str, typer.Argument(help="Name of a release, or its folder.")],
    row: Annotated[str, typer.Argument(help="train:12 (line 12 of the split's csv), or the line itself.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the lineage as JSON.")] = False,
) -> None:
    """Show where a row of a release comes from: votes, annotators, jobs, clip, source file, frame."""
    from ava_assets.cli.release import release_folder
    from ava_core.export.lineage import trace as trace_row

    found = trace_row(release_folder(release), row)
    if as_json:
        print(json.dumps(found, indent=2))
        return
    console = Console(highlight=False, soft_wrap=True)
    ratings = found.pop("ratings") or []
    width = max(map(len, found))
    for name, value in found.items():
        console.print(f"{name:<{width}}  {'–' if value is None else value}", markup=False)
    for rating in ratings:
        said = ", ".join(map(str, rating["action_ids"])) or "none of the group"
        counted = "" if rating["counted"] else ", excluded"
        edited = {True: "box edited", False: "box untouched", None: "no box"}[rating["edited"]]
        console.print(
            f"  {rating['annotator']} said {said} ({edited}; task {rating['task_id']}, job {rating['job_id']}, "
            f"reading {rating['version']}, track {rating['track_key']}{counted})",
            markup=False,
        )
