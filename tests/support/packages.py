"""Packages that read datasets, as published: what installs each, and the program that runs it (`programs`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple


class Package(NamedTuple):
    """`prefix`: of its splits; `start`: its timestamp of a clip's first second.

    `off`: frames by which its own counting puts the keyframe off: mmaction2 adds 1 twice, or not at all.
    """

    program: str
    installed: Sequence[str]
    prefix: str = ""
    start: int = 900
    off: int = 0


_SLOWFAST: Final = (
    "slowfast",
    "--no-deps",
    "fvcore",
    "iopath",
    "portalocker",
    "yacs",
    "termcolor",
    "simplejson",
)
_MMACTION2: Final = (
    "mmaction2", "--no-deps", "mmengine", "mmcv-lite<2.2", "addict", "yapf", "termcolor",
)  # fmt: skip

PACKAGES: Final[Mapping[str, Package]] = {
    "pytorchvideo": Package("pytorchvideo", ("pytorchvideo",), start=0),
    "SlowFast": Package("slowfast", _SLOWFAST),
    "mmaction2 AVADataset": Package("mmaction2", _MMACTION2, off=1),
    "mmaction2 AVAKineticsDataset": Package("mmaction2", _MMACTION2, "kinetics/", 0, -1),
}
"""By the reader's name in `ava_core.dataset.formats.ava.readers`; without their dependencies, which this environment
has, or which no loader of data touches."""
