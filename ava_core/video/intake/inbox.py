"""The inbox: a folder in which a zip, a video or a folder of videos becomes a batch.

What is still being copied is left alone: an item is taken only when its size and times have not changed from
one look to the next. Names that begin with a dot or end in `.part`, and files that
systems leave behind on their own, are never taken.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ava_core.base.errors import AvaError, InputError
from ava_core.base.files import link_or_copy
from ava_core.base.names import batch_name_for, check_batch_name
from ava_core.base.settings import Settings
from ava_core.base.text import plural
from ava_core.store import Store, batches
from ava_core.video.detection.registry import refuse_unknown_detector
from ava_core.video.given import Manifest
from ava_core.video.intake.adding import Adding, StillAdding, adding, being_added, broken_off
from ava_core.video.intake.archive import check_input
from ava_core.video.intake.handover import manifest_of
from ava_core.video.intake.kinds import is_junk

Fingerprint = list[int]
"""Newest modification time in ns, total bytes, number of files."""


@dataclass(frozen=True)
class InboxLook:
    """What one look found: fingerprints by name (for the next look) and the batches that were registered."""

    seen: dict[str, Fingerprint]
    registered: list[str]
    sentence: str


def look_into_inbox(inbox: Path, store: Store, seen: dict[str, Fingerprint]) -> InboxLook:
    """Register what has settled since `seen`, the fingerprints of the last look."""
    if not inbox.is_dir():
        return InboxLook({}, [], f"The inbox {inbox} does not exist yet; `ava batch add PATH` creates it.")
    registered, given_up = take_up(inbox, store)
    taken = {Path(path) for path in batches.source_paths(store)} | being_added(inbox)
    now: dict[str, Fingerprint] = {}
    settled = set()
    for item in sorted(inbox.iterdir()):
        if item.name.startswith(".") or item.name.endswith(".part") or is_junk(item.name) or item in taken:
            continue
        fingerprint = _fingerprint(item)
        now[item.name] = fingerprint
        if seen.get(item.name) == fingerprint:
            registered.append(register_batch(store, item))
            settled.add(item.name)
    waiting = len(now.keys() - settled)
    sentence = (
        f"Nothing new in {inbox}."
        if not now
        else f"{plural(waiting, 'item')} still being copied into {inbox}."
    )
    return InboxLook(now, registered, " ".join([*given_up, sentence]))


def take_up(inbox: Path, store: Store) -> tuple[list[str], list[str]]:
    """Finish what was being added when its process was killed; returns batches, and why others cannot be finished."""
    registered, given_up = [], []
    for one in broken_off(inbox):
        try:
            with adding(one):
                if one.batch in batches.names(store):
                    continue  # killed after its last step
                if not Path(one.target).exists():
                    check_input(Path(one.source))
                    _copy_atomically(Path(one.source), Path(one.target))
                batches.add(store, one.batch, one.target, one.options)
        except StillAdding:
            continue
        except AvaError as error:
            given_up.append(f"Adding {one.batch} was interrupted and cannot be finished: {error}")
        else:
            registered.append(one.batch)
    return registered, given_up


def add_to_inbox(
    settings: Settings, store: Store, path: Path, *, name: str = "", options: dict[str, Any] | None = None
) -> str:
    """Put a copy of `path` into the inbox and register it as a batch; returns the batch's name.

    Copy, name and options are there together or not at all: what is killed half-way is taken up again, by the next
    look into the inbox or by adding the same once more. The copy is a hard link where the file system allows.
    `options` are settings of this batch alone. What `ava preprocess` wrote keeps the name and the settings it was made
    with. Raises `InputError` if the path does not exist, holds no video, or the name is taken.
    """
    path = path.expanduser().absolute()
    check_input(path)
    made = manifest_of(path)
    if options and "detector" in options:
        refuse_unknown_detector(options["detector"])
    options = (made.settings if made else {}) | (options or {})
    settings.with_options(options)
    batch = check_batch_name(name) if name else made.batch if made else batch_name_for(path)
    if made and batch != made.batch:
        raise InputError(
            f"{path} was preprocessed as batch {made.batch}; its ids say so.", "Leave out --name."
        )
    if batch in batches.names(store):
        raise InputError(f"Batch {batch} already exists.", "Give another name with --name.")
    target = settings.inbox_dir / (f"{batch}.zip" if path.suffix.lower() == ".zip" else batch)
    with adding(Adding(batch, str(path), str(target), options)) as broken_off:
        if path != target:
            if target.exists() and not broken_off:
                raise InputError(f"{target} already exists.", "Give another name with --name.")
            if not target.exists():
                _copy_atomically(path, target)
        batches.add(store, batch, str(target), options)
    return batch


def register_batch(store: Store, item: Path) -> str:
    """Register an inbox item as a batch under the first free name made from its own."""
    made = _manifest_or_none(item)
    wanted = made.batch if made else batch_name_for(item if item.is_dir() else item.with_suffix(""))
    name = free_name(store, wanted)
    batches.add(store, name, str(item), made.settings if made else {})
    return name


def free_name(store: Store, wanted: str) -> str:
    """The name itself, or the first one with a number behind it that no batch has."""
    known = set(batches.names(store))
    name, number = wanted, 2
    while name in known:
        name, number = f"{wanted}_{number}", number + 1
    return name


def _manifest_or_none(item: Path) -> Manifest | None:
    """Of an item that `ava preprocess` wrote; what is wrong with an unusable one, its run will say."""
    with contextlib.suppress(InputError):
        return manifest_of(item)
    return None


def _fingerprint(item: Path) -> Fingerprint:
    files = [item] if item.is_file() else [file for file in item.rglob("*") if file.is_file()]
    stats = [file.stat() for file in files]
    return [max((s.st_mtime_ns for s in stats), default=0), sum(s.st_size for s in stats), len(stats)]


def _copy_atomically(source: Path, target: Path) -> None:
    """Copy a folder, a zip, or a video; a video goes into a folder of its own, so that it keeps its name."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        if source.is_dir():
            shutil.copytree(source, temporary, copy_function=link_or_copy)
        elif target.suffix == ".zip":
            link_or_copy(source, temporary)
        else:
            temporary.mkdir()
            link_or_copy(source, temporary / source.name)
        os.replace(temporary, target)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            temporary.unlink(missing_ok=True)
