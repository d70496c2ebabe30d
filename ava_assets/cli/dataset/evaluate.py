"""`ava evaluate`: the AVA metric of a model's detections."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table


def evaluate(
    release: Annotated[str, typer.Argument(help="Name of a release, or a dataset's folder.")],
    detections: Annotated[Path, typer.Argument(help="csv: video,timestamp,x1,y1,x2,y2,action,score.")],
    split: Annotated[str, typer.Option(help="Split that the detections belong to.")] = "val",
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Score a model's detections: average precision of every class at IoU 0.5, and their mean (mAP)."""
    from ava_assets.cli.dataset.release import opened_release
    from ava_core.dataset.formats.ava.evaluation import evaluate_release

    with opened_release(release) as folder:
        found = evaluate_release(folder, detections, split)
    if as_json:
        print(
            json.dumps(
                {"map": found.mean, "classes": found.classes.to_dicts(), "warnings": found.warnings}, indent=2
            )
        )
        return
    console = Console(highlight=False, soft_wrap=True)
    shown = Table(box=None)
    for name in found.classes.columns:
        shown.add_column(name.replace("_", " "), justify="left" if name == "name" else "right")
    for *cells, ap in found.classes.filter(found.classes["truths"] + found.classes["detections"] > 0).rows():
        shown.add_row(*map(str, cells), "" if ap is None else f"{ap:.4f}")
    console.print(shown)
    for warning in found.warnings:
        console.print(f"warning: {warning}", markup=False)
    console.print(f"mAP at IoU 0.5: {found.mean:.4f}")
