"""`ava demo`: the whole way once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ava_core.base.errors import InputError


def demo(
    video: Annotated[
        Path | None, typer.Option(help="Your own video, folder or zip instead of the rendered scenes.")
    ] = None,
    home: Annotated[
        Path | None, typer.Option(help="Empty folder for all state. Default: a new one under AVA_HOME/demo.")
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Seed for the scenes, the annotators' errors and the assignment.")
    ] = 0,
) -> None:
    """Raw videos in, an AVA dataset out: clips, tracks, tasks, three simulated annotators, consensus, release.

    Renders two street scenes with known truth, or takes `--video`. The annotators sign in with accounts of
    their own and work through the annotation API alone; for a video of your own what they "see" is made up
    from the seed, and the dataset says so. The last line is `dataset: <path>`.
    """
    if video is not None and not video.exists():
        raise InputError(f"{video} does not exist.", "Give a video, a folder of videos or a zip.")
    from ava_assets.running.demonstration import Demonstration, demonstration_settings

    Demonstration(demonstration_settings(home, seed), video).run()
