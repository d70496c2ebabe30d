"""The command `ava`: one file a subject. Heavy imports happen inside the commands: help is instant."""

from ava_assets.cli.main import main

__all__ = ["main"]
