"""The command `ava`: one file a subject; heavy imports happen inside the commands, so that help is instant."""

from ava_assets.cli.main import main

__all__ = ["main"]
