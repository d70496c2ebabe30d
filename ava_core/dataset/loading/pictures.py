"""Single pictures of a release's clips, from whichever layout holds them: the same picture, bars cut off, from each.

What a worker of a data loader is given is plain values: nothing is open between two calls, nothing has threads.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from ava_core.base.errors import InputError
from ava_core.base.schemas import CLIP_FPS
from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.shards import names as shards
from ava_core.dataset.formats.videos import names as videos

Source = Literal["frames", "videos", "shards"]
Pixels = npt.NDArray[np.uint8]
Size = tuple[int, int]
Crop = tuple[int, int, int, int]

REDUCED: Final = (8, 4, 2)
"""How many times smaller JPEG can be decoded at once."""


class ClipPictures(Protocol):
    """Pictures of clips by number, from 0."""

    def read(self, video: str, numbers: Sequence[int], size: Size | None) -> Iterator[Pixels]:
        """Pictures `(height, width, 3)`, BGR, of rising numbers, which may repeat, scaled to `size` where it is given.

        Raises `InputError` for one that cannot be read.
        """
        ...


def pictures_in(folder: Path, split: str, source: Source | None = None) -> ClipPictures:
    """The pictures of a split; from the first of frames, videos and shards that the release holds where none is named.

    Raises `InputError` where it holds none of them, or not the named one.
    """
    held: dict[Source, bool] = {
        "frames": (folder / names.FRAMES).is_dir(),
        "videos": (folder / videos.FOLDER / split).is_dir(),
        "shards": (folder / shards.shard(split, 0)).is_file(),
    }
    chosen = source or next((name for name, there in held.items() if there), None)
    if chosen is None or not held.get(chosen):
        raise InputError(
            f"{folder} holds no {source or 'pictures'} of split {split!r}.",
            f"Release with --flavour {source or 'frames, videos or shards'}.",
        )
    if chosen == "frames":
        return Frames(folder)
    places = _in_videos(folder, split) if chosen == "videos" else dict(_in_shards(folder, split))
    return Clips(places, _crops(folder))


@dataclass(frozen=True)
class Frames:
    """Pictures in `frames/`."""

    folder: Path

    def read(self, video: str, numbers: Sequence[int], size: Size | None) -> Iterator[Pixels]:
        """As `ClipPictures` says; decoded smaller at once where at most half the size is wanted."""
        import cv2

        flag = cv2.IMREAD_COLOR
        picture: Any = None
        for place, number in enumerate(numbers):
            if place and number == numbers[place - 1]:
                yield picture
                continue
            path = self.folder / names.FRAMES / video / names.frame_name(video, number + 1)
            picture = cv2.imread(str(path), flag)
            if picture is not None and place == 0 and size is not None:
                flag = _reduced(picture.shape[:2], size)
                picture = picture if flag == cv2.IMREAD_COLOR else cv2.imread(str(path), flag)
            if picture is None:
                raise InputError(f"{path} cannot be read.", "`ava validate` lists missing pictures.")
            picture = _scaled(picture, size)
            yield picture


def _reduced(shape: tuple[int, int], size: Size) -> int:
    """How to decode pictures of a shape so that they are no smaller than `size`."""
    import cv2

    for times in REDUCED:
        if shape[0] >= size[0] * times and shape[1] >= size[1] * times:
            return int(getattr(cv2, f"IMREAD_REDUCED_COLOR_{times}"))
    return int(cv2.IMREAD_COLOR)


@dataclass(frozen=True)
class Place:
    """Where the bytes of a clip's video lie: in a file, from `offset`, `size` of them."""

    path: Path
    offset: int
    size: int

    def opened(self) -> BinaryIO:
        """The video as a file of its own."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return io.BytesIO(file.read(self.size))


@dataclass(frozen=True)
class Clips:
    """Pictures in the clips' own videos; `crops`: `(left, top, width, height)` of those that have bars."""

    places: Mapping[str, Place]
    crops: Mapping[str, Crop]

    def read(self, video: str, numbers: Sequence[int], size: Size | None) -> Iterator[Pixels]:
        """As `ClipPictures` says; decoded from the keyframe before the first one."""
        place = self.places.get(video)
        if place is None:
            raise InputError(f"There is no video of clip {video}.", "`ava validate` lists what is missing.")
        wanted = list(numbers)
        for number, picture in _decoded(place, wanted[0], wanted[-1], frozenset(wanted), video):
            if crop := self.crops.get(video):
                left, top, width, height = crop
                picture = picture[top : top + height, left : left + width]
            yield from [_scaled(picture, size)] * wanted.count(number)


def _decoded(
    place: Place, first: int, last: int, wanted: frozenset[int], video: str
) -> Iterator[tuple[int, Pixels]]:
    """The wanted frames with their numbers. Raises `InputError` where one does not come."""
    import av

    left = set(wanted)
    try:
        with av.open(place.opened()) as container:
            stream = container.streams.video[0]
            # One thread: workers are many already, and a decoder's threads do not survive a fork.
            stream.codec_context.thread_count = 1
            start = stream.start_time or 0
            container.seek(start + round(first / CLIP_FPS / stream.time_base), stream=stream)
            for frame in container.decode(stream):
                number = round(float((frame.pts - start) * stream.time_base) * CLIP_FPS)
                if number in left:
                    left.remove(number)
                    yield number, frame.to_ndarray(format="bgr24")
                if number >= last:
                    break
    except (av.FFmpegError, IndexError, EOFError) as error:
        raise InputError(f"The video of clip {video} cannot be decoded: {error}.", _CURE) from None
    if left:
        raise InputError(f"The video of clip {video} lacks its frame {min(left)}.", _CURE)


_CURE: Final = "`ava validate` finds damaged files."


def _scaled(picture: Any, size: Size | None) -> Any:
    if size is None or picture.shape[:2] == size:
        return picture
    import cv2

    return cv2.resize(picture, size[::-1], interpolation=cv2.INTER_AREA)


def _in_videos(folder: Path, split: str) -> dict[str, Place]:
    paths = sorted((folder / videos.FOLDER / split).glob(f"*{videos.SUFFIX}"))
    return {path.stem: Place(path, 0, path.stat().st_size) for path in paths}


def _in_shards(folder: Path, split: str) -> Iterator[tuple[str, Place]]:
    """The videos in the tar files of a split: their heads alone are read."""
    number = 0
    while (path := folder / shards.shard(split, number)).is_file():
        with tarfile.open(path) as tar:
            for member in tar:
                if member.name.endswith(videos.SUFFIX):
                    clip = member.name.removesuffix(videos.SUFFIX)
                    yield clip, Place(path, member.offset_data, member.size)
        number += 1


def _crops(folder: Path) -> dict[str, Crop]:
    """Of every clip that has bars, the picture within them."""
    path = folder / names.MANIFEST
    if not path.is_file():
        raise InputError(f"{path} does not exist.", "Only it says where clips have bars.")
    shape = ("pad_x", "pad_y", "content_width", "content_height")
    clips = pl.scan_parquet(path, glob=False).select("video_id", *shape, "width", "height").collect()
    return {
        video: (left, top, width, height)
        for video, left, top, width, height, *whole in clips.rows()
        if [width, height] != whole
    }
