"""A whole batch on PostgreSQL, an object store and a Ray cluster of two nodes, beside one on the embedded default.

    python -m tests.cluster

Everything is started on this machine and ended again: databases, the store (an S3 server), the nodes, the annotation
server with two annotators who work through its API; Dagster runs the graph in this process. Names every file of the two
releases that is not the same bytes; exit code 1 where there is one, or where something lies elsewhere than it should.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import polars as pl

from ava_core import decisions
from ava_core.base.storage import Storage
from ava_core.dataset.export.folders import fetched_folder
from ava_core.dataset.formats.ava import names
from ava_core.demo.annotators import simulate
from ava_core.demo.scenes import make_batch_zip
from ava_core.demo.truth import SceneTruth, truth_in_clips
from ava_core.video.intake.inbox import add_to_inbox
from tests.support.dagster_site import annotated
from tests.support.object_store import object_store
from tests.support.postgres import Postgres
from tests.support.ray_cluster import two_nodes

BATCH: Final = "street"
SCENE_SECONDS: Final = 8.0
OF_THE_MOMENT: Final = (names.RECORD, "dataset_card", "CITATION.cff", "croissant.json", "pictures.parquet")
"""What says when and under which settings a release was made, and what only one on this machine has."""


def whole_batch(home: Path, given: tuple[Path, SceneTruth], **settings: Any) -> dict[str, str]:
    """From the zip to a release in every layout of pictures; SHA-256 of its files by path."""
    archive, scenes = given
    with annotated(home, **settings) as (site, crowd):

        def make(*assets: str) -> None:
            made = site.materialise(*assets, batch=BATCH if assets != ("ava_release",) else None)
            assert made.success, f"{assets} failed"

        add_to_inbox(site.settings, site.store, archive, name=BATCH)
        site.tick("batches")
        make("source_videos", "clips", "tracks", "dense_proposals", "cvat_tasks")
        at = site.at(BATCH)
        truth = truth_in_clips(scenes, at.table("clips"), at.table("source_videos"), site.ontology)
        for one in crowd:
            simulate(
                one, site.settings.resolved_cvat_url, site.settings.cvat_organisation, truth, site.ontology
            )
        site.tick("cvat_jobs")
        make("raw_annotations", "agreement")
        decisions.approve(site.store, BATCH, at.table("clips")["clip_id"].to_list(), "chief")
        make("consensus_labels", "ava_csv")
        make("ava_release")
        return _files(site.platform.storage)


def _files(storage: Storage) -> dict[str, str]:
    [folder] = storage.path("releases").iterdir()
    with fetched_folder(storage, folder) as local:
        found = {path.relative_to(local).as_posix(): path for path in local.rglob("*") if path.is_file()}
        return {
            name: hashlib.sha256(_content(path)).hexdigest()
            for name, path in found.items()
            if not name.startswith(OF_THE_MOMENT)
        }


def _content(path: Path) -> bytes:
    """What a file says, without when its clips were approved."""
    if path.name == names.LINEAGE:
        return pl.read_parquet(path).drop("approved_at").write_ndjson().encode()
    return path.read_bytes()


def on_a_cluster(home: Path, given: tuple[Path, SceneTruth]) -> tuple[dict[str, str], list[str]]:
    """The release's files, and what lies in the platform's home that belongs into a database or the store."""
    with object_store() as store, Postgres() as postgres, two_nodes() as nodes:
        files = whole_batch(
            home, given, storage_url=f"s3://{store.bucket}/platform", database_url=postgres.new_database(),
            dagster_url=postgres.new_database(), runner="ray", ray_address=nodes.address,
        )  # fmt: skip
    at_home = [path for pattern in ("storage", "*.db", "dagster/history/*") for path in home.glob(pattern)]
    return files, [f"{path.relative_to(home)} lies in the home" for path in at_home]


def differences(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """Files that are not the same bytes in both, or in one alone."""
    return [name for name in sorted(one.keys() | other.keys()) if one.get(name) != other.get(name)]


def main() -> int:
    """Do both, and compare."""
    with tempfile.TemporaryDirectory(prefix="ava-cluster-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        given = make_batch_zip(folder / "scenes", seed=3, seconds=SCENE_SECONDS)
        began = time.monotonic()
        embedded = whole_batch(folder / "embedded", given)
        print(f"embedded default: {len(embedded)} files after {time.monotonic() - began:.0f} s", flush=True)
        began = time.monotonic()
        spread, amiss = on_a_cluster(folder / "cluster", given)
        print(f"PostgreSQL, object store, Ray: {len(spread)} files after {time.monotonic() - began:.0f} s")
    amiss += [f"{name} is not the same" for name in differences(embedded, spread)]
    print("\n".join(amiss) or "the same bytes")
    return bool(amiss)


if __name__ == "__main__":
    sys.exit(main())
