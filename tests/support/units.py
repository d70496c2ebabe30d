"""Units of work for runners: public functions, which a worker process finds by name."""

from __future__ import annotations

import errno
import os
import signal
import time
from pathlib import Path

from ava_core.base.errors import InputError
from ava_core.base.work.cores import available
from ava_core.base.work.runner import Advance


def where(unit: int, advance: Advance) -> tuple[int, int, list[int]]:
    """The unit, the process that it ran in, and the cores of that."""
    advance(unit)
    return unit, os.getpid(), available()


def odd_one_breaks(unit: int, advance: Advance) -> int:
    """Twice the unit; an odd one has an error that a person can mend."""
    if unit % 2:
        raise InputError(f"{unit} is odd.", "Make it even.")
    return unit * 2


def full_disk(unit: int, advance: Advance) -> int:
    """Fails with what the other units would meet as well."""
    raise OSError(errno.ENOSPC, "No space left on device")


def kill_once(folder: Path, unit: int, advance: Advance) -> int:
    """Unit 1 tells of itself, then kills its process, the first time alone."""
    mark = folder / "killed"
    if unit == 1 and not mark.exists():
        mark.touch()
        advance(5)
        os.kill(os.getpid(), signal.SIGKILL)
    advance(1)
    return unit


def kill_always(unit: int, advance: Advance) -> int:
    """Unit 1 kills its process each time."""
    if unit == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return unit


def wait_for_ever(folder: Path, unit: int, advance: Advance) -> None:
    """Says which process it runs in, and stays; leaves a mark when it is asked to end."""
    (folder / f"{os.getpid()}.here").touch()
    try:
        while True:
            time.sleep(0.05)
    finally:
        (folder / f"{os.getpid()}.tidied").touch()


def count_neighbours(folder: Path, unit: int, advance: Advance) -> int:
    """How many units are under way while this one is."""
    mine = folder / f"{unit}.here"
    mine.touch()
    time.sleep(0.1)
    here = len(list(folder.glob("*.here")))
    mine.unlink()
    return here


_made: list[int] = []


def made_once(unit: int, advance: Advance) -> tuple[int, int]:
    """The process, and how often it has made what units share."""
    if not _made:
        _made.append(unit)
    return os.getpid(), len(_made)


def lost_with_its_node(folder: Path, unit: int, advance: Advance) -> int:
    """Says that it has begun, and waits to be told to go on."""
    (folder / f"{unit}.begun").touch()
    while not (folder / "go on").exists():
        time.sleep(0.05)
    return unit
