"""A task's media: counting its frames after the upload, and showing single frames."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ava_core.cvat.server.problems import Problem
from ava_core.cvat.server.state import Document
from ava_core.media.frames import decoded_frames, jpeg

IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")


def describe(folder: Path, options: dict[str, Any]) -> Document:
    """What was uploaded: frames, size, names. Raises whatever a broken file raises; its text is the failure."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    if not files:
        raise ValueError("No media data found")
    start, stop = int(options.get("start_frame") or 0), options.get("stop_frame")
    step = int((re.search(r"step\s*=\s*(\d+)", str(options.get("frame_filter") or "")) or [0, 1])[1])
    if all(path.suffix.lower() in IMAGES for path in files):
        described = _images(files)
    elif len(files) == 1:
        described = _video(files[0])
    else:
        raise ValueError("Only one video, or images, can be used")
    last = described["media_frames"] - 1 if stop is None else min(int(stop), described["media_frames"] - 1)
    return described | {
        "start_frame": start,
        "stop_frame": last,
        "step": step,
        "size": max(0, (last - start) // step + 1),
        "image_quality": int(options.get("image_quality") or 70),
        "frame_filter": f"step={step}" if step > 1 else "",
    }


def _video(path: Path) -> Document:
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        count, size = 0, (stream.width, stream.height)
        # Every frame is decoded: what cannot be shown must fail now, not under an annotator's hands.
        stream.thread_type = "AUTO"
        for _ in container.decode(stream):
            count += 1
    if not count:
        raise ValueError("No frames found in the video")
    frame = {"width": size[0], "height": size[1], "name": path.name}
    return {"mode": "interpolation", "media_frames": count, "frames": [frame], "files": [path.name]}


def _images(paths: list[Path]) -> Document:
    import cv2

    frames = []
    for path in paths:
        picture = cv2.imread(str(path))
        if picture is None:
            raise ValueError(f"PIL.UnidentifiedImageError: cannot identify image file '{path.name}'")
        frames.append({"width": picture.shape[1], "height": picture.shape[0], "name": path.name})
    return {
        "mode": "annotation",
        "media_frames": len(paths),
        "frames": frames,
        "files": [path.name for path in paths],
    }


def frame_jpeg(folder: Path, data: Document, number: int) -> bytes:
    """Frame `number` of a task (0-based, after start and step) as JPEG."""
    if not 0 <= number < data["size"]:
        raise Problem(
            400, f"Invalid frame '{number}'. The frame number should be in the [0, {data['size'] - 1}] range"
        )
    media_frame = data["start_frame"] + number * data["step"]
    if data["mode"] == "annotation":
        return Path(folder, data["files"][media_frame]).read_bytes()
    for index, picture in enumerate(decoded_frames(folder / data["files"][0])):
        if index == media_frame:
            return jpeg(picture, data["image_quality"])
    raise Problem(404, {"detail": "Not found."})
