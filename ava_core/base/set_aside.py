"""One bad source or clip stops nobody: it is set aside with its reason, and the batch goes on."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from ava_core.base.errors import AvaError, DetectorError, PluginError

OF_THE_MACHINE: Final = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
)
"""Errors that the next source or clip would meet as well: a full disk is nobody's fault."""


@dataclass
class Fate:
    """How work on one thing ended; `reason` is empty where it went well."""

    reason: str = ""


@contextmanager
def setting_aside() -> Iterator[Fate]:
    """Keeps an error of the block as the reason of its fate; what would hit the others too is raised."""
    fate = Fate()
    try:
        yield fate
    except (MemoryError, DetectorError, PluginError):
        raise
    except AvaError as error:
        fate.reason = error.message.rstrip(".")
    except FileNotFoundError as error:
        fate.reason = f"{PurePath(error.filename or 'its file').name} is missing"
    except Exception as error:
        if isinstance(error, OSError) and error.errno in OF_THE_MACHINE:
            raise
        fate.reason = f"{type(error).__name__}: {error}"
