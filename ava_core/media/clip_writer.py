"""Writing one clip: H.264 that browsers and CVAT play, and its keyframes as JPEG."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from typing import Any, Final

from ava_core.errors import MediaError
from ava_core.media.frames import jpeg
from ava_core.media.geometry import Fit
from ava_core.media.hashing import hash_file
from ava_core.storage import Storage
from ava_core.tables import CLIP_FPS

CRF: Final = 20
"""x264's quality; about the size of the source at CCTV's bitrates. Raising it saves space and blurs."""
PRESET: Final = "veryfast"


class ClipWriter:
    """Writes one clip as H.264 and its keyframes as JPEG; leaving the block without `commit` drops both."""

    def __init__(self, batch: str, clip_id: str, fit: Fit, storage: Storage) -> None:
        self.clip_id, self.fit, self.storage = clip_id, fit, storage
        folder = storage.asset_dir(batch, "clips")
        self.target = folder / "files" / f"{clip_id}.mp4"
        self.keyframes = folder / "keyframes" / clip_id
        self.frames = 0
        self._committed = False

    def __enter__(self) -> ClipWriter:
        import av

        self._drop_keyframes()
        self._writing = self.storage.writing(self.target)
        self.path = self._writing.__enter__()
        self.container = av.open(str(self.path), "w", format="mp4", options={"movflags": "+faststart"})
        self.stream = self.container.add_stream("libx264", rate=CLIP_FPS)
        self.stream.width, self.stream.height, self.stream.pix_fmt = (
            self.fit.width,
            self.fit.height,
            "yuv420p",
        )
        self.stream.time_base = Fraction(1, CLIP_FPS)
        # A keyframe each second: players and CVAT jump to AVA's seconds without decoding from the start.
        self.stream.codec_context.gop_size = CLIP_FPS
        self.stream.options = {"crf": str(CRF), "preset": PRESET}
        return self

    def add(self, frame: Any, number: int) -> None:
        """Append a frame; every whole second also becomes a JPEG."""
        frame.pts, frame.time_base = number, Fraction(1, CLIP_FPS)
        self.container.mux(self.stream.encode(frame))
        self.frames = number + 1
        if number % CLIP_FPS == 0:
            picture = frame.to_ndarray(format="bgr24")
            self.storage.write_bytes(self.keyframes / f"{number // CLIP_FPS:04d}.jpg", jpeg(picture))

    def commit(self) -> str:
        """Finish the file; returns its hash. It takes its place when the block ends."""
        self.container.mux(self.stream.encode(None))
        self.container.close()
        self._committed = True
        return hash_file(self.path)

    def row(self, source: dict[str, Any], *, index: int, start_s: float, sha256: str) -> dict[str, Any]:
        """The clip's row of `tables.CLIPS`."""
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
        self.container.close()
        with contextlib.suppress(MediaError):
            self._writing.__exit__(MediaError, MediaError("dropped"), None)
        self._drop_keyframes()

    def _drop_keyframes(self) -> None:
        for picture in self.keyframes.iterdir() if self.keyframes.exists() else ():
            picture.unlink()
