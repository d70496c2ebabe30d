"""A Ray cluster of several nodes on this machine, reached over the loopback alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

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
        return self.cluster.add_node(num_cpus=1, num_gpus=1, object_store_memory=MEMORY)

    def remove(self, node: Any) -> None:
        """The node is gone at once, as when its machine is switched off."""
        self.cluster.remove_node(node, allow_graceful=False)


@contextmanager
def two_nodes() -> Iterator[RayNodes]:
    """A head and one node beside it."""
    from ray.cluster_utils import Cluster

    cluster = Cluster()
    nodes = RayNodes(cluster)
    try:
        cluster.add_node(
            num_cpus=1, num_gpus=1, object_store_memory=MEMORY, include_dashboard=False, node_ip_address="127.0.0.1"
        )
        nodes.add_node()
        cluster.wait_for_nodes()
        yield nodes
    finally:
        cluster.shutdown()
