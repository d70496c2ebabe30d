"""A Ray cluster of several nodes on this machine, reached over the loopback alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

ENVIRONMENT = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0", "RAY_TQDM_PATCH_PRINT": "0"
}  # fmt: skip
"""Ray stays on the loopback, as by default where firewalls ask; tells nobody of itself; leaves `print` alone."""
MEMORY = 100 * 1024 * 1024
"""Bytes of a node's object store; units hand on little."""


@dataclass
class RayNodes:
    """The cluster; each node has one CPU, and says that it has a GPU."""

    cluster: Any

    @property
    def address(self) -> str:
        """For `AVA_RAY_ADDRESS`."""
        return str(self.cluster.address)

    def add_node(self) -> Any:
        """One node more."""
        return self.cluster.add_node(
            num_cpus=1, num_gpus=1, object_store_memory=MEMORY, include_dashboard=False
        )

    def remove(self, node: Any) -> None:
        """The node is gone at once, as when its machine is switched off."""
        self.cluster.remove_node(node, allow_graceful=False)


@contextmanager
def two_nodes() -> Iterator[RayNodes]:
    """A head and one node beside it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        from ray.cluster_utils import Cluster

        cluster = Cluster()
        nodes = RayNodes(cluster)
        try:
            nodes.add_node()
            nodes.add_node()
            cluster.wait_for_nodes()
            yield nodes
        finally:
            cluster.shutdown()
