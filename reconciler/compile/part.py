"""One network on one node: its graph there, or why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from reconciler.compile.conditions import Condition, peers_suspended, suspended, unreachable
from reconciler.compile.member import Member, member
from reconciler.compile.mesh import Mesh, mesh_of
from reconciler.compile.mtu import network_mtu_bytes
from reconciler.compile.names import netid
from reconciler.compile.nr import NetworkResource, resource_graph
from reconciler.kernel.graph import Graph
from reconciler.kernel.objects import IPNetwork
from reconciler.model.documents import Farm, Network
from reconciler.model.model import Model
from reconciler.model.rules import suspensions


@dataclass(frozen=True, slots=True)
class NetworkPart:
    """`graph` is None where the NR is suspended; `conditions` then say why."""

    tenant: str
    network: str
    netid: str
    graph: Graph | None
    conditions: tuple[Condition, ...]


def network_part(model: Model, tenant: str, network: Network, node: str) -> NetworkPart:
    name = network.metadata.name
    reasons = dict(suspensions(model, tenant, name))
    members = tuple(_members(model, network, reasons))
    me = next((item for item in members if item.node == node), None)
    if me is None:
        why = suspended(reasons.get(node, "this node has no network resource here"))
        return NetworkPart(tenant, name, netid(tenant, name), None, (why,))
    mesh = mesh_of(me, members, network.spec.relays)
    graph = resource_graph(_resource(model, tenant, network, members, mesh))
    return NetworkPart(tenant, name, graph.owner, graph, tuple(_conditions(mesh, reasons)))


def _members(model: Model, network: Network, reasons: dict[str, str]) -> Iterator[Member]:
    """The NRs that run. One whose numbers don't fit the ranges they come from is suspended here."""
    for resource in sorted(network.spec.resources, key=lambda resource: resource.index):
        farm, node = model.farm(resource.node.partition("/")[0]), model.node(resource.node)
        if resource.node in reasons or farm is None or node is None:
            reasons.setdefault(resource.node, "there is no such node")
            continue
        try:
            yield member(network, resource, farm, node, model.fast_address(resource.node))
        except ValueError as error:
            reasons[resource.node] = str(error)


def _resource(
    model: Model, tenant: str, network: Network, members: tuple[Member, ...], mesh: Mesh
) -> NetworkResource:
    node, farm = model.node(mesh.me.node), model.farm(mesh.me.node.partition("/")[0])
    assert node is not None and farm is not None
    return NetworkResource(
        netid=netid(tenant, network.metadata.name),
        ranges=(IPv4Network(network.spec.ipv4), IPv6Network(network.spec.ipv6)),
        mtu_bytes=network_mtu_bytes(members),
        mesh=mesh,
        fast_nic=node.spec.fast.nic if node.spec.fast else None,
        reserved=farm_reserved(farm),
    )


def farm_reserved(farm: Farm) -> frozenset[IPNetwork]:
    """What the farm keeps from tenants: its reserved prefixes, and its fast network."""
    fast = farm.spec.fast_network
    prefixes = (*farm.spec.reserved, *(() if fast is None else (fast.prefix,)))
    return frozenset(ip_network(prefix) for prefix in prefixes)


def _conditions(mesh: Mesh, reasons: Mapping[str, str]) -> Iterator[Condition]:
    if reasons:
        yield peers_suspended(reasons)
    if mesh.unreachable:
        yield unreachable(mesh.unreachable)
