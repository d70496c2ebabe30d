"""Files on this machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def link_or_copy(source: Path | str, target: Path | str, *, replace: bool = False) -> None:
    """Lay a file in a second place: a hard link where the file system allows, a copy elsewhere.

    What is there already stays, or makes way where it is to be replaced.
    """
    if replace:
        Path(target).unlink(missing_ok=True)
    try:
        os.link(source, target)
    except FileExistsError:
        return
    except OSError:
        shutil.copyfile(source, target)
