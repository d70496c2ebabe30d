"""A whole batch on PostgreSQL, an object store and a Ray cluster of two nodes, beside one on the embedded default.

    python -m tests.cluster

Everything is started on this machine and ended again: databases, the store (an S3 server), the nodes, and on them the
real `ava up` with annotators who work through the API. Names every file of the two releases that is not the same bytes;
exit code 1 where there is one, or where something lies elsewhere than it should.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from ava_assets.running.release import make_release
from ava_core.base.storage import Storage
from ava_core.dataset.export.folders import fetched_folder
from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.flavours import DEFAULT
from ava_core.demo.scenes import make_batch_zip
from ava_core.demo.truth import SceneTruth
from tests.chaos.flow import Flow
from tests.chaos.platform import Platform
from tests.chaos.postgres import Postgres
from tests.support.object_store import object_store
from tests.support.ray_cluster import two_nodes

SCENE_SECONDS: Final = 8.0
OF_THE_MOMENT: Final = (names.RECORD, "dataset_card", "CITATION.cff", "croissant.json", "pictures.parquet")
"""What says when and under which settings a release was made, and what only one on this machine has."""


def whole_batch(platform: Platform, given: tuple[Path, SceneTruth]) -> dict[str, str]:
    """From the zip to a release in every layout of pictures; SHA-256 of its files by path."""
    flow = Flow(platform, *given)
    try:
        flow.begin()
        flow.run()
        folder = make_release(platform.settings, name="v1", flavours=list(DEFAULT))
    finally:
        platform.end()
    with fetched_folder(Storage(platform.settings.resolved_storage_url), folder) as local:
        found = {path.relative_to(local).as_posix(): path for path in local.rglob("*") if path.is_file()}
        return {
            name: hashlib.sha256(path.read_bytes()).hexdigest()
            for name, path in found.items()
            if not name.startswith(OF_THE_MOMENT)
        }


def on_a_cluster(home: Path, given: tuple[Path, SceneTruth]) -> tuple[dict[str, str], list[str]]:
    """The release's files, and what lies in the platform's home that belongs into a database or the store."""
    with object_store() as store, Postgres() as postgres, two_nodes() as nodes:
        platform = Platform(
            home, postgres, storage_url=f"s3://{store.bucket}/platform", runner="ray", ray_address=nodes.address,
            workers=0,
        )  # fmt: skip
        files = whole_batch(platform, given)
    at_home = [path for pattern in ("storage", "*.db", "dagster/history*") for path in home.glob(pattern)]
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
        embedded = whole_batch(Platform(folder / "embedded"), given)
        print(f"embedded default: {len(embedded)} files after {time.monotonic() - began:.0f} s", flush=True)
        began = time.monotonic()
        spread, amiss = on_a_cluster(folder / "cluster", given)
        print(f"PostgreSQL, object store, Ray: {len(spread)} files after {time.monotonic() - began:.0f} s")
    amiss += [f"{name} is not the same" for name in differences(embedded, spread)]
    print("\n".join(amiss) or "the same bytes")
    return bool(amiss)


if __name__ == "__main__":
    sys.exit(main())
