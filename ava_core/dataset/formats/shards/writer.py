"""Tar files that `webdataset` and Hugging Face `datasets` read as they lie."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from types import TracebackType
from typing import IO, Final

from ava_core.dataset.formats.ava.names import SPLITS
from ava_core.dataset.formats.dataset import Dataset
from ava_core.dataset.formats.shards import names
from ava_core.dataset.formats.videos.labels import clip_records

SHARD_BYTES: Final = 1_000_000_000
"""Small enough to be sent again, large enough that a stream hardly notices where one ends."""


def write_shards(folder: Path, dataset: Dataset, most_bytes: int = SHARD_BYTES) -> None:
    """Write `shards/`, clips in order; a shard grows to `most_bytes` at most, unless one clip alone is larger."""
    (folder / names.FOLDER).mkdir()
    for split in SPLITS:
        with _Shards(folder, split, most_bytes) as shards:
            for record in clip_records(dataset, split).iter_rows(named=True):
                clip = str(record["video_id"])
                about = json.dumps({"split": split, **record}).encode()
                shards.add(clip, dataset.videos[clip], about)


class _Shards:
    """The shards of a split; a sample never lies in two."""

    def __init__(self, folder: Path, split: str, most_bytes: int) -> None:
        self.folder, self.split, self.most_bytes = folder, split, most_bytes
        self.number = 0
        self.tar: tarfile.TarFile | None = None

    def __enter__(self) -> _Shards:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def add(self, key: str, video: Path, about: bytes) -> None:
        """Add a sample: its video, and what is said of it as JSON."""
        size = video.stat().st_size
        if self.tar is not None and self.tar.offset + size + len(about) > self.most_bytes:
            self._close()
        if self.tar is None:
            path = self.folder / names.shard(self.split, self.number)
            self.tar = tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115 - closed by _close
            self.number += 1
        with video.open("rb") as content:
            self._add(self.tar, f"{key}{video.suffix}", size, content)
        self._add(self.tar, f"{key}.json", len(about), io.BytesIO(about))

    @staticmethod
    def _add(tar: tarfile.TarFile, name: str, size: int, content: IO[bytes]) -> None:
        """A member without times or owners, so that the same samples make the same shard."""
        member = tarfile.TarInfo(name)
        member.size = size
        tar.addfile(member, content)

    def _close(self) -> None:
        if self.tar is not None:
            self.tar.close()
            self.tar = None
