"""A task's media: counting its frames after the upload, and showing frames and chunks."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ava_core.annotation_server.problems import Problem
from ava_core.annotation_server.state import Document

IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
FORMATS: Final = ("JPEG", "PNG", "BMP", "WEBP")
MAX_PIXELS: Final = 1 << 26
"""Of a picture: 8192 × 8192, which take 200 MB once they are unpacked."""


class BadUpload(Exception):
    """Media that cannot be a task; the message is what the failed request says."""


def describe(folder: Path, options: dict[str, Any]) -> Document:
    """What was uploaded: frames, size, names. Raises `BadUpload`, or whatever a broken video raises."""
    files = sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
    if not files:
        raise BadUpload("ValueError: No media data found")
    images = [path for path in files if path.suffix.lower() in IMAGES]
    if len(images) == len(files):
        described = _images(files)
    elif len(files) == 1:
        described = _video(files[0])
    else:
        raise BadUpload(
            "ValueError: Only one video, audio, archive, pdf, zip or many image, directory can be used "
            f"simultaneously, but {len(images)} image(s), {len(files) - len(images)} other file(s) found."
        )
    return described | _selected(described["media_frames"], options)


def _selected(media_frames: int, options: dict[str, Any]) -> Document:
    """Which of the media's frames the task has: from `start_frame` to `stop_frame`, every `step`-th."""
    start, stop = int(options.get("start_frame") or 0), options.get("stop_frame")
    step = int((re.search(r"step\s*=\s*(\d+)", str(options.get("frame_filter") or "")) or [0, 1])[1])
    last = media_frames - 1 if stop is None else min(int(stop), media_frames - 1)
    size = max(0, (last - start) // step + 1)
    if not size:
        raise BadUpload(f"ValueError: No frames from {start} to {last}")
    return {
        "start_frame": start,
        "stop_frame": start + (size - 1) * step,
        "step": step,
        "size": size,
        "image_quality": int(options.get("image_quality") or 70),
        "frame_filter": f"step={step}" if step > 1 else "",
    }


def _video(path: Path) -> Document:
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        count, size = 0, (stream.width, stream.height)
        _must_fit(*size)
        # A frame may be larger than the file says: the decoder refuses it.
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        # Every frame is decoded: what cannot be shown must fail now, not under an annotator's hands.
        stream.thread_type = "AUTO"
        for _ in container.decode(stream):
            count += 1
    if not count:
        raise BadUpload("ValueError: No frames found in the video")
    frame = {"width": size[0], "height": size[1], "name": path.name}
    return {"mode": "interpolation", "media_frames": count, "frames": [frame], "files": [path.name]}


def _images(paths: list[Path]) -> Document:
    import cv2

    frames = []
    for path in paths:
        _must_fit(*_size_of(path))
        picture = cv2.imread(str(path))
        if picture is None:
            raise _unidentified(path)
        frames.append({"width": picture.shape[1], "height": picture.shape[0], "name": path.name})
    return {
        "mode": "annotation",
        "media_frames": len(paths),
        "frames": frames,
        "files": [path.name for path in paths],
    }


def _size_of(path: Path) -> tuple[int, int]:
    """Width and height of a picture as its header says them; nothing of it is unpacked."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=FORMATS) as picture:
            return picture.size
    except Image.DecompressionBombError as error:
        raise BadUpload(f"PIL.Image.DecompressionBombError: {error}") from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        raise _unidentified(path) from None


def _must_fit(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise BadUpload(
            f"PIL.Image.DecompressionBombError: Image size ({width * height} pixels) exceeds limit of "
            f"{MAX_PIXELS} pixels, could be decompression bomb DOS attack."
        )


def _unidentified(path: Path) -> BadUpload:
    return BadUpload(f"PIL.UnidentifiedImageError: cannot identify image file '{path.name}'")


def frame(folder: Path, data: Document, number: int) -> tuple[bytes, str]:
    """Frame `number` of a task (0-based, after start and step) and its media type: PNG where it is of a video."""
    import cv2

    if data["mode"] == "annotation":
        path = _image(folder, data, number)
        return path.read_bytes(), f"image/{path.suffix.lower().lstrip('.').replace('jpg', 'jpeg')}"
    return bytes(cv2.imencode(".png", _pixels(folder, data, number))[1]), "image/png"


def preview(folder: Path, data: Document, number: int) -> bytes:
    """Frame `number` of a task as JPEG."""
    import cv2

    if data["mode"] == "annotation":
        pixels = cv2.imread(str(_image(folder, data, number)))
        return _jpeg(pixels, data["image_quality"])
    return _jpeg(_pixels(folder, data, number), data["image_quality"])


def chunk(folder: Path, data: Document, number: int, length: int) -> tuple[bytes, str]:
    """Chunk `number` and its media type: `length` images in an archive, or the whole video as the only chunk."""
    if data["mode"] == "interpolation":
        return (folder / data["files"][0]).read_bytes(), "video/mp4"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:
        stop = min((number + 1) * length, data["size"])
        for place, index in enumerate(range(number * length, stop)):
            file.write(_image(folder, data, index), f"{place:06}.jpeg")
    return archive.getvalue(), "application/zip"


def _check(data: Document, number: int) -> None:
    if not 0 <= number < data["size"]:
        sentence = f"Invalid frame '{number}'. The frame number should be in the [0, {data['size']}] range"
        raise Problem(400, sentence)


def _image(folder: Path, data: Document, number: int) -> Path:
    _check(data, number)
    return Path(folder, data["files"][data["start_frame"] + number * data["step"]])


def _pixels(folder: Path, data: Document, number: int) -> Any:
    _check(data, number)
    wanted = data["start_frame"] + number * data["step"]
    for index, picture in enumerate(_frames(folder / data["files"][0])):
        if index == wanted:
            return picture
    raise Problem(404, {"detail": "Not found."})


def _frames(path: Path) -> Iterator[Any]:
    """All frames of a video in order, as BGR pictures."""
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for frame in container.decode(stream):
            yield frame.to_ndarray(format="bgr24")


def _jpeg(picture: Any, quality: int) -> bytes:
    import cv2

    return bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])
