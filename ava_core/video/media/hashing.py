"""What a file is, whatever it is called."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

HASH_CHUNK: Final = 1 << 20


def hash_file(path: Path) -> str:
    """SHA-256 of a file's content, as hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(HASH_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
