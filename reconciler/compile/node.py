"""What one node should have: the graph that serves it as a whole, and one graph a network."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.compile.conditions import Condition as Condition
from reconciler.compile.names import netid
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


def compile_node(model: Model, node: str, previous: NodeGraph | None = None) -> NodeGraph:
    """All that the node `<farm>/<node>` should have, and nothing that doesn't concern it.

    A node that the model doesn't know should have nothing. `previous`, compiled for the same node from an
    earlier model, saves work and changes nothing: what is equal in both is taken from it.
    """
    before = {} if previous is None else {part.netid: part for part in previous.networks}
    networks = sorted(model.networks_on(node), key=lambda placed: (placed[0], placed[1].metadata.name))
    parts = tuple(
        network_part(model, tenant, network, node, before.get(netid(tenant, network.metadata.name)))
        for tenant, network in networks
    )
    own = node_graph(model, node)
    return NodeGraph(previous.node if previous is not None and previous.node == own else own, parts)
