"""Writing one clip: H.264 that browsers and CVAT play, and its keyframes as JPEG."""

from __future__ import annotations

import contextlib
from typing import Any

from ava_core.base.errors import MediaError
from ava_core.base.schemas import CLIP_FPS
from ava_core.batch import BatchContext
from ava_core.video.media.constant_rate import Shown
from ava_core.video.media.encoding import H264File
from ava_core.video.media.frames import jpeg
from ava_core.video.media.geometry import Fit
from ava_core.video.media.hashing import hash_file
from ava_core.video.media.stream_copy import Copier, fingerprint


class ClipWriter:
    """Writes one clip as H.264 and its keyframes as JPEG; leaving the block without `commit` drops both.

    With a `copier`, the video is copied at the end, and the frames that are added say what the copy has to hold.
    """

    def __init__(self, at: BatchContext, clip_id: str, fit: Fit, copier: Copier | None = None) -> None:
        self.copier = copier
        self.clip_id, self.fit, self.storage = clip_id, fit, at.storage
        self._encoder_name = at.settings.video_encoder
        folder = at.folder("clips")
        self.target = folder / "files" / f"{clip_id}.mp4"
        self.keyframes = folder / "keyframes" / clip_id
        self.frames = self.source_frames = 0
        self.sha256 = ""
        self._prints: dict[int, int] = {}
        self._stamps: list[int | None] = []
        self._last: Shown | None = None
        self._committed = False

    def __enter__(self) -> ClipWriter:
        self._drop_keyframes()
        self._writing = self.storage.writing(self.target)
        self.path = self._writing.__enter__()
        self._encoder = None if self.copier else self._encoded()
        return self

    def _encoded(self) -> H264File:
        return H264File(self.path, self.fit.width, self.fit.height, self._encoder_name)

    @property
    def is_copy(self) -> bool:
        """Whether the clip holds the source's own frames."""
        return self.copier is not None

    def add(self, shown: Shown) -> None:
        """Append what is shown next; every whole second also becomes a JPEG."""
        is_new = shown is not self._last
        self._last, self.source_frames = shown, self.source_frames + is_new
        if self.copier:
            self._stamps.append(shown.pts if is_new and shown.untouched else None)
        self.add_picture(shown.picture)

    def add_picture(self, picture: Any) -> None:
        """Append a picture as it lies in the clip."""
        number = self.frames
        if self._encoder:
            self._encoder.add(picture, number)
        else:
            self._prints[number] = fingerprint(picture)
        self.frames += 1
        if number % CLIP_FPS == 0:
            pixels = picture.to_ndarray(format="bgr24")
            self.storage.write_bytes(self.keyframes / f"{number // CLIP_FPS:04d}.jpg", jpeg(pixels))

    def commit(self) -> str:
        """Finish the file; returns its hash. It takes its place when the block ends.

        Raises `CannotCopyError` where a copy would not hold what was added.
        """
        if self._encoder:
            self._encoder.finish()
        elif self.copier:
            self.copier.copy(self.path, self._stamps, self._prints)
        self._committed = True
        self.sha256 = hash_file(self.path)
        return self.sha256

    def row(self, source: dict[str, Any], *, index: int, start_s: float, sha256: str) -> dict[str, Any]:
        """The clip's row of `schemas.CLIPS`."""
        fit = self.fit
        return {
            "clip_id": self.clip_id, "source_id": source["source_id"], "batch": source["batch"],
            "index": index, "start_s": start_s, "duration_s": self.frames / CLIP_FPS, "frames": self.frames,
            "width": fit.width, "height": fit.height,
            "scale_x": fit.scale_x, "scale_y": fit.scale_y, "pad_x": fit.pad_x, "pad_y": fit.pad_y,
            "content_width": fit.content_width, "content_height": fit.content_height,
            "path": str(self.target.relative_to(self.storage.root)), "sha256": sha256,
        }  # fmt: skip

    def __exit__(self, *_: object) -> None:
        if self._committed:
            self._writing.__exit__(None, None, None)
            return
        if self._encoder:
            self._encoder.close()
        with contextlib.suppress(MediaError):
            self._writing.__exit__(MediaError, MediaError("dropped"), None)
        self._drop_keyframes()

    def _drop_keyframes(self) -> None:
        for picture in self.keyframes.iterdir() if self.keyframes.exists() else ():
            picture.unlink()
