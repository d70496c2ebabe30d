"""What is being added to the inbox: written down first, so that a process that is killed leaves nothing half-known.

Beside what is added lies a hidden file with its name, where it comes from and its options. It is locked while somebody
adds, and gone once all is done: one that nobody locks was broken off.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from ava_core.base.errors import InputError

ENDING: Final = ".adding"


class StillAdding(InputError):
    """Somebody else adds the same just now."""


@dataclass(frozen=True)
class Adding:
    """A batch that is being added: `source` is copied to `target`, an item of the inbox."""

    batch: str
    source: str
    target: str
    options: dict[str, Any]

    @property
    def file(self) -> Path:
        """Where it is written down."""
        return Path(self.target).parent / f".{self.batch}{ENDING}"


@contextmanager
def adding(one: Adding) -> Iterator[bool]:
    """Add it in the block, which gets whether somebody was broken off who added the same from the same place.

    What the block raises leaves no trace; where this process is killed, the trace stays. Raises `StillAdding`.
    """
    one.file.parent.mkdir(parents=True, exist_ok=True)
    with one.file.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StillAdding(
                f"Batch {one.batch} is being added right now.", "Wait until it has been added."
            ) from None
        before = _read(one.file)
        file.truncate(0)
        file.write(json.dumps(asdict(one)))
        file.flush()
        try:
            yield before is not None and (before.source, before.target) == (one.source, one.target)
        finally:
            one.file.unlink(missing_ok=True)


def broken_off(inbox: Path) -> list[Adding]:
    """What is written down as being added, by somebody who may be at it still."""
    found = [_read(file) for file in sorted(inbox.glob(f".*{ENDING}"))]
    return [one for one in found if one is not None]


def being_added(inbox: Path) -> set[Path]:
    """Items of the inbox that somebody is adding: they are not to be taken for new ones."""
    return {Path(one.target) for one in broken_off(inbox)}


def _read(file: Path) -> Adding | None:
    """What a file says; nothing where its writer got no further than to make it."""
    with suppress(OSError, ValueError, TypeError):
        return Adding(**json.loads(file.read_text()))
    return None
