"""Writing one clip: H.264 that browsers and CVAT play, and its keyframes as JPEG."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from ava_core.base.errors import MediaError
from ava_core.base.schemas import CLIP_FPS
from ava_core.batch import BatchContext
from ava_core.video.media.constant_rate import Shown
from ava_core.video.media.frames import jpeg
from ava_core.video.media.geometry import COLOUR_TAGS, Fit
from ava_core.video.media.hashing import hash_file
from ava_core.video.media.stream_copy import MP4, Copier, fingerprint

CRF: Final = 24
"""x264's quality. Raising it saves space and blurs."""
PRESET: Final = "ultrafast"
"""At CRF 24 as good as veryfast at 20 (44 dB) in 60 % of its CPU time, for a third more bytes."""

ENCODER_THREADS: Final = 2
"""Threads of x264, whatever the machine: their number changes the bytes. With two, encoding runs beside decoding."""


class ClipWriter:
    """Writes one clip as H.264 and its keyframes as JPEG; leaving the block without `commit` drops both.

    With a `copier`, the video is copied at the end, and the frames that are added say what the copy has to hold.
    """

    def __init__(self, at: BatchContext, clip_id: str, fit: Fit, copier: Copier | None = None) -> None:
        self.copier = copier
        self.clip_id, self.fit, self.storage = clip_id, fit, at.storage
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
        self._encoder = None if self.copier else _Encoder(self.path, self.fit)
        return self

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


class _Encoder:
    """H.264 that browsers and CVAT play."""

    def __init__(self, path: Path, fit: Fit) -> None:
        import av

        self.container = av.open(str(path), "w", format="mp4", options=dict(MP4))
        self.stream = self.container.add_stream("libx264", rate=CLIP_FPS)
        self.stream.width, self.stream.height, self.stream.pix_fmt = fit.width, fit.height, "yuv420p"
        self.stream.time_base = Fraction(1, CLIP_FPS)
        # A keyframe each second: players and CVAT jump to AVA's seconds without decoding from the start.
        self.stream.codec_context.gop_size = CLIP_FPS
        self.stream.codec_context.thread_count = ENCODER_THREADS
        self.stream.options = {"crf": str(CRF), "preset": PRESET}

    def add(self, frame: Any, number: int) -> None:
        """Append a frame; the first one says what range and matrix its colours have."""
        if number == 0:
            for name in COLOUR_TAGS:
                setattr(self.stream.codec_context, name, getattr(frame, name))
        frame.pts, frame.time_base = number, Fraction(1, CLIP_FPS)
        # The source's picture types are its own encoder's choice.
        frame.pict_type = 0
        self.container.mux(self.stream.encode(frame))

    def finish(self) -> None:
        """Write what is still held back."""
        self.container.mux(self.stream.encode(None))
        self.close()

    def close(self) -> None:
        """Close the file as it is."""
        self.container.close()
