"""What one node should have: the graph that serves it as a whole, and one graph a network."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.compile.conditions import Condition as Condition
from reconciler.compile.node_graph import node_graph
from reconciler.compile.part import NetworkPart as NetworkPart
from reconciler.compile.part import network_part
from reconciler.kernel.graph import Graph
from reconciler.model.model import Model


@dataclass(frozen=True, slots=True)
class NodeGraph:
    """`node` is applied first: every network's graph leans on it. `networks` is sorted by tenant and name,
    and has an entry for every network with a NR here, suspended ones included."""

    node: Graph
    networks: tuple[NetworkPart, ...]


def compile_node(model: Model, node: str) -> NodeGraph:
    """All that the node `<farm>/<node>` should have, and nothing that doesn't concern it.

    A node that the model doesn't know should have nothing.
    """
    networks = sorted(model.networks_on(node), key=lambda placed: (placed[0], placed[1].metadata.name))
    parts = tuple(network_part(model, tenant, network, node) for tenant, network in networks)
    return NodeGraph(node_graph(model, node), parts)
