"""The files of an AVA dataset by what they are for, whatever they are called: Google's names, ours, people's own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ava_core.base.errors import InputError
from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.ava.names import SPLITS
from ava_core.dataset.formats.ava.readers import Role

DEPTH: Final = 3
"""Folders below the given one that are looked into: `data/ava/annotations/person_box_…/` is as deep as people go."""
HEAD: Final = 4096
"""Bytes of a csv that tell what it is."""
NOT_LOOKED_INTO: Final = frozenset((
    names.FRAMES, names.RAWFRAMES, names.KEYFRAMES, names.PLOTS, names.IMPORTED_WORK,
    "kinetics", "datumaro", "coco", "multisports", "videos", "shards",
))  # fmt: skip
"""Folders of pictures, and of other formats with annotations of their own."""

_SPLIT = re.compile(r"(?<![a-z])(trainval|train|validation|valid|val|test)(?![a-z])")
_SPLIT_NAMES: Final = {"trainval": "train", "validation": "val", "valid": "val"}
_NUMBER = re.compile(r"-?\d*\.?\d+(e-?\d+)?")
_SEPARATORS: Final = (",", "\t", ";", " ")
_OFFICIAL = re.compile(
    r"ava_(train|val|test)(_excluded_timestamps)?_v\d\.\d\.csv|ava_(train|val|test)_predicted_boxes\.csv"
    r"|ava_action_list_v\d\.\d(_for_activitynet_20\d\d)?\.pbtxt(\.txt)?"
    r"|ava_dense_proposals_(train|val|test)(\.FAIR\.recall_93\.9)?\.pkl"
    r"|ava_detection_.*\.csv"
)


@dataclass(frozen=True)
class AvaFiles:
    """Files by role and split (of the label map: ""); `others`: of the same role and split, but not looked at."""

    root: Path
    files: Mapping[tuple[Role, str], Path]
    others: tuple[tuple[Path, Path], ...] = field(default=())

    def path(self, role: Role, split: str = "") -> Path | None:
        """The file of that role and split."""
        return self.files.get((role, split))

    def name(self, path: Path) -> str:
        """A file as findings call it."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else path.name

    @property
    def splits(self) -> list[str]:
        """Splits that have rows."""
        return [split for split in SPLITS if ("rows", split) in self.files]


def find_files(place: Path) -> AvaFiles:
    """The files in a folder, or the single file. Raises `InputError` where nothing in it is of an AVA dataset."""
    if place.is_file():
        role = _role(place)
        if role is None:
            raise InputError(
                f"{place} is not a file of an AVA dataset: neither rows "
                f"video,timestamp,x1,y1,x2,y2,action,person, nor "
                "a label map, list of frames or seconds, or boxes.",
                "Give the folder of a dataset, or one of its files.",
            )
        return AvaFiles(place.parent, {(role, _split(place, role, place.parent)): place})
    if not place.is_dir():
        raise InputError(f"{place} does not exist.", "Give the folder of a dataset, or one of its files.")
    found: dict[tuple[Role, str], list[Path]] = {}
    for path in _candidates(place, DEPTH):
        if (role := _role(path)) is not None:
            found.setdefault((role, _split(path, role, place)), []).append(path)
    inside = place.name == names.ANNOTATIONS and not (place / names.ANNOTATIONS).exists()
    root = place.parent if inside else place
    whole = root / names.ALL_ROWS
    for paths in found.values():
        if whole in paths and any(role == "rows" for role, _ in found) and len(found) + len(paths) > 2:
            paths.remove(whole)
    best = {key: sorted(paths, key=_preference) for key, paths in found.items() if paths}
    if not any(role == "rows" for role, _ in best):
        raise InputError(
            f"{place} has no {names.rows_csv('<split>')}, nor another csv with rows of AVA.",
            f"Give the folder that holds `{names.ANNOTATIONS}`, or a csv "
            "video,timestamp,x1,y1,x2,y2,action,person.",
        )
    others = [(other, paths[0]) for paths in best.values() for other in paths[1:]]
    return AvaFiles(root, {key: paths[0] for key, paths in best.items()}, tuple(others))


def is_official(path: Path) -> bool:
    """Whether readers' own configurations know a file by this name."""
    lists = path.parent.name == names.FRAME_LISTS and path.stem in SPLITS
    return lists or _OFFICIAL.fullmatch(path.name) is not None


def _candidates(folder: Path, depth: int) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            if depth and path.name not in NOT_LOOKED_INTO and not path.name.startswith("."):
                yield from _candidates(path, depth - 1)
        elif path.suffix.lower() in (".csv", ".tsv", ".txt", ".pbtxt", ".pkl", ".pickle"):
            yield path


def _role(path: Path) -> Role | None:
    name = path.name.lower()
    if name.endswith((".pbtxt", ".pbtxt.txt")):
        return "label map"
    if name.endswith((".pkl", ".pickle")):
        return "proposals" if "proposal" in name or "dense" in name or "person" in name else None
    if "file_names" in name or "included_timestamps" in name:
        return None
    if "excluded" in name:
        return "excluded"
    lines = _head(path)
    first = lines[0] if lines else ""
    if first.startswith("original_vid") or path.parent.name.startswith("frame_list"):
        return "frame list"
    if any(word in name for word in ("predicted", "detection", "boxes")) or "person_box" in path.parent.name:
        return "predicted"
    own = _OFFICIAL.fullmatch(path.name) is not None
    return "rows" if own or any(map(_is_row, lines[:3])) else None


def _head(path: Path) -> list[str]:
    with path.open("rb") as file:
        text = file.read(HEAD).removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    return [line for line in re.split(r"[\r\n]+", text) if line]


def _is_row(line: str) -> bool:
    """Whether a line has a video, a time, four corners and an action."""
    for separator in _SEPARATORS:
        cells = [cell.strip(' "') for cell in line.split(separator)]
        if 7 <= len(cells) <= 9 and all(_NUMBER.fullmatch(cell) for cell in cells[1:6]):
            return True
    return False


def _split(path: Path, role: Role, top: Path) -> str:
    """The split that a file's name says, or that of a folder below `top`; train where nothing says it."""
    if role == "label map":
        return ""
    folder = path.parent.name.lower() if path.parent != top else ""
    found = _SPLIT.findall(path.name.lower()) or _SPLIT.findall(folder)
    return _SPLIT_NAMES.get(found[-1], found[-1]) if found else SPLITS[0]


def _preference(path: Path) -> tuple[bool, bool, bool, int, str]:
    """Whole names before parts of a list, v2.2 before others, short before long."""
    name = path.name
    return (
        "activitynet" in name, not is_official(path), "v2.2" not in name and "v2" in name, len(name), str(path)
    )  # fmt: skip
