"""What lies in a storage, byte for byte."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ava_core.base.storage import Storage


def bytes_of(storage: Storage) -> dict[str, str]:
    """SHA-256 of every file by its path below the root; half-written ones left out."""
    root = Path(storage.root.path)
    files = (path for path in root.rglob("*") if path.is_file() and ".part" not in path.name)
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
