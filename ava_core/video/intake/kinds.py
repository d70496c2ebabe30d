"""What a file of a batch's input is before anybody opens it: junk, an archive, or something that may be a video."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


VIDEO_SUFFIXES: Final = _words(
    ".mp4 .m4v .mov .avi .mkv .webm .ts .mts .m2ts .mpg .mpeg .vob .wmv .asf .flv .3gp .3g2 .h264 .264 .avc .h265 .265 "
    ".hevc .dav .mjpg .mjpeg .mxf .ogv .rm .rmvb .dv .divx .f4v .ivf"
)
"""Endings that say video; other files are looked into all the same."""
NEVER_VIDEO: Final = _words(
    ".txt .md .pdf .doc .docx .xls .xlsx .ppt .pptx .csv .tsv .json .xml .yaml .yml .html .htm .css .js .log .ini .cfg "
    ".jpg .jpeg .png .bmp .tif .tiff .webp .svg .srt .vtt .ass .sub .idx .nfo .url .lnk .exe .dll .bat .sh .py .db "
    ".mp3 .wav .aac .flac .wma"
)
"""Endings of files that alone make no batch."""
ZIP: Final = ".zip"
JUNK: Final = _words(
    "__macosx .ds_store thumbs.db ehthumbs.db ehthumbs_vista.db desktop.ini autorun.inf folder.htt $recycle.bin "
    "@eadir #recycle lost.dir .trashes .spotlight-v100 .fseventsd .appledouble"
) | {"system volume information"}
"""Files and folders that systems leave behind on their own, in small letters."""
ARCHIVES: Final = (
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!\x1a\x07", "RAR"),
    (257, b"ustar", "tar"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"BZh", "bzip2"),
    (0, b"\xfd7zXZ\x00", "xz"),
    (0, b"\x28\xb5\x2f\xfd", "zstd"),
    (0, b"MSCF", "cabinet"),
)
"""Archives that are not opened: where their mark stands, the mark, their name."""
ZIP_MARK: Final = b"PK\x03\x04"


def is_junk(name: str) -> bool:
    """Whether a path is something that a system left behind, or lies in it."""
    parts = [part.casefold() for part in PurePosixPath(name.replace("\\", "/")).parts]
    return any(part.startswith(("._", "~$")) or part in JUNK for part in parts)


def suffix_of(name: str) -> str:
    """A path's ending in small letters."""
    return PurePosixPath(name.replace("\\", "/")).suffix.lower()


def may_be_video(name: str) -> bool:
    """Whether a file of that name, or what a zip of that name holds, can be a video."""
    return not is_junk(name) and suffix_of(name) not in NEVER_VIDEO


def other_archive(path: Path) -> str:
    """The name of the kind of archive that a file is and that is not opened here; "" for any other file."""
    with path.open("rb") as file:
        head = file.read(512)
    return next((kind for at, mark, kind in ARCHIVES if head[at : at + len(mark)] == mark), "")


def is_zip(path: Path) -> bool:
    """Whether a file begins as a zip does."""
    with path.open("rb") as file:
        return file.read(len(ZIP_MARK)) == ZIP_MARK
