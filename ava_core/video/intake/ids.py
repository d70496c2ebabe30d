"""Ids of a batch's source videos: clips, tasks and answers hang on them, so a video that has one keeps it."""

from __future__ import annotations

from ava_core.batch import BatchContext
from ava_core.video.media.names import source_id


class SourceIds:
    """Gives every source video of a batch its id: the one that it was taken in with before, else a new one."""

    def __init__(self, at: BatchContext) -> None:
        self.batch = at.batch
        self.given: dict[str, str] = {}
        path = at.storage.table_path(at.batch, "source_videos")
        if path.exists():
            self.given = dict(at.storage.read_table(path).select("original_name", "source_id").rows())
        self.taken = {own.casefold() for own in self.given.values()}

    def of(self, original_name: str, title: str) -> str:
        """The id of a file or clip of that name; where it is new, it is made of `title`."""
        return self.given.pop(original_name, "") or source_id(self.batch, title, self.taken)
