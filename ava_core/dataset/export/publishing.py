"""A release sent to the Hugging Face Hub or to an object store, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml
from upath import UPath

from ava_core.base.errors import ExportError, InputError
from ava_core.base.storage import OBJECT_STORE
from ava_core.dataset.export.folders import send_folder
from ava_core.dataset.export.packing import refuse_other, release_name
from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.ava.names import SPLITS
from ava_core.dataset.formats.parquet import names as parquet

HUB: Final = "hub:"
MOST_FILES: Final = 100_000
"""In a repository of the Hub, by its own advice."""
SIZES: Final = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
"""Rows below which the Hub calls a dataset so."""
LARGEST: Final = "1M<n<10M"


def publish(release: Path, target: str, licence: str, *, public: bool = False) -> str:
    """Send everything in a release to `hub:owner/name` or to a new folder of a URL; returns where it lies.

    The Hub is given a card (`README.md`) beside it; a repository that is made is private unless `public`. Raises
    `InputError` for a target or licence that cannot be used, `ExportError` where something lies there already.
    """
    check_licence(licence)
    refuse_other(release)
    if target.startswith(HUB):
        return _to_hub(release, target.removeprefix(HUB), hub_card(release, licence), public)
    if "://" not in target:
        raise InputError(f"{target} is not a valid target.", "Use hub:owner/name or s3://bucket/folder.")
    folder = UPath(target, **(OBJECT_STORE if target.startswith("s3://") else {}))
    if folder.exists() and any(folder.iterdir()):
        raise ExportError(f"{target} is not empty, and releases never change.", "Name a new folder.")
    send_folder(release, folder)
    return target


def check_licence(licence: str) -> None:
    """Raise `InputError` where none is said."""
    if not licence:
        raise InputError("The release has no licence.", "Set one with --licence, e.g. cc-by-4.0.")


def what_goes(release: Path) -> dict[str, int]:
    """Bytes by path of everything that is sent."""
    files = sorted(path for path in release.rglob("*") if path.is_file())
    return {path.relative_to(release).as_posix(): path.stat().st_size for path in files}


def hub_card(release: Path, licence: str) -> str:
    """The release's card with the Hub's head: licence, size, tags, and the tables that its viewer shows."""
    import polars as pl

    tables = {split: parquet.table(split) for split in SPLITS if (release / parquet.table(split)).is_file()}
    rows = pl.scan_parquet(release / names.LINEAGE, glob=False).select(pl.len()).collect().item()
    head: dict[str, Any] = {
        "license": licence.lower(),
        "pretty_name": f"AVA-format actions, {release_name(release)}",
        "size_categories": [next((name for most, name in SIZES if rows < most), LARGEST)],
        "task_categories": ["video-classification", "object-detection"],
        "tags": ["ava", "action-detection", "spatio-temporal", "video"],
    }
    if tables:
        files = [{"split": split, "path": path} for split, path in tables.items()]
        head["configs"] = [{"config_name": "labels", "data_files": files, "default": True}]
    card = (release / names.CARD).read_text("utf-8")
    return f"---\n{yaml.safe_dump(head, sort_keys=False, allow_unicode=True)}---\n\n{card}"


def _to_hub(release: Path, repository: str, card: str, public: bool) -> str:
    try:
        from huggingface_hub import CommitOperationAdd, HfApi
        from huggingface_hub.errors import HfHubHTTPError
    except ImportError:
        raise InputError("The Hub's client is not installed.", "pip install 'ava-platform[hub]'.") from None
    owner, _, name = repository.partition("/")
    if not owner or not name or "/" in name:
        raise InputError(f"hub:{repository} is not a repository.", "Use hub:owner/name.")
    paths = what_goes(release)
    if len(paths) > MOST_FILES:
        raise ExportError(
            f"The release has {len(paths):,} files, and the Hub takes {MOST_FILES:,}.",
            "Release with --flavour shards --flavour parquet, and publish that.",
        )
    operations = [CommitOperationAdd(path, release / path) for path in paths]
    operations.append(CommitOperationAdd("README.md", card.encode()))
    api = HfApi()
    try:
        api.create_repo(repository, repo_type="dataset", private=not public, exist_ok=True)
        if api.file_exists(repository, names.RECORD, repo_type="dataset"):
            raise ExportError(f"{repository} already holds a release.", "Choose another repository.")
        made = api.create_commit(
            repository, operations, repo_type="dataset", commit_message=f"Release {release_name(release)}"
        )
    except HfHubHTTPError as error:
        reason = str(error).splitlines()[0]
        raise ExportError(
            f"The Hub refused {repository}: {reason}",
            "Check your token (HF_TOKEN) and the repository's name.",
        ) from error
    return str(made.commit_url)
